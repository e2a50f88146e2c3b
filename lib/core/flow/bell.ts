/**
 * Wakes loops that wait for news.
 * @module
 */

import { type Clock, systemClock } from "./clock.ts";

/** A reason for `abort`, which otherwise makes an exception with a stack trace each time. */
const OVER = "the wait is over";

/**
 * A bell for loops that wait. `next` is for loops that look at something themselves before they
 * wait. `wait` is for a single loop: a ring that comes while the loop is busy is heard at its next
 * wait.
 *
 * ```ts
 * import { Bell } from "./bell.ts";
 * const bell = new Bell();
 * const heard = bell.next;
 * bell.ring();
 * await heard;
 * await bell.wait(60_000);
 * ```
 */
export class Bell {
  readonly #clock: Clock;
  #next: PromiseWithResolvers<void> | undefined;
  #isRung = false;

  /** @param clock Measures how long a wait lasts. Default: the machine's clock. */
  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /** Resolves when the bell is rung the next time. */
  get next(): Promise<void> {
    this.#next ??= Promise.withResolvers();
    return this.#next.promise;
  }

  /** Ends all waits. */
  ring(): void {
    this.#isRung = true;
    this.#next?.resolve();
    this.#next = undefined;
  }

  /**
   * Resolves when the bell has been rung since the last wait, or after `ms`.
   *
   * @returns Whether it was rung.
   */
  async wait(ms: number): Promise<boolean> {
    const over = new AbortController();
    try {
      // Aborted below as soon as the bell has rung; that is no error.
      if (!this.#isRung) {
        await Promise.race([this.next, this.#clock.delay(Math.max(0, ms), over.signal).catch(() => {})]);
      }
      return this.#isRung;
    } finally {
      over.abort(OVER);
      this.#isRung = false;
    }
  }
}
