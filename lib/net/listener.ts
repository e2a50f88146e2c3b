/**
 * Accepts connections, through a shortage of descriptors and up to a bound. The only place that calls `Deno.listen`.
 * @module
 */

import { type Address, addressOf, formatAddress } from "../core/address.ts";
import { Failure } from "../core/failure.ts";
import { encodeFailure } from "../protocol/envelope.ts";
import { Connection } from "./connection.ts";

/** Connections that the system may hold for us until we accept them; a roomful of peers arrives at once. */
const BACKLOG_CONNECTIONS = 4096;
/** Pause after `accept` failed for want of descriptors. */
const ACCEPT_PAUSE_MS = 100;

/** A bound on open connections and what to do with each. */
export interface ListenerOptions {
  readonly connectionsMax: number;
  /** Serves one connection until it ends. It is closed afterwards, whatever happened. */
  readonly serve: (connection: Connection) => Promise<void>;
}

/** Every interface. The same for people who write it as IPv4 or as IPv6: both families are listened on. */
const WILDCARDS = ["0.0.0.0", "::"];

/** One address listened on, and the connections accepted there. */
export class Listener implements AsyncDisposable {
  readonly address: Address;
  readonly #sockets: readonly Deno.TcpListener[];
  readonly #options: ListenerOptions;
  readonly #open = new Map<Connection, Promise<void>>();
  readonly #accepting: Promise<void[]>;
  #closed = false;

  private constructor(
    host: string,
    sockets: readonly [Deno.TcpListener, ...Deno.TcpListener[]],
    options: ListenerOptions,
  ) {
    this.#sockets = sockets;
    this.#options = options;
    this.address = { host, port: addressOf(sockets[0].addr).port };
    this.#accepting = Promise.all(sockets.map((socket) => this.#accept(socket)));
  }

  /** Starts listening; port 0 takes any free one. Fails: "unreachable" when the address cannot be had. */
  static listen(address: Address, options: ListenerOptions): Listener {
    try {
      const sockets = WILDCARDS.includes(address.host) ? openWildcard(address.port) : open(address.host, address.port);
      return new Listener(address.host, sockets, options);
    } catch (thrown) {
      const failure = Failure.from(thrown, "unreachable", `Cannot listen on ${formatAddress(address)}`);
      const inUse = thrown instanceof Deno.errors.AddrInUse;
      const hint = inUse ? "another program listens there: choose another port with --port, 0 for any free one" : "";
      throw new Failure(failure.code, failure.message, { cause: thrown, hint });
    }
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#open.size;
  }

  /** Stops accepting; connections that are open go on. */
  stop(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const socket of this.#sockets) socket.close();
  }

  /** Stops accepting and closes every connection at once; resolves when all of them are done. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    for (const connection of this.#open.keys()) connection.close();
    await Promise.all([this.#accepting, ...this.#open.values()]);
  }

  async #accept(socket: Deno.TcpListener): Promise<void> {
    while (!this.#closed) {
      try {
        this.#take(await socket.accept());
      } catch {
        // Out of descriptors, or the caller was gone before we looked: neither is a reason to stop listening.
        if (!this.#closed) await new Promise((resolve) => setTimeout(resolve, ACCEPT_PAUSE_MS));
      }
    }
  }

  #take(conn: Deno.TcpConn): void {
    conn.setNoDelay(true);
    const connection = new Connection(conn, { local: addressOf(conn.localAddr), remote: addressOf(conn.remoteAddr) });
    const full = this.#open.size >= this.#options.connectionsMax;
    const served = (full ? refuse(connection) : this.#options.serve(connection)).catch(() => {}).finally(() => {
      connection.close();
      this.#open.delete(connection);
    });
    this.#open.set(connection, served);
  }
}

async function refuse(connection: Connection): Promise<void> {
  await connection.send(encodeFailure(new Failure("busy", "Too many connections here"), 0));
}

function open(hostname: string, port: number): [Deno.TcpListener] {
  const options: Deno.TcpListenOptions & { tcpBacklog: number } = { hostname, port, tcpBacklog: BACKLOG_CONNECTIONS };
  return [Deno.listen(options)];
}

/** Listens for both families: with one socket where the system lets one take both, else with two, or with IPv4 alone where there is no other. */
function openWildcard(port: number): [Deno.TcpListener, ...Deno.TcpListener[]] {
  let both: Deno.TcpListener;
  try {
    [both] = open("::", port);
  } catch (thrown) {
    if (thrown instanceof Deno.errors.AddrInUse) throw thrown;
    return open("0.0.0.0", port);
  }
  try {
    return [both, ...open("0.0.0.0", addressOf(both.addr).port)];
  } catch (thrown) {
    if (!(thrown instanceof Deno.errors.AddrInUse)) throw thrown;
    return [both];
  }
}
