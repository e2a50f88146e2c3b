/**
 * Limits a rate. Code that moves bytes asks first, and waits when the bytes come too fast. Requests
 * to one pace are served in the order of asking, and all ask for the same amount at a time, so they
 * share the rate equally (the "virtual scheduling" form of the generic cell rate algorithm, ITU-T
 * I.371).
 * @module
 */

import type { Clock } from "./clock.ts";

/**
 * How many bytes may go at once after a pause, as time at the rate. They make up for a turn that
 * was late.
 */
const BURST_MS = 125;
/**
 * How long one turn lasts at the rate: short enough to be smooth, long enough to cost little. What
 * goes too early is at most a burst and a turn: less than a twentieth of five seconds. Figures are
 * in lib/README.md, "The way of a byte".
 */
const TURN_MS = 105;
const TURN_BYTES_MIN = 4 * 1024;
const TURN_BYTES_MAX = 1024 * 1024;

/** A rate that several callers share. */
export class Pace {
  /** The most bytes to ask for at once. */
  readonly turnBytes: number;
  readonly #bytesPerMs: number;
  readonly #clock: Clock;
  #nextMs = -Infinity;

  constructor(bytesPerSecond: number, clock: Clock) {
    this.#bytesPerMs = bytesPerSecond / 1000;
    this.turnBytes = Math.round(Math.min(TURN_BYTES_MAX, Math.max(TURN_BYTES_MIN, this.#bytesPerMs * TURN_MS)));
    this.#clock = clock;
  }

  /** The rate in bytes a second. */
  get bytesPerSecond(): number {
    return this.#bytesPerMs * 1000;
  }

  /** Resolves when `bytes` may move. */
  async take(bytes: number): Promise<void> {
    const nowMs = this.#clock.now();
    const startMs = Math.max(this.#nextMs, nowMs - BURST_MS);
    this.#nextMs = startMs + bytes / this.#bytesPerMs;
    if (startMs > nowMs) await this.#clock.delay(startMs - nowMs);
  }

  /**
   * Makes the next caller wait longer by `ms`: the last one used so much more than it had asked
   * for.
   */
  charge(ms: number): void {
    this.#nextMs += ms;
  }
}
