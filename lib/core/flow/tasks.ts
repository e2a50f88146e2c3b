/**
 * Tasks that run side by side, and how they stop together. Called by the downloads of lib/transfer.
 * @module
 */

import type { Bell } from "./bell.ts";
import { onAbort } from "./on_abort.ts";
import { Failure } from "../failure.ts";

/** Tasks that run side by side. The first one that fails stops all others. */
export class Tasks implements AsyncDisposable {
  readonly #running = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  readonly #bell: Bell;
  #failed: { readonly thrown: unknown } | undefined;

  /** Rings the bell whenever a task ends. */
  constructor(bell: Bell) {
    this.#bell = bell;
  }

  /** Aborted when the tasks have to stop. */
  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  /** How many tasks are running. */
  get count(): number {
    return this.#running.size;
  }

  /** Whether the tasks have to stop because one failed. */
  get hasFailed(): boolean {
    return this.#failed !== undefined;
  }

  /** Adds a task that is running. */
  add(task: Promise<void>): void {
    const ended = task.catch((thrown) => this.fail(thrown)).finally(() => {
      this.#running.delete(ended);
      this.#bell.ring();
    });
    this.#running.add(ended);
  }

  /** Stops all tasks. Only the first reason counts. */
  fail(thrown: unknown): void {
    this.#failed ??= { thrown };
    this.#stopping.abort(thrown);
    this.#bell.ring();
  }

  /** Throws the first reason for which the tasks had to stop, if there is one. */
  throwIfFailed(): void {
    if (this.#failed !== undefined) throw this.#failed.thrown;
  }

  /** Stops all tasks when the signal is aborted, until what this returns is disposed of. */
  stopOn(signal: AbortSignal): Disposable {
    return onAbort(signal, () => this.fail(signal.reason));
  }

  /** Stops all tasks and waits until they have ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.fail(new Failure("cancelled", "It is over"));
    await Promise.all(this.#running);
  }
}
