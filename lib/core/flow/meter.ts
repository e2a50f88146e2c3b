/**
 * Measures a rate: bytes over the last few seconds. Pure: the time is passed in.
 * @module
 */

/** How far back the measure looks. */
const WINDOW_MS = 3_000;

/**
 * Samples closer to each other than this count as one: a fast download notes thousands a second.
 */
const STEP_MS = 50;

/** A sliding measure of bytes per second. */
export class Meter {
  #samples: { readonly ms: number; readonly bytes: number }[] = [];

  /** Notes that `bytes` have moved in total at time `ms`. */
  note(bytes: number, ms: number): void {
    const before = this.#samples.at(-2);
    if (before !== undefined && ms - before.ms < STEP_MS) this.#samples.pop();
    this.#samples.push({ bytes, ms });
    // The newest sample older than the window stays, since the measure begins there.
    const kept = this.#samples.findLastIndex((sample) => sample.ms <= ms - WINDOW_MS);
    if (kept > 0) this.#samples.splice(0, kept);
  }

  /** Bytes per second at time `ms`: 0 while nothing is known. */
  bytesPerSecond(ms: number): number {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || ms <= first.ms) return 0;
    return (last.bytes - first.bytes) / (ms - first.ms) * 1000;
  }
}
