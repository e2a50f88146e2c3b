/**
 * What plan.ts decides from: the state of a download and of each of its sources, as plain values.
 * @module
 */

import type { PieceSet } from "../../core/piece_set.ts";
import type { Random } from "../../core/random.ts";
import type { Range } from "../../core/range.ts";

/**
 * A source as the plan sees it. It is judged by verified pieces, not by what it says or by bytes of
 * incomplete pieces.
 */
export interface PlannedSource {
  readonly id: string;
  /**
   * Ready to be asked; busy with what was asked; resting after a failure; or dropped, never to be
   * asked again.
   */
  readonly state: "ready" | "busy" | "resting" | "dropped";
  /** Failed attempts in a row, without a piece between them. */
  readonly tries: number;
  /** Whether its last request gave a piece; "new" until a request has ended. */
  readonly standing: "new" | "good" | "bad";
  /** Undefined while it is not known. */
  readonly bytesPerSecond: number | undefined;
  /** The pieces that it reports to have; undefined when it has all. */
  readonly has: PieceSet | undefined;
  /**
   * The pieces that it reports to have sent to somebody; undefined when it does not report them.
   */
  readonly given: PieceSet | undefined;
  /** How many peers download from it now, as it reports; this peer is one of them. */
  readonly asking: number;
  /** What it still has to deliver of what it was asked for. */
  readonly asked: Range | undefined;
  /** What it was asked for ahead, to be delivered after that. */
  readonly next: Range | undefined;
  /** How fast it delivers what it was asked for; undefined before the first piece of that. */
  readonly turnBytesPerSecond: number | undefined;
  /** The shortest time from a request to its answer; undefined while it is not known. */
  readonly roundTripMs: number | undefined;
  /**
   * Time since it was asked, or since its last verified piece after that; 0 when it is not asked
   * for anything.
   */
  readonly sinceMs: number;
  /** Bytes that came from it in that time. */
  readonly sinceBytes: number;
  /** Whether we wait for a person, or for our turn. */
  readonly isWaiting: boolean;
  /** Whether it reports that all its upload slots are in use, so that we would wait in its line. */
  readonly isFull: boolean;
}

/** Where a download stands. */
export interface DownloadState {
  readonly size: number;
  readonly here: PieceSet;
  /**
   * The pieces that are being copied from other files of this machine. No source is asked for them.
   * Undefined when there are none, or when the disk is too slow to wait for.
   */
  readonly local?: PieceSet | undefined;
  /** In order of preference. */
  readonly sources: readonly PlannedSource[];
  /** A stream needs its pieces in order. A file gets the rarest pieces first. */
  readonly order: "in-order" | "rarest-first";
  /** After how many failed attempts a source is given up. */
  readonly triesMax: number;
  /** Time since the last piece of any source. */
  readonly idleMs: number;
  /** How long that may be while no source lets us wait. */
  readonly idleMsMax: number;
  /** How long that may be at all. */
  readonly waitMsMax: number;
  /** Our own rate limit for everything that is received, if there is one. */
  readonly bytesPerSecondMax: number | undefined;
  readonly random: Random;
}
