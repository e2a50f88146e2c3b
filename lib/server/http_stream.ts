/**
 * A connection of ours as `node:http` wants it: so what arrives there is bounded in number, by address and in time like every other connection of
 * the index, and no second port is open. Made by http_server.ts.
 * @module
 */

import { Duplex } from "node:stream";
import type { Address } from "../core/address.ts";
import type { Connection } from "../net/connection.ts";

/** What node:stream is told when a step is over. */
type Done = (error?: Error | null) => void;

/** The bytes of one connection. */
export class HttpStream extends Duplex {
  readonly #connection: Connection;
  readonly #idleMs: number;

  constructor(connection: Connection, { idleMs }: { readonly idleMs: number }) {
    super({ allowHalfOpen: true });
    this.#connection = connection;
    this.#idleMs = idleMs;
  }

  /** Who is at the other end. */
  get remote(): Address {
    return this.#connection.remote;
  }

  /** Resolves when everything was answered that will be, or the connection is of no use any more. */
  get over(): Promise<void> {
    return new Promise((resolve) => this.once("finish", resolve).once("close", resolve));
  }

  /** Called by node:http, as on a socket; how long a connection may be silent is decided here. */
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
    this.#connection.close();
    done(error);
  }

  async #readOn(): Promise<Uint8Array | null> {
    const connection = this.#connection;
    while (connection.arrived.length === 0) {
      if (await connection.more({ waitMs: this.#idleMs }) === "end") return null;
    }
    return connection.take(connection.arrived.length);
  }
}
