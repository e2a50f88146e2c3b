/**
 * The connection to one source: made when it is needed, and kept for the next use. Several uses may
 * be under way, since the next request may be sent while the answer to the one before still
 * arrives. Called by source_at_work.ts.
 * @module
 */

import { Failure } from "../../core/failure.ts";
import type { Connection } from "../../net/connection.ts";

/**
 * What a use fails with when it was ended because its result is not needed any more. This is no
 * failure of the source.
 */
export const RELEASED = new Failure("cancelled", "It is not needed any more");

/** One connection, and the uses that are made of it now. */
export class SourceConnection {
  readonly #connect: () => Promise<Connection>;
  #connection: Connection | undefined;
  /** How many uses are under way. */
  #uses = 0;
  #isReleased = false;
  /** Whether one of those uses has failed, and all others will. */
  #hasFailed = false;
  /** The connection that is being made. */
  #connecting: Promise<Connection> | undefined;
  /** Resolves when no use is under way. */
  #ended: Promise<void> = Promise.resolve();
  #end: () => void = () => {};
  #markedBytes = 0;

  constructor(connect: () => Promise<Connection>) {
    this.#connect = connect;
  }

  /** Whether it is in use. */
  get isBusy(): boolean {
    return this.#uses > 0;
  }

  /** Whether there is a connection. */
  get isOpen(): boolean {
    return this.#connection !== undefined;
  }

  /** Bytes that have arrived since `mark` was called, or since the connection was made. */
  get bytesSinceMark(): number {
    return Math.max(0, (this.#connection?.bytesRead ?? 0) - this.#markedBytes);
  }

  /** Counts `bytesSinceMark` from now on. */
  mark(): void {
    this.#markedBytes = this.#connection?.bytesRead ?? 0;
  }

  /**
   * Begins a use. The caller ends it with `end`, also when this fails.
   *
   * @throws As connecting does.
   */
  async begin(): Promise<Connection> {
    if (this.#uses === 0) {
      this.#isReleased = this.#hasFailed = false;
      ({ promise: this.#ended, resolve: this.#end } = Promise.withResolvers<void>());
      if (this.#connection?.ended !== undefined) this.#connection = undefined;
    }
    this.#uses += 1;
    if (this.#hasFailed || this.#isReleased) throw RELEASED;
    return this.#connection ?? await (this.#connecting ??= this.#make());
  }

  async #make(): Promise<Connection> {
    try {
      const connection = await this.#connect();
      if (this.#isReleased) connection.close();
      this.#connection = connection;
      this.#markedBytes = 0;
      return connection;
    } finally {
      this.#connecting = undefined;
    }
  }

  /**
   * Closes the connection after a use has failed.
   *
   * @returns What the use fails with: what was thrown, or `RELEASED` when it was released or failed
   * only because another use did.
   */
  failed(thrown: unknown): unknown {
    this.close();
    const isFirst = !this.#hasFailed && !this.#isReleased;
    this.#hasFailed = true;
    return isFirst ? thrown : RELEASED;
  }

  /** Ends a use. */
  end(): void {
    this.#uses -= 1;
    if (this.#uses === 0) this.#end();
  }

  /**
   * Closes the connection because the present uses are not needed any more. They fail with
   * `RELEASED`.
   */
  release(): void {
    if (this.isBusy) this.#isReleased = true;
    this.close();
  }

  /** Closes the connection. A use of it fails. */
  close(reason?: Failure): void {
    this.#connection?.close(reason);
    this.#connection = undefined;
  }

  /** Resolves when no use is under way. */
  async quiet(): Promise<void> {
    await this.#ended;
  }
}
