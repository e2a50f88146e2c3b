/**
 * Listens for HTTP. Called by server.ts.
 *
 * The connections are accepted by our own listener, which bounds them in number, by address and in time, and are then handed to `node:http`, which
 * never listens itself.
 * @module
 */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Address } from "../core/address.ts";
import { type Clock, settlesWithin, systemClock } from "../core/flow/clock.ts";
import { Failure } from "../core/failure.ts";
import { CLOSE_WAIT_MS, HTTP_CONNECTIONS_MAX, HTTP_IDLE_MS_MAX } from "../core/limits.ts";
import type { SearchIndex } from "../index/search_index.ts";
import type { Connection } from "../net/connection.ts";
import { Listener } from "../net/listener.ts";
import type { RoomKey } from "../net/room_key.ts";
import { HttpAccess } from "./http_access.ts";
import { HttpApi } from "./http_api.ts";
import { requestOf, respond } from "./http_exchange.ts";
import { HttpStream } from "./http_stream.ts";
import type { IndexMetrics, ServerState } from "./index_metrics.ts";
import type { Journal } from "./journal.ts";
import { RATES, type Rates } from "./rates.ts";
import { Registrars } from "./registrars.ts";

/** What a client is sent for which there is no place. */
const REFUSAL = emptyResponse("503 Service Unavailable", "Retry-After: 1\r\n");
/** What a client is sent that speaks HTTP/2, which is not spoken here. */
const WRONG_VERSION = emptyResponse("505 HTTP Version Not Supported");
/** What a client is sent that does not speak HTTP. */
const MALFORMED = emptyResponse("400 Bad Request");
/** What a client is sent that takes the index for a proxy. */
const NO_PROXY = emptyResponse("405 Method Not Allowed", "Allow: GET, HEAD, POST, DELETE\r\n");
/** How an HTTP/2 connection begins (RFC 9113, 3.4), as far as no method of ours does. */
const HTTP2_PREFACE = new TextEncoder().encode("PRI ");

/** What it serves. */
export interface HttpServerOptions {
  readonly index: SearchIndex;
  readonly journal: Journal;
  readonly metrics: IndexMetrics;
  readonly state: () => ServerState;
  /** The room's key, if it has one. Asked for each time, since it may be replaced. */
  readonly roomKey?: () => RoomKey | undefined;
  readonly rates?: Rates;
  readonly clock?: Clock;
  /** Bounds, which a test may make smaller. */
  readonly connectionsMax?: number;
  readonly idleMs?: number;
}

/** A listening HTTP server. */
export class HttpServer implements AsyncDisposable {
  readonly #registrars = new Registrars();
  readonly #api: HttpApi;
  readonly #idleMs: number;
  readonly #http = createServer((incoming, outgoing) => this.#begin(incoming, outgoing));
  readonly #answering = new Set<Promise<void>>();
  #listener: Listener | undefined;
  #isStopped = false;

  private constructor(address: Address, options: HttpServerOptions) {
    const { clock = systemClock, roomKey, rates = RATES, idleMs = HTTP_IDLE_MS_MAX } = options;
    const access = new HttpAccess({
      clock,
      perSecond: rates.http,
      hostNames: [address.host],
      ...(roomKey === undefined ? {} : { roomKey }),
    });
    this.#api = new HttpApi({ ...options, clock, access, registrars: this.#registrars });
    this.#idleMs = idleMs;
    // A client that has sent everything and ended is still answered.
    Object.assign(this.#http, { httpAllowHalfOpen: true });
    this.#http.keepAliveTimeout = idleMs;
    // A server that does not listen would close each connection after its first answer.
    Object.defineProperty(this.#http, "listening", { get: () => !this.#isStopped });
    this.#http.on("clientError", (_, stream) => void stream.end(MALFORMED));
    this.#http.on("connect", (_, stream) => void stream.end(NO_PROXY));
  }

  /** Starts listening; port 0 takes any free one. Fails: "unreachable" when the address cannot be had. */
  static async listen(address: Address, options: HttpServerOptions): Promise<HttpServer> {
    const server = new HttpServer(address, options);
    try {
      server.#listener = await Listener.listen(address, {
        connectionsMax: 0,
        strangersMax: options.connectionsMax ?? HTTP_CONNECTIONS_MAX,
        refusal: REFUSAL,
        serve: (connection) => server.#serve(connection),
      });
      return server;
    } catch (thrown) {
      await server[Symbol.asyncDispose]();
      const failure = Failure.from(thrown, "unreachable", "Cannot listen");
      throw new Failure(failure.code, failure.message, {
        cause: thrown,
        hint: "choose another port with --http-port, 0 for any free one, or say --no-http",
      });
    }
  }

  /** Where it listens. */
  get address(): Address {
    if (this.#listener === undefined) throw new TypeError("Cannot get here: it was made by listen()");
    return this.#listener.address;
  }

  /** Takes no more connections, and ends when the requests under way are answered, or do not end in time. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    this.#listener?.stop();
    this.#registrars[Symbol.dispose]();
    await settlesWithin(CLOSE_WAIT_MS, Promise.all(this.#answering));
    await this.#listener?.[Symbol.asyncDispose]();
  }

  async #serve(connection: Connection): Promise<void> {
    if (await this.#isHttp2(connection)) {
      await connection.send(WRONG_VERSION);
      await connection.closeInOrder(CLOSE_WAIT_MS);
      return;
    }
    const stream = new HttpStream(connection, { idleMs: this.#idleMs });
    // Told of by "close" as well.
    stream.on("error", () => {});
    const { over } = stream;
    this.#http.emit("connection", stream);
    await over;
    await connection.closeAfterSending(CLOSE_WAIT_MS);
    stream.destroy();
  }

  /** Looks at the first bytes, and takes none of them. Fails: "timeout", "closed". */
  async #isHttp2(connection: Connection): Promise<boolean> {
    while (true) {
      const begin = connection.arrived.subarray(0, HTTP2_PREFACE.length);
      if (!begin.every((byte, at) => byte === HTTP2_PREFACE[at])) return false;
      if (begin.length === HTTP2_PREFACE.length) return true;
      if (await connection.more({ waitMs: this.#idleMs }) === "end") return false;
    }
  }

  #begin(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const answering = this.#answer(incoming, outgoing).catch(() => void outgoing.destroy()).finally(() => {
      this.#answering.delete(answering);
    });
    this.#answering.add(answering);
  }

  async #answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const stream: unknown = incoming.socket;
    if (!(stream instanceof HttpStream)) throw new TypeError("Cannot get here: nothing else is handed over");
    const request = requestOf(incoming);
    if (request === undefined) return void stream.end(MALFORMED);
    await respond(outgoing, request.method, await this.#api.answer(request, stream.remote));
  }
}

function emptyResponse(status: string, more = ""): Uint8Array {
  return new TextEncoder().encode(`HTTP/1.1 ${status}\r\n${more}Content-Length: 0\r\nConnection: close\r\n\r\n`);
}
