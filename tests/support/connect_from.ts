/**
 * Connects from a chosen address of this machine, which Deno's own `connect` cannot choose: for
 * many callers of many addresses on one machine.
 * @module
 */

import { connect as connectSocket, type Socket } from "node:net";
import type { ByteStream } from "../../lib/net/byte_stream.ts";
import { Connection } from "../../lib/net/connection.ts";

/**
 * Connects to a port of this machine from one address of this machine, which Deno's own `connect`
 * cannot choose.
 */
export async function connectFrom(host: string, port: number, to = "127.0.0.1"): Promise<Connection> {
  const socket = connectSocket({ host: to, port, localAddress: host, noDelay: true });
  const stream = new SocketStream(socket);
  await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  return new Connection(stream, { local: { host, port: socket.localPort ?? 0 }, remote: { host: to, port } });
}

/** A socket of node:net as a stream of bytes. */
class SocketStream implements ByteStream {
  readonly #socket: Socket;
  readonly #chunks: Uint8Array[] = [];
  #ended = false;
  #news: () => void = () => {};

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Uint8Array) => (this.#chunks.push(chunk), this.#news()));
    socket.on("error", () => {});
    socket.on("close", () => (this.#ended = true, this.#news()));
    socket.on("end", () => (this.#ended = true, this.#news()));
  }

  async read(target: Uint8Array): Promise<number | null> {
    while (this.#chunks.length === 0 && !this.#ended) await new Promise<void>((resolve) => this.#news = resolve);
    const chunk = this.#chunks[0];
    if (chunk === undefined) return null;
    const moved = Math.min(target.length, chunk.length);
    target.set(chunk.subarray(0, moved));
    if (moved === chunk.length) this.#chunks.shift();
    else this.#chunks[0] = chunk.subarray(moved);
    return moved;
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
