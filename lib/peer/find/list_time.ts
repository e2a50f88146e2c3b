/**
 * Bounds the time of a list that arrives page by page: each answer is bounded by itself, but a peer that sends one row with each could go on for days.
 * Called by directory.ts and holders.ts.
 * @module
 */

import type { Clock } from "../../core/flow/clock.ts";
import { Failure } from "../../core/failure.ts";
import { LIST_MS_MAX } from "../../core/limits.ts";

/** The time that one list still has. */
export class ListTime {
  readonly #clock: Clock;
  readonly #what: string;
  #endMs: number;

  /** @param what Whose list it is, as a person reads it. */
  constructor(clock: Clock, what: string) {
    this.#clock = clock;
    this.#what = what;
    this.#endMs = clock.now() + LIST_MS_MAX;
  }

  /**
   * Makes sure that there is time for another page.
   *
   * @throws {Failure} "timeout" when the list has taken too long.
   */
  check(): void {
    if (this.#clock.now() < this.#endMs) return;
    throw new Failure("timeout", `Cannot list ${this.#what}: the list did not end in ${LIST_MS_MAX / 1000} s`);
  }

  /** Waits for something of our own, such as the limit of our rate, which does not count. */
  async without(ours: Promise<void>): Promise<void> {
    const beganMs = this.#clock.now();
    await ours;
    this.#endMs += this.#clock.now() - beganMs;
  }
}
