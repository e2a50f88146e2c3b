/**
 * Listens for HTTP, with `node:http` on connections that our own listener accepts. The listener
 * bounds how many connections are open, in all and of one address; stream.ts bounds how long each
 * may wait. `node:http` itself never listens. Called by lib/server/http/index_http.ts.
 * @module
 */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Address } from "../core/address.ts";
import { settlesWithin } from "../core/flow/clock.ts";
import {
  CLOSE_WAIT_MS,
  HTTP_BODY_WAIT_MS,
  HTTP_CONNECTIONS_MAX,
  HTTP_HEAD_WAIT_MS,
  HTTP_IDLE_MS_MAX,
} from "../core/limits.ts";
import type { Connection } from "../net/connection.ts";
import { Listener } from "../net/listener.ts";
import { type HttpRequest, requestOf, respond } from "./exchange.ts";
import { type HttpDeadlines, HttpStream } from "./stream.ts";

/** Sent to a client for which there is no place. */
const REFUSAL = emptyResponse("503 Service Unavailable", "Retry-After: 1\r\n");
/** Sent to a client that speaks HTTP/2, which this server does not. */
const WRONG_VERSION = emptyResponse("505 HTTP Version Not Supported");
/** Sent to a client that does not speak HTTP. */
const MALFORMED = emptyResponse("400 Bad Request");
/** Sent to a client that asks this server to be its proxy. */
const NO_PROXY = emptyResponse("405 Method Not Allowed", "Allow: GET, HEAD, POST, DELETE\r\n");
/**
 * The first bytes of an HTTP/2 connection (RFC 9113, 3.4). No method of HTTP/1.1 begins with them.
 */
const HTTP2_PREFACE = new TextEncoder().encode("PRI ");

/** What a server answers, and its bounds, which a test may make smaller. */
export interface HttpServerOptions extends Partial<HttpDeadlines> {
  /** Answers a request of a client. It does not throw. */
  readonly answer: (request: HttpRequest, remote: Address) => Promise<Response>;
  /** Called with errors that are bugs of this program. Default: such an error ends the program. */
  readonly onBug?: ((thrown: unknown) => void) | undefined;
  /** Default: `HTTP_CONNECTIONS_MAX`. */
  readonly connectionsMax?: number | undefined;
}

/** A listening HTTP server. */
export class HttpServer implements AsyncDisposable {
  readonly #answer: HttpServerOptions["answer"];
  readonly #deadlines: HttpDeadlines;
  readonly #http = createServer((incoming, outgoing) => this.#begin(incoming, outgoing));
  readonly #answering = new Set<Promise<void>>();
  #listener: Listener | undefined;
  #isStopped = false;

  private constructor(options: HttpServerOptions) {
    const { idleMs = HTTP_IDLE_MS_MAX, headMs = HTTP_HEAD_WAIT_MS, restMs = HTTP_BODY_WAIT_MS } = options;
    this.#answer = options.answer;
    this.#deadlines = { idleMs, headMs, restMs };
    // A client that has ended its side after its last request is still answered.
    Object.assign(this.#http, { httpAllowHalfOpen: true });
    this.#http.keepAliveTimeout = idleMs;
    // node:http would close each connection after its first response, since it does not listen.
    Object.defineProperty(this.#http, "listening", { get: () => !this.#isStopped });
    this.#http.on("clientError", (_, stream) => void stream.end(MALFORMED));
    this.#http.on("connect", (_, stream) => void stream.end(NO_PROXY));
  }

  /**
   * Starts to listen.
   *
   * @param address Port 0 is any free one.
   * @throws {Failure} "unreachable" when this machine cannot listen there.
   */
  static async listen(address: Address, options: HttpServerOptions): Promise<HttpServer> {
    const server = new HttpServer(options);
    server.#listener = await Listener.listen(address, {
      connectionsMax: 0,
      strangersMax: options.connectionsMax ?? HTTP_CONNECTIONS_MAX,
      refusal: REFUSAL,
      serve: (connection) => server.#serve(connection),
      onBug: options.onBug,
    });
    return server;
  }

  /** Where it listens. */
  get address(): Address {
    if (this.#listener === undefined) throw new TypeError("Cannot get here: listen() made the server");
    return this.#listener.address;
  }

  /**
   * Accepts no more connections, waits a little for the requests that are being answered, and
   * closes all connections.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    this.#listener?.stop();
    await settlesWithin(CLOSE_WAIT_MS, Promise.all(this.#answering));
    await this.#listener?.[Symbol.asyncDispose]();
  }

  async #serve(connection: Connection): Promise<void> {
    if (await this.#isHttp2(connection)) {
      await connection.send(WRONG_VERSION);
      await connection.closeInOrder(CLOSE_WAIT_MS);
      return;
    }
    const stream = new HttpStream(connection, this.#deadlines);
    // "close" follows every error.
    stream.on("error", () => {});
    const { over } = stream;
    this.#http.emit("connection", stream);
    await over;
    await connection.closeAfterSending(CLOSE_WAIT_MS);
    stream.destroy();
  }

  /** Looks at the first bytes, and leaves them where they are. */
  async #isHttp2(connection: Connection): Promise<boolean> {
    while (true) {
      const begin = connection.arrived.subarray(0, HTTP2_PREFACE.length);
      if (begin.length > 0 && !begin.every((byte, at) => byte === HTTP2_PREFACE[at])) return false;
      if (begin.length === HTTP2_PREFACE.length) return true;
      const waitMs = begin.length === 0 ? this.#deadlines.idleMs : this.#deadlines.headMs;
      if (await connection.more({ waitMs }) === "end") return false;
    }
  }

  #begin(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const answering = this.#exchange(incoming, outgoing).finally(() => this.#answering.delete(answering));
    this.#answering.add(answering);
  }

  /** Answers one request. A response that cannot be sent whole ends its connection. */
  async #exchange(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const stream: unknown = incoming.socket;
    if (!(stream instanceof HttpStream)) throw new TypeError("Cannot get here: node:http has no other connections");
    stream.begin();
    try {
      const request = requestOf(incoming);
      if (request === undefined) stream.end(MALFORMED);
      else await respond(outgoing, request.method, await this.#answer(request, stream.remote));
    } catch {
      outgoing.destroy();
    } finally {
      stream.answered({ isComplete: incoming.complete });
    }
  }
}

function emptyResponse(status: string, more = ""): Uint8Array {
  return new TextEncoder().encode(`HTTP/1.1 ${status}\r\n${more}Content-Length: 0\r\nConnection: close\r\n\r\n`);
}
