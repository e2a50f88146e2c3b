/**
 * The order in which answers are read. Several parts may ask on one connection before the first of
 * them has its answer; each reads when all that was asked before has been answered and read. Called
 * by caller.ts.
 * @module
 */

import { Failure } from "../core/failure.ts";
import type { Connection } from "./connection.ts";

/** The end of the last turn on each connection on which answers are awaited. */
const lasts = new WeakMap<Connection, Promise<Failure | undefined>>();

/** One turn at reading from a connection. */
export class ReadingTurn {
  readonly #connection: Connection;
  readonly #before: Promise<Failure | undefined> | undefined;
  readonly #ended: Promise<Failure | undefined>;
  readonly #end: (failure: Failure | undefined) => void;

  /** Lines up for the next turn. To be called when something was asked. */
  constructor(connection: Connection) {
    this.#connection = connection;
    this.#before = lasts.get(connection);
    ({ promise: this.#ended, resolve: this.#end } = Promise.withResolvers<Failure | undefined>());
    lasts.set(connection, this.#ended);
  }

  /** Whether others have to read first. */
  get hasToWait(): boolean {
    return this.#before !== undefined;
  }

  /**
   * Resolves when the turn has come.
   *
   * @throws {Failure} When nothing can be read any more.
   */
  async come(): Promise<void> {
    const failure = await this.#before;
    if (failure === undefined) return;
    this.end(failure);
    throw failure;
  }

  /**
   * Ends the turn. The first end counts.
   *
   * @param failure Why nothing can be read after it; undefined when all was read.
   */
  end(failure?: Failure): void {
    if (lasts.get(this.#connection) === this.#ended && failure === undefined) lasts.delete(this.#connection);
    this.#end(failure);
  }
}

/** What those fail with that wait for an answer behind one which was not read to its end. */
export function unread(): Failure {
  return new Failure("closed", "Cannot read on: what was answered before was not read to its end");
}
