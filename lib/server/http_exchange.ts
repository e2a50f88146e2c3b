/**
 * Requests and responses of `node:http` in the words of the web, which the routes speak. Called by http_server.ts.
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

/** Stands for the index in a URL: which name it was reached under is said by the header. */
const BASE = "http://index";

/** A request that has come; undefined when it has several hosts (RFC 9112, 3.2). Its body is read as far as somebody asks for it. */
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

/** A request's target as a URL: a path, `*`, or a URL already. */
function absolute(target: string): string {
  return target.startsWith("/") ? BASE + target : target === "*" ? `${BASE}/*` : target;
}

/** Sends a response, which has to be short: it is sent in one piece. */
export async function respond(outgoing: ServerResponse, method: string, response: Response): Promise<void> {
  const bytes = new Uint8Array(await response.arrayBuffer());
  for (const [name, value] of response.headers) outgoing.setHeader(name, value);
  if (response.status !== 204 && response.status !== 304) outgoing.setHeader("content-length", bytes.length);
  outgoing.writeHead(response.status);
  if (method === "HEAD") outgoing.end();
  else outgoing.end(bytes);
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
    // The rest stays unread; who was answered so loses the connection.
    cancel() {},
  }, { highWaterMark: 0 });
}
