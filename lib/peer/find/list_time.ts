/**
 * Limits the time of a list that arrives page by page. Each answer has a limit of its own, but a
 * peer that sends one row with each could continue for days. Called by peer_lists.ts, finder.ts and
 * holders.ts.
 * @module
 */

import type { Clock } from "../../core/flow/clock.ts";
import { Failure } from "../../core/failure.ts";
import { LIST_MS_MAX } from "../../core/limits.ts";

/** The time that is left for one list. */
export class ListTime {
  readonly #clock: Clock;
  readonly #what: string;
  #endMs: number;

  /** @param what Names the list in the error message. */
  constructor(clock: Clock, what: string) {
    this.#clock = clock;
    this.#what = what;
    this.#endMs = clock.now() + LIST_MS_MAX;
  }

  /**
   * Checks that there is time for another page.
   *
   * @throws {Failure} "timeout" when the list has taken too long.
   */
  check(): void {
    if (this.#clock.now() < this.#endMs) return;
    throw new Failure("timeout", `Cannot list ${this.#what}: the list did not end in ${LIST_MS_MAX / 1000} s`);
  }

  /**
   * Waits for something that this peer causes itself, such as its own rate limit. That time does
   * not count.
   */
  async without(ours: Promise<void>): Promise<void> {
    const beganMs = this.#clock.now();
    await ours;
    this.#endMs += this.#clock.now() - beganMs;
  }
}
