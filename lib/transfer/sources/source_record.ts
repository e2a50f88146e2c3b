/**
 * What one source has given in one download: how much, how fast, and how often it failed. Called by
 * source_at_work.ts.
 * @module
 */

import { backoffMs } from "../../core/flow/backoff.ts";
import type { Clock } from "../../core/flow/clock.ts";
import { RETRY_FIRST_MS, RETRY_LAST_MS } from "../../core/limits.ts";
import type { Random } from "../../core/random.ts";
import type { DownloadTools } from "../content/download_tools.ts";
import type { PlannedSource } from "../plan/plan_state.ts";

/** The record of one source. A turn is one request for a range. */
export class SourceRecord {
  /** Verified bytes that came from the source. */
  bytes = 0;
  /** How long they took. */
  busyMs = 0;
  readonly #clock: Clock;
  readonly #random: Random;
  #tries = 0;
  #standing: PlannedSource["standing"] = "new";
  #bytesPerSecond: number | undefined;
  #restUntilMs = -Infinity;
  /**
   * The present turn: when its first answer came, when its last piece came, and how much it gave.
   */
  #turn = { beganMs: 0, pieceMs: 0, bytes: 0 };

  constructor({ clock, random }: Pick<DownloadTools, "clock" | "random">) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Failed attempts since the last piece. */
  get tries(): number {
    return this.#tries;
  }

  /** Whether the last turn gave a piece. */
  get standing(): PlannedSource["standing"] {
    return this.#standing;
  }

  /** How fast the last good turn was; undefined while there was none. */
  get bytesPerSecond(): number | undefined {
    return this.#bytesPerSecond;
  }

  /** How long the source still has to rest after a failure. */
  restMs(): number {
    return Math.max(0, this.#restUntilMs - this.#clock.now());
  }

  /** Begins a turn. */
  beginTurn(): void {
    const nowMs = this.#clock.now();
    this.#turn = { beganMs: nowMs, pieceMs: nowMs, bytes: 0 };
  }

  /** Notes that the source begins to answer. Time before its first answer does not count. */
  answers(): void {
    if (this.#turn.bytes === 0) this.#turn.beganMs = this.#turn.pieceMs = this.#clock.now();
  }

  /** Notes a piece that was verified and written. */
  gave(bytes: number): void {
    const nowMs = this.#clock.now();
    this.busyMs += nowMs - this.#turn.pieceMs;
    this.#turn.pieceMs = nowMs;
    this.bytes += bytes;
    this.#turn.bytes += bytes;
    this.#tries = 0;
  }

  /** Ends a turn, well or badly. */
  endTurn(): void {
    const { beganMs, bytes } = this.#turn;
    this.#standing = bytes > 0 ? "good" : "bad";
    if (bytes > 0) this.#bytesPerSecond = bytes / Math.max(this.#clock.now() - beganMs, 1) * 1000;
  }

  /** Notes a failed attempt, after which the source rests. */
  failed(): void {
    const bounds = { firstMs: RETRY_FIRST_MS, lastMs: RETRY_LAST_MS };
    this.#restUntilMs = this.#clock.now() + backoffMs(this.#tries, bounds, this.#random);
    // A source that gave pieces before it failed has only ended its turn.
    if (this.#tries > 0) this.#standing = "bad";
    this.#tries += 1;
  }
}
