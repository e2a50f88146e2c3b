/**
 * How many datagrams may be under way: somewhat more than the network was seen to deliver in the time that one takes there and back. The model is
 * that of BBR (Cardwell and others, "BBR: Congestion-Based Congestion Control", 2016).
 *
 * It goes by what arrives, not by what is lost: a wireless network loses some of everything, and halving the window at each loss, as TCP did, would
 * make a tenth of it lost into a tenth of its speed. A queue that is full delivers no more than before, so the window does not grow there either.
 * Values only; the clock is passed in.
 * @module
 */

import { DATAGRAM_WINDOW_MAX } from "../core/limits.ts";

/** The window at the beginning, and the smallest one. */
const WINDOW_MIN = 32;
/** What is tried beyond what was delivered: doubling until that brings no more, then half, which a third of loss uses up. */
const GAIN_FIRST = 2;
const GAIN = 1.5;
/** Growth that counts as more, and rounds without it until the first phase is over. */
const GROWTH_MIN = 1.25;
const FLAT_ROUNDS_MAX = 3;
/** Rounds of which the best counts; a shorter round than this says little. */
const ROUNDS = 10;
const ROUND_MS_MIN = 5;
/** What acknowledging late and a busy machine add to the time there and back. */
const SLACK_MS = 1.5;

/** The window of one picture. */
export class DatagramWindow {
  /** Datagrams that may be under way. */
  size = WINDOW_MIN;
  /** The time there and back, smoothed; undefined until it was measured. */
  tripMs: number | undefined;
  #tripMinMs = Infinity;
  #growing = true;
  #flatRounds = 0;
  /** Datagrams a millisecond, of the last rounds. */
  readonly #rates: number[] = [];
  #round: { readonly startMs: number; readonly delivered: number; readonly until: number } | undefined;

  /**
   * Notes an acknowledgement. `latest` is the highest number that has arrived, `next` the number that would be sent now, `delivered` how many parts
   * are known to be there; `tripMs` how long the latest took there and back, if that is new.
   */
  note(
    seen: { nowMs: number; latest: number; next: number; delivered: number; tripMs: number | undefined },
  ): void {
    const { nowMs, latest, next, delivered, tripMs } = seen;
    if (tripMs !== undefined) {
      this.tripMs = this.tripMs === undefined ? tripMs : this.tripMs + (tripMs - this.tripMs) / 8;
      this.#tripMinMs = Math.min(this.#tripMinMs, tripMs);
    }
    const round = this.#round;
    if (round === undefined) this.#round = { startMs: nowMs, delivered, until: next };
    else if (latest >= round.until && nowMs - round.startMs >= ROUND_MS_MIN) {
      this.#endRound((delivered - round.delivered) / (nowMs - round.startMs));
      this.#round = { startMs: nowMs, delivered, until: next };
    }
  }

  #endRound(rate: number): void {
    const before = Math.max(0, ...this.#rates);
    this.#rates.push(rate);
    if (this.#rates.length > ROUNDS) this.#rates.shift();
    if (this.#growing) {
      this.#flatRounds = rate >= before * GROWTH_MIN ? 0 : this.#flatRounds + 1;
      this.#growing = this.#flatRounds < FLAT_ROUNDS_MAX;
    }
    const held = Math.max(...this.#rates) * (this.#tripMinMs + SLACK_MS);
    const wanted = held * (this.#growing ? GAIN_FIRST : GAIN);
    this.size = Math.max(WINDOW_MIN, Math.min(DATAGRAM_WINDOW_MAX, Math.ceil(wanted)));
  }
}
