/**
 * Holds a rate: whoever moves bytes asks first, and waits when they come too fast. The requests of all who share a pace are served in the
 * order of asking, and all ask for equally much at a time, so they share the rate equally (the "virtual scheduling" form of the generic
 * cell rate algorithm, ITU-T I.371).
 * @module
 */

import type { Clock } from "./clock.ts";

/** Bytes that may go at once after a pause, as time at the rate. Several turns, so that those after one that was held up make up for it. */
const BURST_MS = 125;
/** How long one turn lasts at the rate: short enough to be smooth, long enough to cost little. At 5 MB/s, turns of 25 ms took 1.5 times the CPU time. */
const TURN_MS = 50;
const TURN_BYTES_MIN = 4 * 1024;
const TURN_BYTES_MAX = 1024 * 1024;

/** A rate that several share. */
export class Pace {
  /** The most to ask for at a time. */
  readonly turnBytes: number;
  readonly #bytesPerMs: number;
  readonly #clock: Clock;
  #nextMs = -Infinity;

  constructor(bytesPerSecond: number, clock: Clock) {
    this.#bytesPerMs = bytesPerSecond / 1000;
    this.turnBytes = Math.round(Math.min(TURN_BYTES_MAX, Math.max(TURN_BYTES_MIN, this.#bytesPerMs * TURN_MS)));
    this.#clock = clock;
  }

  /** The rate. */
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

  /** Has whoever comes next wait for so much longer, since what was done last was worth that. */
  charge(ms: number): void {
    this.#nextMs += ms;
  }
}
