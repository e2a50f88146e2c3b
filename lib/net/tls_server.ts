/**
 * Accepts encrypted connections over node:tls. The platform's own TLS listener cannot switch off
 * the delay of small writes: a paced upload of 40 MB/s came with 5 MB/s. Called by listener.ts. The
 * calling side is dial.ts.
 * @module
 */

import { createServer, type Server, type Socket } from "node:net";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import { type Address, unmappedHost } from "../core/address.ts";
import { Bell } from "../core/flow/bell.ts";
import { HELLO_WAIT_MS } from "../core/limits.ts";
import type { ByteStream } from "./byte_stream.ts";
import type { ConnectionEnds } from "./connection.ts";
import type { Identity } from "./identity.ts";

/** How much freed memory the program keeps, for the next encrypted write. */
const KEPT_BYTES = 8 * 1024 * 1024;

/** A connection from the moment it is accepted, when nothing but its address is known. */
export interface Arrival {
  readonly host: string;
  /** Closes the connection at once. */
  close(): void;
}

/** What a listener does with the connections that it accepts. */
export interface Reception {
  /** Whether a connection may begin. If not, it is closed. */
  admit(arrival: Arrival): boolean;
  /** Serves a connection that was admitted and is ready for use. */
  serve(arrival: Arrival, stream: ByteStream, ends: ConnectionEnds): void;
  /** Called when an admitted connection has ended before it was ready. */
  lost(arrival: Arrival): void;
}

/** What an encrypted listener needs. */
export interface TlsServerOptions {
  readonly identity: Identity;
  readonly backlog: number;
  readonly reception: Reception;
}

/** An encrypted listener. */
export interface TlsServer {
  readonly address: Address;
  /** Uses another identity from the next connection on. Open connections continue. */
  identify(identity: Identity): void;
  /** Stops accepting. Open connections continue. */
  stop(): void;
}

/**
 * Starts listening on one address. Port 0 takes any free one.
 *
 * @throws The system's error.
 */
export async function listenTls({ host, port }: Address, options: TlsServerOptions): Promise<TlsServer> {
  const { backlog, reception } = options;
  keepFreedMemory();
  let current = secretsOf(options.identity);
  // Not tls.createServer: its timer keeps what a failed handshake used, 19 kB, for as long as a
  // slow handshake may take.
  const server: Server = createServer({ noDelay: true }, (raw: Socket) => {
    const arrival = { host: unmappedHost(raw.remoteAddress ?? ""), close: () => void raw.destroy() };
    // A handshake costs ten times as much as a rejection, so a flood is counted before it.
    if (!reception.admit(arrival)) return void raw.destroy();
    const { secureContext, calledId } = current;
    const socket = new TLSSocket(raw, { isServer: true, secureContext });
    const timer = setTimeout(() => socket.destroy(), HELLO_WAIT_MS);
    const lost = (): void => {
      clearTimeout(timer);
      reception.lost(arrival);
    };
    socket.on("close", lost);
    raw.on("close", lost);
    // A connection that breaks in its handshake only has to be forgotten.
    socket.on("error", () => {});
    raw.on("error", () => {});
    socket.on("secure", () => {
      clearTimeout(timer);
      socket.off("close", lost);
      raw.off("close", lost);
      reception.serve(arrival, new TlsStream(socket, raw), endsOf(socket, calledId));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, backlog }, () => resolve());
  });
  server.on("error", () => {});
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new TypeError("Cannot listen on that");
  return {
    address: { host, port: bound.port },
    identify: (identity) => void (current = secretsOf(identity)),
    stop: () => void server.close(),
  };
}

/**
 * Makes the C library of Linux keep some memory that was freed. The platform copies each encrypted
 * write into new buffers. Otherwise the system may take them back after each write, and has to
 * clear them for the next one. The library keeps twice the size of the largest buffer that it ever
 * had to return. So one such buffer is made and freed here, without touching its memory. Elsewhere
 * this changes nothing.
 */
function keepFreedMemory(): void {
  new ArrayBuffer(KEPT_BYTES / 2).transfer(0);
}

/** The secrets and the id with which the listener speaks TLS. */
function secretsOf({ id, keyPem: key, certificatePem: cert }: Identity): {
  readonly secureContext: SecureContext;
  readonly calledId: string;
} {
  return { secureContext: createSecureContext({ key, cert, minVersion: "TLSv1.3" }), calledId: id };
}

function endsOf(socket: TLSSocket, calledId: string): ConnectionEnds {
  const at = (host: string | undefined, port: number | undefined): Address => {
    return { host: unmappedHost(host ?? ""), port: port ?? 0 };
  };
  return {
    local: at(socket.localAddress, socket.localPort),
    remote: at(socket.remoteAddress, socket.remotePort),
    calledId,
  };
}

/**
 * What is below a socket of node:net. It is not documented. Without it, only the brake is missing.
 */
interface Handle {
  readStart(): void;
  readStop(): void;
}

/**
 * One connection as a stream of bytes. It reads from the network only while somebody reads from it.
 * The platform's TLS socket alone would accept everything that comes, at more than 400 MB a second,
 * whether anybody reads or not.
 */
class TlsStream implements ByteStream {
  readonly #socket: TLSSocket;
  readonly #handle: Partial<Handle> | null | undefined;
  #rest: Uint8Array = new Uint8Array(0);
  #ended = false;
  #error: Error | undefined;
  readonly #news = new Bell();

  constructor(socket: TLSSocket, raw: Socket) {
    this.#socket = socket;
    this.#handle = (raw as { _handle?: Partial<Handle> | null })._handle;
    this.#handle?.readStop?.();
    socket.setNoDelay(true);
    socket.on("readable", () => this.#news.ring());
    socket.on("end", () => (this.#ended = true, this.#news.ring()));
    socket.on("close", () => (this.#ended = true, this.#news.ring()));
    socket.on("error", (error: Error) => (this.#error = error, this.#news.ring()));
  }

  async read(target: Uint8Array): Promise<number | null> {
    while (this.#rest.length === 0) {
      const chunk: Uint8Array | null = this.#socket.read();
      if (chunk !== null) this.#rest = chunk;
      else if (this.#error !== undefined) throw this.#error;
      else if (this.#ended) return null;
      else await this.#arrival();
    }
    const moved = Math.min(target.length, this.#rest.length);
    target.set(this.#rest.subarray(0, moved));
    this.#rest = this.#rest.subarray(moved);
    return moved;
  }

  /** Resolves when something has arrived, or nothing more will. */
  async #arrival(): Promise<void> {
    this.#handle?.readStart?.();
    await this.#news.next;
    this.#handle?.readStop?.();
  }

  write(bytes: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => error ? reject(error) : resolve(bytes.length));
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}
