/**
 * Converts between `node:http` and the web: a request as routes read it, and a response as it is
 * sent. Called by server.ts.
 * @module
 */

import type { IncomingMessage, ServerResponse } from "node:http";

/** What routes read of a request. */
export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array> | null;
}

/** Bytes of a long body that are read and sent at a time. */
export const CHUNK_BYTES = 256 * 1024;
/** The host in URLs. The real one is in the Host header. */
const BASE = "http://server";

/**
 * Converts a request. Its body is read only as far as a route reads it.
 *
 * @returns undefined when the request has several Host headers (RFC 9112, 3.2).
 */
export function requestOf(incoming: IncomingMessage): HttpRequest | undefined {
  const { method = "GET", url = "/", rawHeaders } = incoming;
  const headers = new Headers();
  let hosts = 0;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name = "", value = ""] = rawHeaders.slice(at, at + 2);
    if (name.toLowerCase() === "host") hosts += 1;
    headers.append(name, value);
  }
  return hosts > 1 ? undefined : { method, url: absolute(url), headers, body: bodyOf(incoming) };
}

/** Makes a URL of a request's target, which is a path, `*` or a URL. */
function absolute(target: string): string {
  return target.startsWith("/") ? BASE + target : target === "*" ? `${BASE}/*` : target;
}

function bodyOf(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  let chunks: AsyncIterator<unknown> | undefined;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      chunks ??= incoming[Symbol.asyncIterator]();
      const { value, done } = await chunks.next();
      if (value instanceof Uint8Array) controller.enqueue(value);
      if (done === true) controller.close();
    },
    // The rest stays unread, and the server closes the connection after its response.
    cancel() {},
  }, { highWaterMark: 0 });
}

/**
 * Sends a response. One with a Content-Length is sent chunk by chunk, as the client reads it. Any
 * other has to be short, and is sent whole.
 *
 * @throws When the body cannot be read to its end. The response is then incomplete, and the
 * connection of no use.
 */
export async function respond(outgoing: ServerResponse, method: string, response: Response): Promise<void> {
  const { status, headers, body } = response;
  const isStreamed = headers.has("content-length");
  const bytes = isStreamed ? undefined : new Uint8Array(await response.arrayBuffer());
  for (const [name, value] of headers) outgoing.setHeader(name, value);
  if (bytes !== undefined && status !== 204 && status !== 304) outgoing.setHeader("content-length", bytes.length);
  outgoing.writeHead(status);
  const isWanted = method !== "HEAD";
  if (bytes !== undefined) return void outgoing.end(isWanted ? bytes : undefined);
  if (isWanted && body !== null) await sendStream(outgoing, body);
  else await body?.cancel();
  outgoing.end();
}

/** Sends a stream, until it ends or the client has disconnected. */
async function sendStream(outgoing: ServerResponse, body: ReadableStream<Uint8Array>): Promise<void> {
  const reader = readerOf(body);
  const cancel = (): void => void reader.cancel("the client has disconnected").catch(() => {});
  outgoing.once("close", cancel);
  try {
    while (true) {
      const chunk = await reader.read();
      if (chunk === undefined || !await write(outgoing, chunk)) return;
    }
  } finally {
    outgoing.off("close", cancel);
    cancel();
  }
}

/** Reads a stream. */
interface ChunkReader {
  /**
   * Reads the next chunk, which is valid until the one after it is read.
   *
   * @returns undefined at the end.
   */
  read(): Promise<Uint8Array | undefined>;
  cancel(reason: string): Promise<void>;
}

/** Reads a stream of bytes into one buffer, again and again, and any other stream as it is. */
function readerOf(body: ReadableStream<Uint8Array>): ChunkReader {
  let reader: ReadableStreamBYOBReader;
  try {
    reader = body.getReader({ mode: "byob" });
  } catch {
    const plain = body.getReader();
    return { read: async () => (await plain.read()).value, cancel: (reason) => plain.cancel(reason) };
  }
  let buffer = new ArrayBuffer(CHUNK_BYTES);
  return {
    async read() {
      const { done, value } = await reader.read(new Uint8Array(buffer));
      if (done || value === undefined) return undefined;
      buffer = value.buffer;
      return value;
    },
    cancel: (reason) => reader.cancel(reason),
  };
}

/** Writes a chunk. Resolves when the system has it, with whether the client is still connected. */
function write(outgoing: ServerResponse, chunk: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    const onClose = (): void => resolve(false);
    outgoing.once("close", onClose);
    outgoing.write(chunk, (error) => {
      outgoing.off("close", onClose);
      resolve(error === undefined || error === null);
    });
  });
}
