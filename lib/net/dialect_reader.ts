/**
 * Reads requests in a classroom dialect from a connection. Clients of these dialects send no line
 * feed and then wait. So an object counts as complete when its braces are closed, and words when
 * nothing follows for a moment. Called by lib/server/index_server.ts and
 * lib/peer/serve/dialect_host.ts.
 * @module
 */

import type { Dialect } from "../core/dialect.ts";
import { Failure } from "../core/failure.ts";
import { DIALECT_QUIET_MS, DIALECT_REQUEST_BYTES_MAX, DIALECT_REQUEST_WAIT_MS, HELLO_WAIT_MS } from "../core/limits.ts";
import { JsonEnd, tellApart } from "../protocol/dialect.ts";
import type { Connection } from "./connection.ts";

const LINE_FEED = 0x0a;
const BRACE = 0x7b;

/** One request as it came. */
export interface RawRequest {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Whether the request ended with a line feed. Its answer then does the same. */
  readonly isLine: boolean;
}

/** The requests on one connection. */
export class DialectReader {
  readonly connection: Connection;
  readonly dialect: Dialect;

  private constructor(connection: Connection, dialect: Dialect) {
    this.connection = connection;
    this.dialect = dialect;
  }

  /**
   * Looks at how a connection begins, and takes nothing from it.
   *
   * @returns A reader, or undefined for a connection that speaks our own protocol or something
   * unknown.
   * @throws {Failure} "timeout", "closed".
   */
  static async begin(connection: Connection): Promise<DialectReader | undefined> {
    const end = performance.now() + HELLO_WAIT_MS;
    while (true) {
      const told = tellApart(connection.arrived);
      if (told === "native") return undefined;
      if (told !== undefined) return new DialectReader(connection, told);
      if (await connection.more({ waitMs: Math.max(0, end - performance.now()) }) === "end") return undefined;
    }
  }

  /**
   * Reads the next request.
   *
   * @returns The request, or null when the other side has closed, or was silent for `idleMs`.
   * @throws {Failure} "malformed", "too-large", "timeout", "closed".
   */
  async next(idleMs: number): Promise<RawRequest | null> {
    const { connection } = this;
    while (true) {
      const begin = connection.arrived.findIndex((byte) => byte > 0x20);
      connection.take(begin === -1 ? connection.arrived.length : begin);
      if (begin !== -1) break;
      if (await connection.more({ waitMs: idleMs }) === "end") return null;
    }
    return this.dialect === "json" ? await this.#nextObject() : await this.#nextLine();
  }

  async #nextObject(): Promise<RawRequest> {
    if (this.connection.arrived[0] !== BRACE) throw new Failure("malformed", "Cannot read that: it is not an object");
    const object = new JsonEnd();
    let looked = 0;
    const end = await this.#until((arrived) => {
      const found = object.push(arrived.subarray(looked));
      looked = arrived.length;
      return found;
    });
    if (end === undefined) throw new Failure("malformed", "Cannot read that: it ended in the middle");
    return { bytes: this.connection.take(end), isLine: false };
  }

  async #nextLine(): Promise<RawRequest> {
    let looked = 0;
    const end = await this.#until((arrived) => {
      const at = arrived.indexOf(LINE_FEED, looked);
      looked = arrived.length;
      return at === -1 ? undefined : at + 1;
    }, DIALECT_QUIET_MS);
    return { bytes: this.connection.take(end ?? this.connection.arrived.length), isLine: end !== undefined };
  }

  /**
   * Reads until the end of a request.
   *
   * @returns Where the end is. Undefined when the other side closed, or was quiet, before it.
   */
  async #until(find: (arrived: Uint8Array) => number | undefined, quietMs?: number): Promise<number | undefined> {
    const { connection } = this;
    const last = performance.now() + DIALECT_REQUEST_WAIT_MS;
    for (let before = 0;;) {
      const { length } = connection.arrived;
      const end = find(connection.arrived);
      if ((end ?? length) > DIALECT_REQUEST_BYTES_MAX) {
        throw new Failure("too-large", `Cannot read more than ${DIALECT_REQUEST_BYTES_MAX} bytes at a time`);
      }
      if (end !== undefined) return end;
      const waitMs = last - performance.now();
      if (waitMs <= 0) throw new Failure("timeout", "Cannot wait any longer for the rest of that");
      // One byte at a time means that somebody types: a line feed will follow.
      const quiet = length - before === 1 ? undefined : quietMs;
      before = length;
      if (await connection.more({ waitMs, quietMs: quiet }) !== "more") return undefined;
    }
  }
}
