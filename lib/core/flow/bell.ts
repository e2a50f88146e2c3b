/**
 * Wakes a loop that waits for news, and for no longer than a time.
 * @module
 */

import type { Clock } from "./clock.ts";

/** A reason for `abort`, which otherwise makes an exception with a stack trace each time. */
const OVER = "the wait is over";

/** A bell for one who waits. Rung while nobody waits, it is heard at the next wait. */
export class Bell {
  readonly #clock: Clock;
  #rung = Promise.withResolvers<void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Ends the wait. */
  ring(): void {
    this.#rung.resolve();
  }

  /** Resolves when the bell has been rung since the last wait, or after `ms`. */
  async wait(ms: number): Promise<void> {
    const over = new AbortController();
    try {
      // Aborted below as soon as the bell has rung; that is no error.
      await Promise.race([this.#rung.promise, this.#clock.delay(Math.max(0, ms), over.signal).catch(() => {})]);
    } finally {
      over.abort(OVER);
      this.#rung = Promise.withResolvers();
    }
  }
}
