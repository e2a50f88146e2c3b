/**
 * Accepts connections, through a shortage of descriptors and up to a bound. The only place that calls `Deno.listen`.
 * @module
 */

import { type Address, addressOf, formatAddress } from "../core/address.ts";
import { systemClock } from "../core/flow/clock.ts";
import { Failure } from "../core/failure.ts";
import { REFUSAL_EVERY_MS, STRANGER_GRACE_MS, STRANGERS_MAX } from "../core/limits.ts";
import { Places } from "../core/flow/places.ts";
import { formatCount } from "../core/quantity.ts";
import { encodeFailure } from "../protocol/envelope.ts";
import { Connection } from "./connection.ts";
import type { Identity } from "./identity.ts";
import { type Arrival, listenTls, type Reception } from "./tls_server.ts";

/** Connections that the system may hold for us until we accept them; a roomful of peers arrives at once. */
const BACKLOG_CONNECTIONS = 4096;
/** In a flood of connections: how many are refused before those who are here have a turn, and how long that is. */
const FLOOD_TURN = 8;
const FLOOD_PAUSE_MS = 6;
/** Pause after `accept` failed for want of descriptors. */
const ACCEPT_PAUSE_MS = 100;

/** Bounds on open connections and what to do with each. */
export interface ListenerOptions {
  /** Connections at once whose callers have proven who they are. When all are taken, the key and the address with most of them give way. */
  readonly connectionsMax: number;
  /** Connections at once whose callers have not. When all are taken, the oldest of the address with most of them gives way. */
  readonly strangersMax?: number;
  /** What a caller can do that comes when all places are taken. */
  readonly fullHint?: string | undefined;
  /** What a stranger is sent that is refused. Default: a failure of our own protocol. */
  readonly refusal?: Uint8Array;
  /** With whose key connections are encrypted; without, they are plain. */
  readonly identity?: Identity | undefined;
  /** Serves one connection until it ends. It is closed afterwards, whatever happened. */
  readonly serve: (connection: Connection) => Promise<void>;
}

/** What went over the connections of a listener, those that have ended included. */
export interface Traffic {
  /** Connections that are open. */
  readonly open: number;
  /** Connections that were served so far, and those that were too many. */
  readonly accepted: number;
  readonly refused: number;
  /** Bytes before encryption. */
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

/** Every interface. The same for people who write it as IPv4 or as IPv6: both families are listened on. */
const WILDCARDS = ["0.0.0.0", "::"];

/** What accepts connections at one address. */
interface Acceptor {
  readonly address: Address;
  /** With encryption: speaks as somebody else from the next connection on. */
  identify?(identity: Identity): void;
  /** Stops accepting. */
  stop(): void;
}

/** One address listened on, and the connections accepted there. */
export class Listener implements AsyncDisposable {
  readonly #options: ListenerOptions;
  readonly #open = new Map<Connection, Promise<void>>();
  readonly #strangers: Places<Arrival>;
  readonly #known: Places<Connection>;
  /** The connections of strangers, once they are ready for use. */
  readonly #connections = new WeakMap<Arrival, Connection>();
  #acceptors: readonly Acceptor[] = [];
  #address: Address;
  #closed = false;
  #refusedMs = -Infinity;
  /** So far; the bytes are those of connections that have ended. */
  readonly #total = { accepted: 0, refused: 0, bytesRead: 0, bytesWritten: 0 };

  private constructor(address: Address, options: ListenerOptions) {
    this.#address = address;
    this.#options = options;
    const { connectionsMax, strangersMax = STRANGERS_MAX } = options;
    this.#strangers = new Places({ total: strangersMax, first: "oldest", graceMs: STRANGER_GRACE_MS });
    this.#known = new Places({ total: connectionsMax, first: "newest" });
  }

  /** Starts listening; port 0 takes any free one. Fails: "unreachable" when the address cannot be had. */
  static async listen(address: Address, options: ListenerOptions): Promise<Listener> {
    const listener = new Listener(address, options);
    try {
      listener.#acceptors = await listener.#accept(address);
    } catch (thrown) {
      const failure = Failure.from(thrown, "unreachable", `Cannot listen on ${formatAddress(address)}`);
      const hint = isInUse(thrown)
        ? "another program listens there: choose another port with --port, 0 for any free one"
        : "";
      throw new Failure(failure.code, failure.message, { cause: thrown, hint });
    }
    listener.#address = { host: address.host, port: listener.#acceptors[0]?.address.port ?? address.port };
    return listener;
  }

  /** Where it listens. */
  get address(): Address {
    return this.#address;
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#open.size;
  }

  /** Encrypts with another key from the next connection on; those that are open go on. It has to be a listener that encrypts. */
  identify(identity: Identity): void {
    if (this.#options.identity === undefined) throw new TypeError("Cannot encrypt: this listener is plain");
    for (const acceptor of this.#acceptors) acceptor.identify?.(identity);
  }

  /** What went over its connections. */
  get traffic(): Traffic {
    let { bytesRead, bytesWritten } = this.#total;
    for (const connection of this.#open.keys()) {
      bytesRead += connection.bytesRead;
      bytesWritten += connection.bytesWritten;
    }
    return { ...this.#total, open: this.#open.size, bytesRead, bytesWritten };
  }

  /** Stops accepting; connections that are open go on. */
  stop(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const acceptor of this.#acceptors) acceptor.stop();
  }

  /** Stops accepting and closes every connection at once; resolves when all of them are done. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    for (const connection of this.#open.keys()) connection.close();
    await Promise.all(this.#open.values());
  }

  /** Accepts at one address; for every interface at both families, with one socket where the system lets one take both, else with two. */
  async #accept({ host, port }: Address): Promise<Acceptor[]> {
    if (!WILDCARDS.includes(host)) return [await this.#acceptAt({ host, port })];
    let both: Acceptor;
    try {
      both = await this.#acceptAt({ host: "::", port });
    } catch (thrown) {
      // There may be no other family.
      if (isInUse(thrown)) throw thrown;
      return [await this.#acceptAt({ host: "0.0.0.0", port })];
    }
    try {
      return [both, await this.#acceptAt({ host: "0.0.0.0", port: both.address.port })];
    } catch (thrown) {
      if (!isInUse(thrown)) throw thrown;
      return [both];
    }
  }

  async #acceptAt(address: Address): Promise<Acceptor> {
    const { identity } = this.#options;
    const reception: Reception = {
      admit: (arrival) => this.#admit(arrival),
      serve: (arrival, stream, ends) => this.#serve(arrival, new Connection(stream, ends)),
      lost: (arrival) => this.#strangers.leave(arrival),
    };
    if (identity === undefined) return acceptPlain(address, reception, this.#refusal());
    return await listenTls(address, { identity, backlog: BACKLOG_CONNECTIONS, reception });
  }

  /** Gives a connection that was accepted one of the places of strangers, if there is one. */
  #admit(arrival: Arrival): boolean {
    const entered = this.#closed
      ? { given: false as const }
      : this.#strangers.enter(arrival, { host: arrival.host }, systemClock.now());
    if (!entered.given) {
      this.#total.refused += 1;
      return false;
    }
    this.#total.accepted += 1;
    const { displaced } = entered;
    if (displaced !== undefined) {
      const connection = this.#connections.get(displaced);
      if (connection === undefined) displaced.close();
      else connection.close(displacedBy("another caller that has not proven who it is"));
    }
    return true;
  }

  #serve(arrival: Arrival, connection: Connection): void {
    this.#connections.set(arrival, connection);
    connection.onKnown = (id) => this.#prove(arrival, connection, id);
    const served = this.#options.serve(connection).catch(() => {}).finally(() => {
      connection.close();
      this.#strangers.leave(arrival);
      this.#known.leave(connection);
      this.#open.delete(connection);
      this.#total.bytesRead += connection.bytesRead;
      this.#total.bytesWritten += connection.bytesWritten;
    });
    this.#open.set(connection, served);
    if (this.#closed || !this.#strangers.has(arrival)) connection.close();
  }

  /** Gives a caller that has proven its key a place of its own. Fails: "busy" when there is none. */
  #prove(arrival: Arrival, connection: Connection, key: string): void {
    const { connectionsMax, fullHint: hint } = this.#options;
    const entered = this.#known.enter(connection, { host: connection.remote.host, key }, systemClock.now());
    if (!entered.given) {
      this.#total.refused += 1;
      const why = `all ${formatCount(connectionsMax, "place")} here are taken`;
      throw new Failure("busy", `Cannot serve you: ${why}`, hint === undefined ? {} : { hint });
    }
    this.#strangers.leave(arrival);
    entered.displaced?.close(displacedBy("a caller with fewer connections"));
  }

  /** What a stranger is sent for which there is no place. */
  #refusal(): Uint8Array {
    const why = "too many connections have not proven who they are";
    return this.#options.refusal ?? encodeFailure(new Failure("busy", `Cannot serve you: ${why}`), 0);
  }
}

function displacedBy(whom: string): Failure {
  return new Failure("busy", `The connection had to make room for ${whom}`);
}

/** Accepts without encryption. */
function acceptPlain({ host, port }: Address, reception: Reception, refusal: Uint8Array): Acceptor {
  const options: Deno.TcpListenOptions & { tcpBacklog: number } = {
    hostname: host,
    port,
    tcpBacklog: BACKLOG_CONNECTIONS,
  };
  const listener = Deno.listen(options);
  let stopped = false;
  let refusedMs = -Infinity;
  const accept = async (): Promise<void> => {
    for (let refused = 0; !stopped;) {
      try {
        const conn = await listener.accept();
        const ends = { local: addressOf(conn.localAddr), remote: addressOf(conn.remoteAddr) };
        const arrival = { host: ends.remote.host, close: () => closeConn(conn) };
        if (reception.admit(arrival)) {
          conn.setNoDelay(true);
          reception.serve(arrival, conn, ends);
          continue;
        }
        const nowMs = systemClock.now();
        if (nowMs - refusedMs >= REFUSAL_EVERY_MS) {
          refusedMs = nowMs;
          const connection = new Connection(conn, ends);
          connection.send(refusal).catch(() => {}).finally(() => connection.close());
          continue;
        }
        closeConn(conn);
        refused += 1;
        // In a flood the others wait in the system's line, so that those who are here are served meanwhile.
        if (refused === FLOOD_TURN) {
          refused = 0;
          await new Promise((resolve) => setTimeout(resolve, FLOOD_PAUSE_MS));
        }
      } catch {
        // Out of descriptors, or the caller was gone before we looked: neither is a reason to stop listening.
        if (!stopped) await new Promise((resolve) => setTimeout(resolve, ACCEPT_PAUSE_MS));
      }
    }
  };
  void accept();
  return {
    address: addressOf(listener.addr),
    stop() {
      stopped = true;
      listener.close();
    },
  };
}

function closeConn(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch (thrown) {
    if (!(thrown instanceof Deno.errors.BadResource)) throw thrown;
  }
}

function isInUse(thrown: unknown): boolean {
  return thrown instanceof Deno.errors.AddrInUse ||
    (thrown instanceof Error && /EADDRINUSE|AddrInUse/.test(thrown.message));
}
