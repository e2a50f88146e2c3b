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

/** The record of one source. */
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
  beginTurn(): TurnRecord {
    return new TurnRecord(this.#clock);
  }

  /** Notes a piece of a turn that was verified and written. */
  gave(bytes: number, turn: TurnRecord): void {
    this.busyMs += turn.gave(bytes);
    this.bytes += bytes;
    this.#tries = 0;
  }

  /** Ends a turn, well or badly. */
  endTurn({ bytes, bytesPerSecond }: TurnRecord): void {
    this.#standing = bytes > 0 ? "good" : "bad";
    this.#bytesPerSecond = bytesPerSecond ?? this.#bytesPerSecond;
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

/** The record of one turn, which is one request for a range. */
export class TurnRecord {
  /** Verified bytes that it gave. */
  bytes = 0;
  readonly #clock: Clock;
  /** When its first answer came, and its last piece. */
  #beganMs: number;
  #pieceMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#beganMs = this.#pieceMs = clock.now();
  }

  /** How fast it has been since its first answer; undefined before its first piece. */
  get bytesPerSecond(): number | undefined {
    return this.bytes === 0 ? undefined : this.bytes / Math.max(this.#clock.now() - this.#beganMs, 1) * 1000;
  }

  /** Notes that the source begins to answer. Time before its first answer does not count. */
  answers(): void {
    if (this.bytes === 0) this.#beganMs = this.#pieceMs = this.#clock.now();
  }

  /**
   * Notes a piece.
   *
   * @returns How long it took.
   */
  gave(bytes: number): number {
    const beforeMs = this.#pieceMs;
    this.#pieceMs = this.#clock.now();
    this.bytes += bytes;
    return this.#pieceMs - beforeMs;
  }
}
