/**
 * Accepts connections up to a bound, and continues when the system runs out of descriptors. The
 * only place that calls `Deno.listen`.
 * @module
 */

import { type Address, addressOf, formatAddress } from "../core/address.ts";
import { systemClock } from "../core/flow/clock.ts";
import { Failure } from "../core/failure.ts";
import { BACKLOG_CONNECTIONS_MAX, REFUSAL_EVERY_MS, STRANGER_GRACE_MS, STRANGERS_MAX } from "../core/limits.ts";
import { Places } from "../core/flow/places.ts";
import { formatCount } from "../core/quantity.ts";
import { encodeFailure } from "../protocol/envelope.ts";
import { Connection } from "./connection.ts";
import type { Identity } from "./identity.ts";
import { type Arrival, listenTls, type Reception } from "./tls_server.ts";

/**
 * In a flood of connections: how many are rejected before the open connections get a turn, and how
 * long that turn is.
 */
const FLOOD_TURN = 8;
const FLOOD_PAUSE_MS = 6;
/** The pause after `accept` failed because there were no descriptors. */
const ACCEPT_PAUSE_MS = 100;

/** Bounds on open connections, and what to do with each. */
export interface ListenerOptions {
  /**
   * How many connections with a proven key may be open. When all places are taken, the key and the
   * address with most of them give one up.
   */
  readonly connectionsMax: number;
  /**
   * How many connections without a proven key may be open. When all places are taken, the address
   * with most of them loses its oldest one.
   */
  readonly strangersMax?: number | undefined;
  /** What a caller can do when all places are taken. */
  readonly fullHint?: string | undefined;
  /** What a rejected stranger is sent. Default: a failure in our own protocol. */
  readonly refusal?: Uint8Array | undefined;
  /** The key with which connections are encrypted. Without it, they are plain. */
  readonly identity?: Identity | undefined;
  /** Serves one connection until it ends. The listener closes the connection afterwards. */
  readonly serve: (connection: Connection) => Promise<void>;
  /**
   * Called with what `serve` throws, unless it is a failure of the connection. Default: the error
   * ends the program.
   */
  readonly onBug?: ((thrown: unknown) => void) | undefined;
}

/** The traffic of a listener, with the connections that have ended. */
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

/** Every interface. It means the same in IPv4 and in IPv6: the listener uses both families. */
const WILDCARDS = ["0.0.0.0", "::"];

/** What accepts connections at one address. */
interface Acceptor {
  readonly address: Address;
  /** With encryption: uses another identity from the next connection on. */
  identify?(identity: Identity): void;
  /** Stops accepting. */
  stop(): void;
}

/** An address with a listener, and the connections accepted there. */
export class Listener implements AsyncDisposable {
  readonly #options: ListenerOptions;
  readonly #open = new Map<Connection, Promise<void>>();
  readonly #strangers: Places<Arrival>;
  readonly #known: Places<Connection>;
  /** The connections of strangers that are ready for use. */
  readonly #connections = new WeakMap<Arrival, Connection>();
  #acceptors: readonly Acceptor[] = [];
  #address: Address;
  #closed = false;
  #refusedMs = -Infinity;
  /** Totals so far. The bytes are those of connections that have ended. */
  readonly #total = { accepted: 0, refused: 0, bytesRead: 0, bytesWritten: 0 };

  private constructor(address: Address, options: ListenerOptions) {
    this.#address = address;
    this.#options = options;
    const { connectionsMax, strangersMax = STRANGERS_MAX } = options;
    this.#strangers = new Places({ total: strangersMax, first: "oldest", graceMs: STRANGER_GRACE_MS });
    this.#known = new Places({ total: connectionsMax, first: "newest" });
  }

  /**
   * Starts listening. Port 0 takes any free one.
   *
   * @throws {Failure} "unreachable" when the address is not available.
   */
  static async listen(address: Address, options: ListenerOptions): Promise<Listener> {
    const listener = new Listener(address, options);
    try {
      listener.#acceptors = await listener.#accept(address);
    } catch (thrown) {
      const failure = Failure.from(thrown, "unreachable", `Cannot listen on ${formatAddress(address)}`);
      const hint = isInUse(thrown)
        ? "another program listens there: choose another port with --port, 0 for any free one"
        : "";
      throw failure.with({ hint });
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

  /**
   * Encrypts with another key from the next connection on. Open connections continue. Only for a
   * listener that encrypts.
   */
  identify(identity: Identity): void {
    if (this.#options.identity === undefined) throw new TypeError("Cannot encrypt: this listener is plain");
    for (const acceptor of this.#acceptors) acceptor.identify?.(identity);
  }

  /** The traffic of all its connections. */
  get traffic(): Traffic {
    let { bytesRead, bytesWritten } = this.#total;
    for (const connection of this.#open.keys()) {
      bytesRead += connection.bytesRead;
      bytesWritten += connection.bytesWritten;
    }
    return { ...this.#total, open: this.#open.size, bytesRead, bytesWritten };
  }

  /** Stops accepting. Open connections continue. */
  stop(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const acceptor of this.#acceptors) acceptor.stop();
  }

  /** Stops accepting and closes every connection at once. Resolves when all of them are done. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    for (const connection of this.#open.keys()) connection.close();
    await Promise.all(this.#open.values());
  }

  /**
   * Accepts at one address. For every interface, it accepts in both families: with one socket where
   * the system allows that, else with two.
   */
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
    return await listenTls(address, { identity, backlog: BACKLOG_CONNECTIONS_MAX, reception });
  }

  /** Gives an accepted connection one of the strangers' places, if there is one. */
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
      else connection.close(displacedBy("another caller without a proven identity"));
    }
    return true;
  }

  #serve(arrival: Arrival, connection: Connection): void {
    this.#connections.set(arrival, connection);
    connection.onKnown = (id) => this.#prove(arrival, connection, id);
    const served = this.#options.serve(connection).catch((thrown) => this.#noteBug(thrown)).finally(() => {
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

  #noteBug(thrown: unknown): void {
    if (thrown instanceof Failure) return;
    const { onBug } = this.#options;
    if (onBug === undefined) throw thrown;
    onBug(thrown);
  }

  /**
   * Gives a caller that has proven its key a place of its own.
   *
   * @throws {Failure} "busy" when there is none.
   */
  #prove(arrival: Arrival, connection: Connection, key: string): void {
    const { connectionsMax, fullHint: hint } = this.#options;
    const entered = this.#known.enter(connection, { host: connection.remote.host, key }, systemClock.now());
    if (!entered.given) {
      this.#total.refused += 1;
      const why = `all ${formatCount(connectionsMax, "place")} here are taken`;
      throw new Failure("busy", `Cannot serve you: ${why}`, { hint });
    }
    this.#strangers.leave(arrival);
    entered.displaced?.close(displacedBy("a caller with fewer connections"));
  }

  /** What a stranger is sent when there is no place for it. */
  #refusal(): Uint8Array {
    const why = "too many connections have no proven identity";
    return this.#options.refusal ?? encodeFailure(new Failure("busy", `Cannot serve you: ${why}`), 0);
  }
}

function displacedBy(caller: string): Failure {
  return new Failure("busy", `The connection had to make room for ${caller}`);
}

/** Accepts without encryption. */
function acceptPlain({ host, port }: Address, reception: Reception, refusal: Uint8Array): Acceptor {
  const options: Deno.TcpListenOptions & { tcpBacklog: number } = {
    hostname: host,
    port,
    tcpBacklog: BACKLOG_CONNECTIONS_MAX,
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
        // In a flood, the others wait in the system's queue while the open connections are served.
        if (refused === FLOOD_TURN) {
          refused = 0;
          await new Promise((resolve) => setTimeout(resolve, FLOOD_PAUSE_MS));
        }
      } catch {
        // There are no descriptors, or the caller had gone: neither is a reason to stop listening.
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
