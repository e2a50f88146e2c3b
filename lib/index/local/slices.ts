/**
 * Work on the event loop in slices of time that all changes share, and that all long searches
 * share. If each of thirty lists that change at once had slices of its own, everybody else would
 * wait for thirty slices. Called by local_index.ts and local_search.ts.
 * @module
 */

import { nextTurn } from "../../core/flow/clock.ts";

/** Slices of a fixed length. Everything else has its turn between two slices. */
export class Slices {
  readonly #ms: number;
  readonly #waiting: (() => void)[] = [];
  /**
   * When the present slice began. Undefined if nobody has worked since everything else had its
   * turn.
   */
  #startMs: number | undefined;

  constructor(ms: number) {
    this.#ms = ms;
  }

  /** Whether the caller has to wait for the next slice before it works on. */
  get isOver(): boolean {
    if (this.#startMs === undefined) void this.#turn();
    return performance.now() - (this.#startMs ?? 0) > this.#ms;
  }

  /**
   * Waits until everything else has had its turn. If others also waited, the new slice may already
   * be over by then.
   */
  next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async #turn(): Promise<void> {
    this.#startMs = performance.now();
    while (this.#startMs !== undefined) {
      await nextTurn();
      // The first caller may use up the whole slice, so each slice begins with another one.
      const [first, ...woken] = this.#waiting.splice(0);
      this.#startMs = first === undefined ? undefined : performance.now();
      for (const go of woken) go();
      first?.();
    }
  }
}
