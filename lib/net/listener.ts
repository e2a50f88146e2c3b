/**
 * Accepts connections, through a shortage of descriptors and up to a bound. The only place that calls `Deno.listen`.
 * @module
 */

import { type Address, addressOf, formatAddress } from "../core/address.ts";
import { systemClock } from "../core/clock.ts";
import { Failure } from "../core/failure.ts";
import { REFUSAL_EVERY_MS, STRANGERS_PER_ADDRESS_MAX } from "../core/limits.ts";
import { formatCount } from "../core/quantity.ts";
import { encodeFailure } from "../protocol/envelope.ts";
import type { ByteStream } from "./byte_stream.ts";
import { Connection, type ConnectionEnds } from "./connection.ts";
import type { Identity } from "./identity.ts";
import { listenTls } from "./tls_server.ts";

/** Connections that the system may hold for us until we accept them; a roomful of peers arrives at once. */
const BACKLOG_CONNECTIONS = 4096;
/** Encrypted connections in the middle of their handshake, beside those that are served. */
const HANDSHAKES_MAX = 512;
/** In a flood of connections: how many are refused before those who are here have a turn, and how long that is. */
const FLOOD_TURN = 8;
const FLOOD_PAUSE_MS = 6;
/** Pause after `accept` failed for want of descriptors. */
const ACCEPT_PAUSE_MS = 100;

/** A bound on open connections and what to do with each. */
export interface ListenerOptions {
  readonly connectionsMax: number;
  /** What those can do who come when all places are taken. */
  readonly fullHint?: string;
  /** What one too many is told; a failure of our own protocol, if not said. */
  readonly refusal?: Uint8Array;
  /** With whose key connections are encrypted; without, they are plain. */
  readonly identity?: Identity;
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
  /** How many connections of an address have not proven who they are. */
  readonly #strangers = new Map<string, number>();
  #acceptors: readonly Acceptor[] = [];
  #address: Address;
  #closed = false;
  #refusedMs = -Infinity;
  /** So far; the bytes are those of connections that have ended. */
  readonly #total = { accepted: 0, refused: 0, bytesRead: 0, bytesWritten: 0 };

  private constructor(address: Address, options: ListenerOptions) {
    this.#address = address;
    this.#options = options;
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
    const { identity, connectionsMax } = this.#options;
    const take = (stream: ByteStream, ends: ConnectionEnds): boolean => this.#take(stream, ends);
    if (identity === undefined) return acceptPlain(address, take);
    // Some more than are served, so that there is somebody to tell that there are too many.
    const bounds = { connectionsMax: connectionsMax + HANDSHAKES_MAX, backlog: BACKLOG_CONNECTIONS };
    return await listenTls(address, { identity, ...bounds, onConnection: take });
  }

  /** Serves a connection, or refuses it. Shape: whether it was refused without a word. */
  #take(stream: ByteStream, ends: ConnectionEnds): boolean {
    const { host } = ends.remote;
    const strangers = this.#strangers.get(host) ?? 0;
    const refusal = this.#refusal(strangers);
    if (refusal === undefined) this.#total.accepted += 1;
    else this.#total.refused += 1;
    if (refusal !== undefined && systemClock.now() - this.#refusedMs < REFUSAL_EVERY_MS) {
      stream.close();
      return true;
    }
    if (refusal !== undefined) this.#refusedMs = systemClock.now();
    const connection = new Connection(stream, ends);
    this.#strangers.set(host, strangers + 1);
    connection.onKnown = () => this.#forgetStranger(host);
    const served = (refusal === undefined ? this.#options.serve(connection) : connection.send(refusal)).catch(
      () => {},
    ).finally(() => {
      connection.close();
      connection.known();
      this.#open.delete(connection);
      this.#total.bytesRead += connection.bytesRead;
      this.#total.bytesWritten += connection.bytesWritten;
    });
    this.#open.set(connection, served);
    if (this.#closed) connection.close();
    return false;
  }

  /** What one more connection, from an address with so many strangers, is told if it is not served. */
  #refusal(strangers: number): Uint8Array | undefined {
    const { connectionsMax, fullHint, refusal } = this.#options;
    const isFull = this.#open.size >= connectionsMax;
    if (!isFull && strangers < STRANGERS_PER_ADDRESS_MAX) return undefined;
    if (refusal !== undefined) return refusal;
    const why = isFull
      ? `all ${formatCount(connectionsMax, "place")} here are taken`
      : "too many connections of your address have not said who they are";
    const hint = isFull && fullHint !== undefined ? { hint: fullHint } : {};
    return encodeFailure(new Failure("busy", `Cannot serve you: ${why}`, hint), 0);
  }

  #forgetStranger(host: string): void {
    const left = (this.#strangers.get(host) ?? 1) - 1;
    if (left > 0) this.#strangers.set(host, left);
    else this.#strangers.delete(host);
  }
}

/** Accepts without encryption. */
function acceptPlain({ host, port }: Address, take: (stream: ByteStream, ends: ConnectionEnds) => boolean): Acceptor {
  const options: Deno.TcpListenOptions & { tcpBacklog: number } = {
    hostname: host,
    port,
    tcpBacklog: BACKLOG_CONNECTIONS,
  };
  const listener = Deno.listen(options);
  let stopped = false;
  const accept = async (): Promise<void> => {
    for (let refused = 0; !stopped;) {
      try {
        const conn = await listener.accept();
        conn.setNoDelay(true);
        refused += take(conn, { local: addressOf(conn.localAddr), remote: addressOf(conn.remoteAddr) }) ? 1 : 0;
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

function isInUse(thrown: unknown): boolean {
  return thrown instanceof Deno.errors.AddrInUse ||
    (thrown instanceof Error && /EADDRINUSE|AddrInUse/.test(thrown.message));
}
