/**
 * Notices when this machine, its disk or its output holds a download up, so that no source is
 * blamed for it. Called by download.ts.
 * @module
 */

import type { Bell } from "../core/flow/bell.ts";
import type { Clock } from "../core/flow/clock.ts";

/** How late something may be before it counts as a hold-up. */
const HELD_UP_MS = 1_000;

/** What can hold one download up: its writes, and waits that end late. */
export class HoldUps {
  readonly #clock: Clock;
  /** When each write that is under way began. */
  readonly #writes = new Set<{ readonly sinceMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Notes a write that is under way, and returns it. */
  note(write: Promise<void>): Promise<void> {
    const begun = { sinceMs: this.#clock.now() };
    this.#writes.add(begun);
    const end = (): void => void this.#writes.delete(begun);
    write.then(end, end);
    return write;
  }

  /**
   * Waits for a bell, or for `waitMs`.
   *
   * @returns How much of that time was held up here, in milliseconds.
   */
  async wait(bell: Bell, waitMs: number): Promise<number> {
    const beganMs = this.#clock.now();
    await bell.wait(waitMs);
    const nowMs = this.#clock.now();
    if (this.#writes.values().some(({ sinceMs }) => nowMs - sinceMs > HELD_UP_MS)) return nowMs - beganMs;
    const lateMs = nowMs - beganMs - waitMs;
    return lateMs > HELD_UP_MS ? lateMs : 0;
  }
}
