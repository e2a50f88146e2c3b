/**
 * At most so many at once: whoever finds no slot free waits in line.
 * @module
 */

/** A bounded number of slots, given out in order of asking. */
export class Slots {
  #free: number;
  readonly #line: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** Waits for a slot. Shape: what gives it back. */
  async take(): Promise<Disposable> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#line.push(resolve));
    return {
      [Symbol.dispose]: () => {
        const next = this.#line.shift();
        if (next !== undefined) next();
        else this.#free += 1;
      },
    };
  }

  /** Runs `work` in a slot of its own. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    using _slot = await this.take();
    return await work();
  }
}
