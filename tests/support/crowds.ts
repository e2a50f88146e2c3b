/**
 * Crowds that want every place of an index and of a peer, from addresses of this machine that
 * nobody else uses. Each keeps at it until it is ended: a connection that the other side closes is
 * opened again.
 * @module
 */

import { HTTP_CONNECTIONS_MAX, STRANGERS_MAX } from "../../lib/core/limits.ts";
import { ask, greet } from "../../lib/net/caller.ts";
import type { Connection } from "../../lib/net/connection.ts";
import { Identity } from "../../lib/net/identity.ts";
import { Join } from "../../lib/protocol/presence.ts";
import { connectFrom } from "./connect_from.ts";

/**
 * Shortest and longest pause before a connection is opened again: thousands at once would measure
 * the machine and not its programs.
 */
const AGAIN_FIRST_MS = 10_000;
const AGAIN_LAST_MS = 20_000;
/** More than a peer has places for strangers. */
const PEER_HALF_OPEN = STRANGERS_MAX + 500;
/** Connections that are being opened at the same time. */
const OPENING_MAX = 32;

/** Where a crowd goes. */
export interface CrowdTarget {
  readonly host: string;
  readonly indexPort: number;
  readonly httpPort: number;
  /** The port of a peer that serves. */
  readonly peerPort: number;
}

/** Connections that are kept open. */
export class Crowd implements AsyncDisposable {
  readonly #stopping = new AbortController();
  readonly #work: Promise<void>[] = [];
  readonly #open = new Set<Connection>();
  readonly #stack = new DisposableStack();

  /** Disposes of something when the crowd is ended. */
  use<T extends Disposable>(thing: T): T {
    return this.#stack.use(thing);
  }

  /** Keeps so many connections. Resolves when each of them was opened once, or refused. */
  async keep(count: number, open: (number: number) => Promise<Connection>): Promise<void> {
    let next = 0;
    await Promise.all(Array.from({ length: OPENING_MAX }, async () => {
      while (next < count && !this.#stopping.signal.aborted) {
        const number = next++;
        const first = await this.#tryOpen(number, open);
        this.#work.push(this.#keepOne(number, first, open));
      }
    }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    for (const connection of this.#open) connection.close();
    await Promise.all(this.#work);
    this.#stack[Symbol.dispose]();
  }

  async #keepOne(
    number: number,
    first: Connection | undefined,
    open: (number: number) => Promise<Connection>,
  ): Promise<void> {
    for (let connection = first; !this.#stopping.signal.aborted; connection = await this.#tryOpen(number, open)) {
      if (connection !== undefined) {
        await untilClosed(connection);
        this.#open.delete(connection);
      }
      await this.#pause();
    }
  }

  async #tryOpen(number: number, open: (number: number) => Promise<Connection>): Promise<Connection | undefined> {
    try {
      const connection = await open(number);
      this.#open.add(connection);
      if (this.#stopping.signal.aborted) connection.close();
      return connection;
    } catch {
      return undefined;
    }
  }

  #pause(): Promise<void> {
    const { signal } = this.#stopping;
    const { promise, resolve } = Promise.withResolvers<void>();
    if (signal.aborted) resolve();
    const timer = setTimeout(resolve, AGAIN_FIRST_MS + Math.random() * (AGAIN_LAST_MS - AGAIN_FIRST_MS));
    signal.addEventListener("abort", () => resolve(), { once: true });
    return promise.finally(() => clearTimeout(timer));
  }
}

async function untilClosed(connection: Connection): Promise<void> {
  try {
    while (await connection.more({ waitMs: 600_000 }) === "more") connection.take(connection.arrived.length);
  } catch {
    // Closed by either side.
  }
  connection.close();
}

/** Begins what one crowd does, until the crowd is ended. */
export type BeginCrowd = (crowd: Crowd, target: CrowdTarget) => Promise<void>;

/**
 * Half-open connections to the peer, more than it has places, and so many to the index, from each
 * address in turn.
 */
export async function halfOpen(
  crowd: Crowd,
  { host, indexPort, peerPort }: CrowdTarget,
  { toIndex, from }: { toIndex: number; from: (number: number) => string },
): Promise<void> {
  await crowd.keep(PEER_HALF_OPEN, (number) => connectFrom(from(number), peerPort, host));
  await crowd.keep(toIndex, (number) => connectFrom(from(number), indexPort, host));
}

/** Connections that prove a key each, perhaps all the same one, from each address in turn. */
export async function proven(
  crowd: Crowd,
  { host, indexPort }: CrowdTarget,
  { count, from, identity }: { count: number; from: (number: number) => string; identity?: Identity },
): Promise<void> {
  await crowd.keep(count, async (number) => {
    const connection = await connectFrom(from(number), indexPort, host);
    await closingIfItFails(connection, async () => {
      await greet(connection, { called: "index", identity: identity ?? await Identity.make() });
    });
    return connection;
  });
}

const OTHER = (): string => "127.0.0.2";

/** What a crowd does, by name. All come from IPv4 addresses other than 127.0.0.1. */
export const CROWDS: Readonly<Record<string, BeginCrowd>> = {
  "more half-open connections than the peer has places, and as many to the index": async (crowd, target) => {
    await halfOpen(crowd, target, { toIndex: PEER_HALF_OPEN, from: OTHER });
  },
  "300 connections that say HELLO and never PROVE": async (crowd, { host, indexPort }) => {
    await crowd.keep(300, async () => {
      const connection = await connectFrom(OTHER(), indexPort, host);
      await closingIfItFails(connection, async () => void await greet(connection));
      return connection;
    });
  },
  "one key with 1,000 connections": async (crowd, target) => {
    await proven(crowd, target, { count: 1_000, from: OTHER, identity: await Identity.make() });
  },
  "800 JOINs to a port that stays silent": async (crowd, { host, indexPort }) => {
    const { port } = crowd.use(Deno.listen({ hostname: OTHER(), port: 0 })).addr;
    await crowd.keep(800, async (number) => {
      const connection = await connectFrom(OTHER(), indexPort, host);
      await closingIfItFails(connection, async () => {
        await greet(connection, { called: "index", identity: await Identity.make() });
        await ask(connection, Join, { name: `silent ${number}`, port, files: 0, plain: true });
      });
      return connection;
    });
  },
  "64 slow HTTP clients of each of 16 addresses": async (crowd, { host, httpPort }) => {
    if (64 * 16 <= HTTP_CONNECTIONS_MAX) throw new Error("There are places for all of them");
    await crowd.keep(64 * 16, async (number) => {
      const connection = await connectFrom(`127.0.1.${number % 16}`, httpPort, host);
      await connection.send(new TextEncoder().encode("GET /peers HTTP/1.1\r\nHo"));
      return connection;
    });
  },
};

async function closingIfItFails(connection: Connection, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (thrown) {
    connection.close();
    throw thrown;
  }
}
