/**
 * Limits how many things run at once. A caller that finds no free slot waits in line.
 * @module
 */

import { onAbort } from "./on_abort.ts";

/** A bounded number of slots, given out in the order of asking. */
export class Slots {
  #free: number;
  /** The callers in line, in the order of asking. */
  readonly #line = new Set<() => void>();

  constructor(count: number) {
    this.#free = count;
  }

  /**
   * Waits for a slot.
   *
   * @returns What gives the slot back when it is disposed of.
   * @throws The signal's reason. The caller then leaves the line.
   */
  async take(signal?: AbortSignal): Promise<Disposable> {
    signal?.throwIfAborted();
    if (this.#free > 0) this.#free -= 1;
    else await this.#turn(signal);
    return {
      [Symbol.dispose]: () => {
        const [next] = this.#line;
        if (next === undefined) this.#free += 1;
        else {
          this.#line.delete(next);
          next();
        }
      },
    };
  }

  /**
   * Runs `work` in a slot of its own.
   *
   * @throws What `take` and `work` throw.
   */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    using _slot = await this.take(signal);
    return await work();
  }

  async #turn(signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#line.add(resolve);
    using _leaving = onAbort(signal, () => {
      this.#line.delete(resolve);
      reject(signal?.reason);
    });
    await promise;
  }
}
