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

  /** Runs `work` in a slot of its own. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#line.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#line.shift();
      if (next !== undefined) next();
      else this.#free += 1;
    }
  }
}
