/**
 * Decides how many datagrams may be under way: somewhat more than the network has delivered in one
 * round-trip time. The model is that of BBR (Cardwell and others, "BBR: Congestion-Based Congestion
 * Control", 2016).
 *
 * The window depends on what arrives, not on what is lost. A wireless network always loses some
 * datagrams: with a window that is halved at each loss, as in older TCP, a loss of a tenth would
 * leave a tenth of the speed. A full queue delivers no more than before, so the window does not
 * grow there either. The time is passed in.
 * @module
 */

import { DATAGRAM_WINDOW_MAX } from "../core/limits.ts";

/** The first window, which is also the smallest. */
const WINDOW_MIN = 32;
/** In the first phase, the window is this many times what was delivered. */
const GAIN_FIRST = 2;
/**
 * After the first phase, the window is this many times what was delivered; a loss of a third uses
 * up the difference.
 */
const GAIN = 1.5;
/** The first phase goes on while the rate grows by this factor. */
const GROWTH_MIN = 1.25;
/** The first phase ends after this many rounds without such growth. */
const FLAT_ROUNDS_MAX = 3;
/** The window depends on the best of this many rounds. */
const ROUNDS = 10;
/** The shortest round that can be measured. */
const ROUND_MS_MIN = 5;
/** What late acknowledgements and a busy machine add to the round-trip time. */
const SLACK_MS = 1.5;

/** The window of one picture. */
export class DatagramWindow {
  /** How many datagrams may be under way. */
  size = WINDOW_MIN;
  /** The smoothed round-trip time; undefined until it has been measured. */
  tripMs: number | undefined;
  #tripMinMs = Infinity;
  #growing = true;
  #flatRounds = 0;
  /** Datagrams per millisecond in the last rounds. */
  readonly #rates: number[] = [];
  #round: { readonly startMs: number; readonly delivered: number; readonly until: number } | undefined;

  /**
   * Notes an acknowledgement.
   *
   * @param seen.latest The highest number that has arrived.
   * @param seen.next The number of the next datagram.
   * @param seen.delivered How many parts are acknowledged.
   * @param seen.tripMs The round-trip time of the latest datagram, if it is new.
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
