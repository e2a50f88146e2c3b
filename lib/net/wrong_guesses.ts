/**
 * Slows down callers that guess at the room key: each wrong guess from an address makes the next
 * one from there wait longer. Called by lib/server and lib/peer.
 * @module
 */

import { addressShare } from "../core/address.ts";
import { BoundedMap } from "../core/bounded_map.ts";
import type { Clock } from "../core/flow/clock.ts";
import { GUESS_FIRST_MS, GUESS_LAST_MS, GUESSING_ADDRESSES_MAX } from "../core/limits.ts";

/** Wrong guesses by address. */
export class WrongGuesses {
  readonly #clock: Clock;
  readonly #wrong = new BoundedMap<string, { count: number; untilMs: number }>(GUESSING_ADDRESSES_MAX);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Waits until an address may guess again. Guesses that wait at the same time wait one after the
   * other.
   */
  async wait(host: string): Promise<void> {
    const wrong = this.#wrong.get(addressShare(host));
    if (wrong === undefined) return;
    const nowMs = this.#clock.now();
    const startMs = Math.max(nowMs, wrong.untilMs);
    wrong.untilMs = startMs + pauseMs(wrong.count);
    if (startMs > nowMs) await this.#clock.delay(startMs - nowMs);
  }

  /** Notes a wrong guess. */
  note(host: string): void {
    const share = addressShare(host);
    const count = (this.#wrong.get(share)?.count ?? 0) + 1;
    this.#wrong.set(share, { count, untilMs: this.#clock.now() + pauseMs(count) });
  }
}

function pauseMs(count: number): number {
  return Math.min(GUESS_LAST_MS, GUESS_FIRST_MS * 2 ** Math.min(count - 1, 20));
}
