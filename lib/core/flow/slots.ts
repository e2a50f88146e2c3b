/**
 * At most so many at once: whoever finds no slot free waits in line.
 * @module
 */

/** A bounded number of slots, given out in order of asking. */
export class Slots {
  #free: number;
  /** Who waits, in order of asking. */
  readonly #line = new Set<() => void>();

  constructor(count: number) {
    this.#free = count;
  }

  /** Waits for a slot. Shape: what gives it back. Fails: by the signal, which takes who waits out of the line. */
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

  /** Runs `work` in a slot of its own. Fails: as `take` and `work` do. */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    using _slot = await this.take(signal);
    return await work();
  }

  async #turn(signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = (): void => {
      this.#line.delete(resolve);
      reject(signal?.reason);
    };
    this.#line.add(resolve);
    signal?.addEventListener("abort", leave);
    try {
      await promise;
    } finally {
      signal?.removeEventListener("abort", leave);
    }
  }
}
