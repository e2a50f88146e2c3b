/**
 * Stands in front of `Deno.serve`, which bounds neither how many connections it takes nor how long one may stay without a word: a single
 * machine could use up all descriptors of the index (4,000 silent connections were all still open after 35 s). The gate accepts as the index does
 * for peers, and passes the bytes on to this machine alone. Called by http_server.ts.
 * @module
 */

import type { Address } from "../core/address.ts";
import { CLOSE_WAIT_MS, HTTP_CONNECTIONS_MAX, HTTP_IDLE_MS_MAX } from "../core/limits.ts";
import type { Connection } from "../net/connection.ts";
import { dial } from "../net/dial.ts";
import { Listener } from "../net/listener.ts";

/** What a client is sent for which there is no place. */
const REFUSAL = new TextEncoder().encode(
  "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
);

/** What a client is sent that speaks HTTP/2: there the checks of a request's host and the bounds of this gate would not hold. */
const WRONG_VERSION = new TextEncoder().encode(
  "HTTP/1.1 505 HTTP Version Not Supported\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
);
/** How an HTTP/2 connection begins (RFC 9113, 3.4), as far as no method of ours does. */
const HTTP2_PREFACE = new TextEncoder().encode("PRI ");

/** Bounds, which a test may make smaller. */
export interface HttpGateOptions {
  /** Where the bytes go. */
  readonly inner: Address;
  readonly connectionsMax?: number;
  readonly idleMs?: number;
}

/** The connections of the HTTP side. */
export class HttpGate implements AsyncDisposable {
  readonly #options: HttpGateOptions;
  /** Who is at the other end, by the port from which the bytes go on. */
  readonly #remotes = new Map<number, Address>();
  #listener: Listener | undefined;

  private constructor(options: HttpGateOptions) {
    this.#options = options;
  }

  /** Starts listening; port 0 takes any free one. Fails: "unreachable" when the address cannot be had. */
  static async listen(address: Address, options: HttpGateOptions): Promise<HttpGate> {
    const gate = new HttpGate(options);
    gate.#listener = await Listener.listen(address, {
      connectionsMax: 0,
      strangersMax: options.connectionsMax ?? HTTP_CONNECTIONS_MAX,
      refusal: REFUSAL,
      serve: (connection) => gate.#serve(connection),
    });
    return gate;
  }

  /** Where it listens. */
  get address(): Address {
    return this.#listener?.address ?? this.#options.inner;
  }

  /** Who asks, given the port from which it came through the gate; undefined for what did not. */
  remoteOf(port: number): Address | undefined {
    return this.#remotes.get(port);
  }

  /** Takes no more connections; those that are open go on. */
  stop(): void {
    this.#listener?.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener?.[Symbol.asyncDispose]();
  }

  async #serve(outer: Connection): Promise<void> {
    if (await this.#isHttp2(outer)) {
      await outer.send(WRONG_VERSION);
      await outer.closeInOrder(CLOSE_WAIT_MS);
      return;
    }
    using inner = await dial(this.#options.inner);
    this.#remotes.set(inner.local.port, outer.remote);
    try {
      // Whoever said all may still be answered; whoever was answered for good is done.
      const asked = this.#pass(outer, inner).then(() => inner.endWriting()).catch(() => inner.close());
      await this.#pass(inner, outer).catch(() => {});
      await outer.closeAfterSending(CLOSE_WAIT_MS);
      await asked;
    } finally {
      this.#remotes.delete(inner.local.port);
    }
  }

  /** Looks at the first bytes, and takes none of them. Fails: "timeout", "closed". */
  async #isHttp2(outer: Connection): Promise<boolean> {
    const waitMs = this.#options.idleMs ?? HTTP_IDLE_MS_MAX;
    while (true) {
      const begin = outer.arrived.subarray(0, HTTP2_PREFACE.length);
      if (!begin.every((byte, at) => byte === HTTP2_PREFACE[at])) return false;
      if (begin.length === HTTP2_PREFACE.length) return true;
      if (await outer.more({ waitMs }) === "end") return false;
    }
  }

  /** Passes on what comes until there is no more. Fails: "timeout" when nothing comes for too long, "closed". */
  async #pass(from: Connection, to: Connection): Promise<void> {
    const waitMs = this.#options.idleMs ?? HTTP_IDLE_MS_MAX;
    do await to.send(from.take(from.arrived.length)); while (await from.more({ waitMs }) === "more");
  }
}
