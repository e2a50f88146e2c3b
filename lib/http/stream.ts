/**
 * A connection of lib/net in the form that `node:http` wants, with the deadlines of HTTP. So an
 * HTTP connection is bounded like every other connection, and no second port is open. Made by
 * server.ts.
 *
 * ```
 *            first byte of a request        its head is complete
 *   idle ---------------------------> head --------------------> answering
 *    ^                                                            |     |
 *    +------------------ answered, request complete --------------+     |
 *    +--- request complete, next head --- rest <--- answered before ----+
 *                                                   the body arrived
 * ```
 *
 * Every state but `answering` has a deadline. While a response is sent, the client has to read on:
 * lib/net bounds that.
 * @module
 */

import { Duplex } from "node:stream";
import type { Address } from "../core/address.ts";
import type { Connection } from "../net/connection.ts";
import { Deadlines } from "../net/deadlines.ts";

/** The callback of a step in node:stream. */
type Done = (error?: Error | null) => void;

/** How long a connection may stay in a state. */
export interface HttpDeadlines {
  /** Between two requests. */
  readonly idleMs: number;
  /** The head of a request, from its first byte. */
  readonly headMs: number;
  /** The rest of a request that was answered before it had arrived. */
  readonly restMs: number;
}

/** The bytes of one connection. */
export class HttpStream extends Duplex {
  static readonly #deadlines = new Deadlines<HttpStream>((late) => void late.destroy());
  readonly #connection: Connection;
  readonly #limits: HttpDeadlines;
  /** The deadline of the state; undefined while requests are being answered. */
  #waitMs: number | undefined;
  #isIdle = false;
  /** Requests that are being answered. */
  #answering = 0;

  constructor(connection: Connection, limits: HttpDeadlines) {
    super({ allowHalfOpen: true });
    this.#connection = connection;
    this.#limits = limits;
    if (connection.arrived.length === 0) this.#beIdle();
    else this.#wait(limits.headMs);
  }

  /** The client's address. */
  get remote(): Address {
    return this.#connection.remote;
  }

  /**
   * Resolves when everything has been answered and the client has ended, or the connection has
   * closed.
   */
  get over(): Promise<void> {
    return new Promise((resolve) => this.once("finish", resolve).once("close", resolve));
  }

  /** Notes that the head of a request has arrived. */
  begin(): void {
    this.#answering += 1;
    this.#wait(undefined);
  }

  /**
   * Notes that a request has been answered.
   *
   * @param isComplete Whether all of the request has arrived.
   */
  answered({ isComplete }: { readonly isComplete: boolean }): void {
    this.#answering -= 1;
    if (this.#answering > 0 || this.destroyed) return;
    if (isComplete) this.#beIdle();
    else this.#wait(this.#limits.restMs);
  }

  /** Called by node:http, as on a socket. The deadlines are those of this class. */
  setTimeout(): this {
    return this;
  }

  override _read(): void {
    this.#readOn().then((bytes) => this.push(bytes), (thrown) => this.destroy(thrown));
  }

  override _write(bytes: Uint8Array, _encoding: string, done: Done): void {
    this.#connection.send(bytes).then(() => done(), done);
  }

  override _final(done: Done): void {
    this.#connection.endWriting().then(() => done(), done);
  }

  override _destroy(error: Error | null, done: Done): void {
    HttpStream.#deadlines.leave(this);
    this.#connection.close();
    done(error);
  }

  #beIdle(): void {
    this.#wait(this.#limits.idleMs);
    this.#isIdle = true;
  }

  #wait(waitMs: number | undefined): void {
    this.#isIdle = false;
    if (this.#waitMs !== undefined) HttpStream.#deadlines.stop(this, this.#waitMs);
    this.#waitMs = waitMs;
    if (waitMs !== undefined) HttpStream.#deadlines.start(this, waitMs);
  }

  async #readOn(): Promise<Uint8Array | null> {
    const connection = this.#connection;
    while (connection.arrived.length === 0) {
      if (await connection.more({}) === "end") return null;
    }
    if (this.#isIdle) this.#wait(this.#limits.headMs);
    return connection.take(connection.arrived.length);
  }
}
