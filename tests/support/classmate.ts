/**
 * Classmates' own programs, as two classes wrote them: one request a connection, no line feed,
 * reads of 1,024 bytes. They know nothing of ours.
 * @module
 */

import { DIALECT_ANSWERS } from "../../lib/protocol/dialect_requests.ts";

const READ_BYTES = 1024;
const { found, refused, notFound } = DIALECT_ANSWERS;
/** What a peer of classroom B answers a download with. */
const WORDS = new RegExp(`^(${[found, refused, notFound].join("|")})`);

/**
 * Sends bytes as they are and reads once, as `sock.recv(1024)` does.
 *
 * @returns What came, or undefined when the other side just closed.
 */
export async function sayOnce(port: number, text: string | Uint8Array): Promise<string | undefined> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await writeAll(conn, text);
  return await readOnce(conn);
}

/** One request of classroom A. */
export function askJson(port: number, method: string, data: unknown): Promise<string | undefined> {
  return sayOnce(port, JSON.stringify({ method, data }));
}

/** Reads once. */
export async function readOnce(conn: Deno.Conn): Promise<string | undefined> {
  const buffer = new Uint8Array(READ_BYTES);
  const read = await conn.read(buffer);
  return read === null ? undefined : new TextDecoder().decode(buffer.subarray(0, read));
}

/** Writes all of it. */
export async function writeAll(conn: Deno.Conn, text: string | Uint8Array): Promise<void> {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  for (let done = 0; done < bytes.length;) done += await conn.write(bytes.subarray(done));
}

/** What a classmate's download gave: the first packet, and the bytes after it. */
export interface Received {
  readonly header: string | undefined;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Asks, and reads the first packet. Where this process was held up, that holds bytes of the file,
 * too: the header ends where the pattern does.
 */
async function ask(port: number, text: string, pattern: RegExp): Promise<{ conn: Deno.Conn } & Received> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await writeAll(conn, text);
  const buffer = new Uint8Array(READ_BYTES);
  const count = await conn.read(buffer);
  if (count === null) return { conn, header: undefined, bytes: new Uint8Array(0) };
  const packet = buffer.subarray(0, count);
  const first = new TextDecoder().decode(packet);
  const header = pattern.exec(first)?.[0] ?? first;
  return { conn, header, bytes: packet.subarray(new TextEncoder().encode(header).length) };
}

/** Downloads as classroom A does: a packet of JSON, and then exactly `file_size` bytes. */
export async function downloadJson(port: number, name: string, method = "DOWNLOAD"): Promise<Received> {
  const { conn, header, bytes } = await ask(port, JSON.stringify({ method, data: { filename: name } }), /^\{[^}]*\}/);
  using _closed = conn;
  const { file_size: size = 0, data } = JSON.parse(header ?? "{}");
  return { header, bytes: await read(conn, bytes, data === "SIM" ? size : 0) };
}

/** Downloads as classroom B does: a packet of words, and then bytes until the other side closes. */
export async function downloadWords(port: number, name: string): Promise<Received> {
  const { conn, header, bytes } = await ask(port, `DOWNLOAD ${name}`, WORDS);
  using _closed = conn;
  return { header, bytes: await read(conn, bytes, Infinity) };
}

async function read(
  conn: Deno.Conn,
  begun: Uint8Array<ArrayBuffer>,
  bytesMax: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts = [begun];
  for (let done = begun.length; done < bytesMax;) {
    const buffer = new Uint8Array(Math.min(READ_BYTES, bytesMax - done));
    const count = await conn.read(buffer);
    if (count === null) break;
    parts.push(buffer.subarray(0, count));
    done += count;
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/**
 * A classmate's own program that serves: whatever is asked, it answers with these bytes, as packets
 * of their own, and closes.
 */
export class ClassmateServer implements AsyncDisposable {
  readonly asked: string[] = [];
  readonly #listener: Deno.TcpListener;
  readonly #accepting: Promise<void>;

  constructor(...packets: (string | Uint8Array)[]) {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#accepting = this.#accept(packets);
  }

  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#accepting;
  }

  async #accept(packets: readonly (string | Uint8Array)[]): Promise<void> {
    try {
      for await (const conn of this.#listener) await this.#answer(conn, packets);
    } catch (thrown) {
      if (!(thrown instanceof Deno.errors.BadResource)) throw thrown;
    }
  }

  async #answer(conn: Deno.TcpConn, packets: readonly (string | Uint8Array)[]): Promise<void> {
    conn.setNoDelay(true);
    try {
      this.asked.push(await readOnce(conn) ?? "");
      for (const packet of packets) await writeAll(conn, packet);
      await conn.closeWrite();
      await readOnce(conn);
    } catch {
      // The client did not want the rest.
    }
    conn.close();
  }
}
