/**
 * Work on the event loop in slices of time, which all who have such work share: thirty lists that change at once would otherwise hold up
 * everybody else for thirty slices. Called by local_index.ts.
 * @module
 */

import { nextTurn } from "../../core/flow/clock.ts";

/** Slices of so many milliseconds, between which everything else has its turn. */
export class Slices {
  readonly #ms: number;
  readonly #waiting: (() => void)[] = [];
  /** When the slice began that is being worked in; undefined when nobody has worked since everything else had its turn. */
  #startMs: number | undefined;

  constructor(ms: number) {
    this.#ms = ms;
  }

  /** Whether whoever works has to wait for the next slice. */
  get isOver(): boolean {
    if (this.#startMs === undefined) void this.#turn();
    return performance.now() - (this.#startMs ?? 0) > this.#ms;
  }

  /** Waits until everything else has had its turn. The slice may be over again then, if others waited, too. */
  next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async #turn(): Promise<void> {
    this.#startMs = performance.now();
    while (this.#startMs !== undefined) {
      await nextTurn();
      // Who comes first may use up all of the slice, so each time it is somebody else.
      const [first, ...woken] = this.#waiting.splice(0);
      this.#startMs = first === undefined ? undefined : performance.now();
      for (const go of woken) go();
      first?.();
    }
  }
}
