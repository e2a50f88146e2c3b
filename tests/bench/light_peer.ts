/**
 * Peers for load on an index, some thousand in one process. Each has a connection, a key and an
 * address of its own in 127.0.0.0/8, so that what an index bounds for each address is bounded as on
 * a campus; one listener answers all dial-backs, and tells by the address that was dialled which
 * peer is meant. Called by index_load.ts.
 * @module
 */

import { addressOf } from "../../lib/core/address.ts";
import { BATCH_FILES_MAX, PING_EVERY_MS } from "../../lib/core/limits.ts";
import { answerRequests, routes } from "../../lib/net/answerer.ts";
import { Caller, greet } from "../../lib/net/caller.ts";
import { Connection } from "../../lib/net/connection.ts";
import { Identity, SEED_BYTES } from "../../lib/net/identity.ts";
import { batches } from "../../lib/protocol/batch.ts";
import { Join, Ping, Reached, Update } from "../../lib/protocol/presence.ts";
import { connectFrom } from "../support/connect_from.ts";
import { loadFiles } from "./load_names.ts";

/** Addresses from here on: 127.1.0.0. */
const FIRST_HOST = 1 << 16;

/** Answers an index that dials back any peer of this process. */
export class DialBacks {
  readonly port: number;
  readonly #names = new Map<string, string>();

  constructor() {
    // A roomful is dialled back at once.
    const options: Deno.TcpListenOptions & { tcpBacklog: number } = { hostname: "0.0.0.0", port: 0, tcpBacklog: 4096 };
    const listener = Deno.listen(options);
    this.port = addressOf(listener.addr).port;
    void this.#serve(listener);
  }

  /** Answers for a peer at its address. */
  expect(host: string, name: string): void {
    this.#names.set(host, name);
  }

  async #serve(listener: Deno.Listener): Promise<void> {
    for await (const conn of listener) {
      const local = addressOf(conn.localAddr);
      const name = (): string => this.#names.get(local.host) ?? "";
      const connection = new Connection(conn, { local, remote: addressOf(conn.remoteAddr) });
      void answerRequests(connection, routes(), undefined, { name, idleMs: 5_000 });
    }
  }
}

/** One peer that joins, lists its files and stays. */
export class LightPeer {
  readonly name: string;
  readonly #number: number;
  readonly #host: string;
  #identity: Identity | undefined;

  /** `number` tells it from all others, in whatever process. */
  constructor(number: number) {
    this.#number = number;
    this.name = `light ${number}`;
    const at = FIRST_HOST + number;
    this.#host = `127.${(at >> 16) & 255}.${(at >> 8) & 255}.${at & 255}`;
  }

  /** Makes its key, which takes a while and is no part of joining. */
  async prepare(): Promise<void> {
    const seed = new Uint8Array(SEED_BYTES);
    new DataView(seed.buffer).setUint32(0, this.#number + 1);
    this.#identity ??= await Identity.fromSeed(seed);
  }

  /** Connects, proves its identity, and joins. */
  async join(port: number, dialBacks: DialBacks, files: number): Promise<JoinedPeer> {
    await this.prepare();
    dialBacks.expect(this.#host, this.name);
    const connection = await connectFrom(this.#host, port);
    try {
      await greet(connection, this.#identity === undefined ? {} : { called: "index", identity: this.#identity });
      const caller = new Caller(connection);
      const reached = Promise.withResolvers<boolean>();
      const hear = (event: string, data: unknown): void => {
        if (event === Reached.event) reached.resolve(Reached.data.check(data, event).reachable);
      };
      const ended = caller.run(hear, { waitMs: 600_000 });
      await caller.call(Join, { name: this.name, port: dialBacks.port, files, plain: true });
      if (!await Promise.race([reached.promise, ended.then(() => false)])) {
        throw new Error(`${this.name} was not dialled back`);
      }
      return { caller, ended };
    } catch (thrown) {
      connection.close();
      throw thrown;
    }
  }

  /** Lists its files. */
  async list({ caller }: JoinedPeer, files: number): Promise<void> {
    for (const add of batches(loadFiles(this.#number, files), BATCH_FILES_MAX)) {
      await caller.call(Update, { add, remove: [] });
    }
  }

  /** Says that it is there, as peers do, until the connection ends. */
  async stay({ caller, ended }: JoinedPeer): Promise<void> {
    // Not all at the same time.
    const first = setTimeout(() => ping(), Math.random() * PING_EVERY_MS);
    let timer = first;
    const ping = (): void => {
      caller.call(Ping, {}).catch(() => {});
      timer = setTimeout(ping, PING_EVERY_MS);
    };
    await ended;
    clearTimeout(timer);
  }
}

/** A peer's session with the index. */
export interface JoinedPeer {
  readonly caller: Caller;
  /** Resolves when the connection has ended. */
  readonly ended: Promise<unknown>;
}
