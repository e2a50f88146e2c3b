/**
 * One turn at a slot of a queue: how well its receiver keeps up, and whether the turn goes on. The
 * decisions are pure functions. fair_queue.ts carries them out, and lib/transfer/send.ts reports
 * what the receiver reads.
 * @module
 */

import type { Clock } from "../../core/flow/clock.ts";
import { Failure } from "../../core/failure.ts";
import { UPLOAD_BYTES_PER_SECOND_MIN, UPLOAD_TURN_MS_MAX } from "../../core/limits.ts";
import type { SendTurn } from "../../transfer/send.ts";

/**
 * The time over which a receiver's rate is measured. A short pause of its network does not make it
 * slow.
 */
const WINDOW_MS = 3_000;
/**
 * The part of a window that the sender must have waited for the receiver, before the receiver's
 * rate counts.
 */
const WAITED_PART_MIN = 0.5;

/** What was measured in one window. */
export interface TurnWindow {
  readonly ms: number;
  /**
   * Time in which bytes were ready and the receiver had not read them. Waits for the disk and for
   * the pace are not in it.
   */
  readonly waitedMs: number;
  /** Bytes that the receiver read. */
  readonly bytes: number;
}

/**
 * Decides whether a receiver reads too slowly to keep a slot while others wait. Only the time in
 * which the sender waits for the receiver counts, so the sender's own limit, its disk and the
 * number of its receivers make nobody slow. On a network that is slow for everybody all receivers
 * are too slow, and each turn ends after one piece.
 */
export function isSlow({ ms, waitedMs, bytes }: TurnWindow): boolean {
  return waitedMs >= ms * WAITED_PART_MIN && bytes / waitedMs * 1000 < UPLOAD_BYTES_PER_SECOND_MIN;
}

/** The state of a turn. */
export interface TurnState {
  readonly heldMs: number;
  /** The last complete window; undefined during the first one. */
  readonly window: TurnWindow | undefined;
  /** Whether others wait. */
  readonly isWanted: boolean;
}

/**
 * Decides what becomes of a turn: it goes on; or it ends at its next piece; or it makes room, which
 * gives its slot to the next at once, since a slow receiver may take long for that piece.
 */
export function judgeTurn({ heldMs, window, isWanted }: TurnState): "goes on" | "ends" | "makes room" {
  if (!isWanted) return "goes on";
  if (window !== undefined && isSlow(window)) return "makes room";
  return heldMs >= UPLOAD_TURN_MS_MAX ? "ends" : "goes on";
}

/** One turn. */
export class QueueTurn implements SendTurn, Disposable {
  readonly #clock: Clock;
  readonly #onEnd: () => void;
  readonly #cut = new AbortController();
  readonly #beganMs: number;
  /** Bytes that the receiver has read so far. */
  bytes = 0;
  #isOver = false;
  #isDisposed = false;
  #window = { startMs: 0, waitedMs: 0, bytes: 0 };
  #complete: TurnWindow | undefined;
  /** Since when the sender waits for the receiver; undefined while it does not. */
  #waitsMs: number | undefined;

  /** @param onEnd Called once, when the turn is disposed of. */
  constructor(clock: Clock, onEnd: () => void) {
    this.#clock = clock;
    this.#onEnd = onEnd;
    this.#beganMs = this.#window.startMs = clock.now();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get signal(): AbortSignal {
    return this.#cut.signal;
  }

  waits(): void {
    this.#roll();
    this.#waitsMs = this.#clock.now();
  }

  took(bytes: number): void {
    this.#count();
    this.#waitsMs = undefined;
    this.bytes += bytes;
    this.#window.bytes += bytes;
    this.#roll();
  }

  /** Decides what becomes of the turn now, when others wait. */
  judge(): ReturnType<typeof judgeTurn> {
    this.#count();
    this.#roll();
    return judgeTurn({ heldMs: this.#clock.now() - this.#beganMs, window: this.#complete, isWanted: true });
  }

  /** Lets the turn end at its next piece. */
  end(): void {
    this.#isOver = true;
  }

  /** Ends the turn at once, in the middle of a piece. */
  cut(): void {
    this.end();
    this.#cut.abort(new Failure("busy", "The receiver reads too slowly while others wait"));
  }

  /** Gives the slot back. */
  [Symbol.dispose](): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#onEnd();
  }

  /** Adds the time that the sender has waited for the receiver until now. */
  #count(): void {
    if (this.#waitsMs === undefined) return;
    const nowMs = this.#clock.now();
    this.#window.waitedMs += nowMs - this.#waitsMs;
    this.#waitsMs = nowMs;
  }

  /** Begins a window when the one before is complete. */
  #roll(): void {
    const nowMs = this.#clock.now();
    const ms = nowMs - this.#window.startMs;
    if (ms < WINDOW_MS) return;
    this.#complete = { ms, waitedMs: this.#window.waitedMs, bytes: this.#window.bytes };
    this.#window = { startMs: nowMs, waitedMs: 0, bytes: 0 };
  }
}
