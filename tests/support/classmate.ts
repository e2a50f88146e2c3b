/**
 * Classmates' own programs, as two classes wrote them: one request a connection, no line feed, reads of 1,024 bytes. They know nothing of ours.
 * @module
 */

const READ_BYTES = 1024;

/** Sends bytes as they are and reads once, as `sock.recv(1024)` does. Shape: what came, or undefined when the other side just closed. */
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
  readonly bytes: Uint8Array;
}

/** How long this process may have been held up while it waited for a first packet. */
const HELD_UP_MS_MAX = 50;

/**
 * Asks, and reads the first packet. The header is told from what follows by a pause alone, so where this process was held up and could not read in
 * between, it asks again.
 */
async function ask(port: number, text: string): Promise<{ conn: Deno.Conn; header: string | undefined }> {
  for (let triesLeft = 20;; triesLeft--) {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    let lookedMs = performance.now();
    let heldUpMs = 0;
    const look = (): void => {
      heldUpMs = Math.max(heldUpMs, performance.now() - lookedMs);
      lookedMs = performance.now();
    };
    const looking = setInterval(look, 10);
    await writeAll(conn, text);
    const header = await readOnce(conn);
    look();
    clearInterval(looking);
    if (heldUpMs < HELD_UP_MS_MAX || triesLeft === 0) return { conn, header };
    conn.close();
  }
}

/** Downloads as classroom A does: a packet of JSON, and then exactly `file_size` bytes. */
export async function downloadJson(port: number, name: string, method = "DOWNLOAD"): Promise<Received> {
  const { conn, header } = await ask(port, JSON.stringify({ method, data: { filename: name } }));
  using _closed = conn;
  const { file_size: size = 0, data } = JSON.parse(header ?? "{}");
  return { header, bytes: await read(conn, data === "SIM" ? size : 0) };
}

/** Downloads as classroom B does: a packet of words, and then bytes until the other side closes. */
export async function downloadWords(port: number, name: string): Promise<Received> {
  const { conn, header } = await ask(port, `DOWNLOAD ${name}`);
  using _closed = conn;
  return { header, bytes: await read(conn, Infinity) };
}

async function read(conn: Deno.Conn, bytesMax: number): Promise<Uint8Array> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (let done = 0; done < bytesMax;) {
    const buffer = new Uint8Array(Math.min(READ_BYTES, bytesMax - done));
    const count = await conn.read(buffer);
    if (count === null) break;
    parts.push(buffer.subarray(0, count));
    done += count;
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/** A classmate's own program that serves: whatever is asked, it answers with these bytes, as packets of their own, and closes. */
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
      // Whoever asked did not want the rest.
    }
    conn.close();
  }
}
