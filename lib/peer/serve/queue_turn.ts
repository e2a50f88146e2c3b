/**
 * One turn at an upload slot: how its receiver keeps up, and whether the turn goes on. The decisions are pure functions; upload_line.ts carries
 * them out, and lib/transfer/send.ts reports what the receiver takes.
 * @module
 */

import type { Clock } from "../../core/flow/clock.ts";
import { Failure } from "../../core/failure.ts";
import { UPLOAD_BYTES_PER_SECOND_MIN, UPLOAD_TURN_MS_MAX } from "../../core/limits.ts";
import type { SendTurn } from "../../transfer/send.ts";

/** Over how long a receiver's rate is measured: a short pause of its network is no slowness. */
const WINDOW_MS = 3_000;
/** The part of a window in which the sender has to have waited for the receiver, before the receiver's rate says anything. */
const WAITED_PART_MIN = 0.5;

/** What one window saw. */
export interface TurnWindow {
  readonly ms: number;
  /** Time in which bytes were ready for the receiver and it had not taken them; neither the disk nor the pace of the sender is in it. */
  readonly waitedMs: number;
  /** Bytes that the receiver took. */
  readonly bytes: number;
}

/**
 * Whether a receiver reads too slowly to keep a slot while others wait. Only time in which the sender waits for the receiver counts, so the sender's own
 * limit, its disk and the number of its receivers slow nobody down here. On a network that is slow for everybody all are too slow, and turns go round
 * after each piece.
 */
export function isSlow({ ms, waitedMs, bytes }: TurnWindow): boolean {
  return waitedMs >= ms * WAITED_PART_MIN && bytes / waitedMs * 1000 < UPLOAD_BYTES_PER_SECOND_MIN;
}

/** How a turn stands. */
export interface TurnState {
  readonly heldMs: number;
  /** The last window that is complete; undefined in the first one. */
  readonly window: TurnWindow | undefined;
  /** Whether others wait. */
  readonly isWanted: boolean;
}

/** Whether a turn goes on; ends at its next piece; or gives its slot to the next at once, since its receiver may take long for that piece. */
export function judgeTurn({ heldMs, window, isWanted }: TurnState): "goes on" | "ends" | "makes room" {
  if (!isWanted) return "goes on";
  if (window !== undefined && isSlow(window)) return "makes room";
  return heldMs >= UPLOAD_TURN_MS_MAX ? "ends" : "goes on";
}

/** One turn. */
export class UploadTurn implements SendTurn, Disposable {
  readonly #clock: Clock;
  readonly #onEnd: () => void;
  readonly #cut = new AbortController();
  readonly #beganMs: number;
  /** Bytes that the receiver has taken so far, as they were reported. */
  bytes = 0;
  #isOver = false;
  #isDisposed = false;
  #window = { startMs: 0, waitedMs: 0, bytes: 0 };
  #complete: TurnWindow | undefined;
  /** Since when the receiver is waited for. */
  #waitsMs: number | undefined;

  /** @param onEnd Called once, when the turn ends. */
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

  /** Whether it goes on, if others wait. */
  judge(): ReturnType<typeof judgeTurn> {
    this.#count();
    this.#roll();
    return judgeTurn({ heldMs: this.#clock.now() - this.#beganMs, window: this.#complete, isWanted: true });
  }

  /** Lets it end at its next piece. */
  end(): void {
    this.#isOver = true;
  }

  /** Ends it at once, in the middle of a piece. */
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

  /** Adds the time that the receiver has been waited for until now. */
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
