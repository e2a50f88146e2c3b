/**
 * The connection to one source: made when it is needed, kept for the next use, used for one thing
 * at a time. Called by source_at_work.ts.
 * @module
 */

import { Failure } from "../../core/failure.ts";
import type { Connection } from "../../net/connection.ts";

/**
 * What a use fails with when it was ended because its result is not needed any more. This is no
 * failure of the source.
 */
export const RELEASED = new Failure("cancelled", "It is not needed any more");

/** One connection, and the use that is made of it now. */
export class SourceConnection {
  readonly #connect: () => Promise<Connection>;
  #connection: Connection | undefined;
  #isBusy = false;
  #isReleased = false;
  /** Resolves when the use that was begun last has ended. */
  #ended: Promise<void> = Promise.resolve();
  #end: () => void = () => {};
  #markedBytes = 0;

  constructor(connect: () => Promise<Connection>) {
    this.#connect = connect;
  }

  /** Whether it is in use. */
  get isBusy(): boolean {
    return this.#isBusy;
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
    this.#isBusy = true;
    this.#isReleased = false;
    ({ promise: this.#ended, resolve: this.#end } = Promise.withResolvers<void>());
    if (this.#connection === undefined || this.#connection.ended !== undefined) {
      this.#connection = undefined;
      const connection = await this.#connect();
      if (this.#isReleased) connection.close();
      this.#connection = connection;
      this.#markedBytes = 0;
    }
    return this.#connection;
  }

  /**
   * Closes the connection after a use has failed.
   *
   * @returns What the use fails with: `RELEASED` when it was released, otherwise what was thrown.
   */
  failed(thrown: unknown): unknown {
    this.close();
    return this.#isReleased ? RELEASED : thrown;
  }

  /** Ends a use. */
  end(): void {
    this.#isBusy = false;
    this.#end();
  }

  /**
   * Closes the connection because the present use is not needed any more. That use fails with
   * `RELEASED`.
   */
  release(): void {
    if (this.#isBusy) this.#isReleased = true;
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
