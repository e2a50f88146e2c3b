/**
 * What plan.ts decides from: where a download stands, and each of its sources, as plain values.
 * @module
 */

import type { PieceSet } from "../../core/piece_set.ts";
import type { Random } from "../../core/random.ts";
import type { Range } from "../../core/range.ts";

/** A source as the plan sees it. Only verified pieces speak for it: what it says, and bytes of a piece that is not complete, do not. */
export interface PlannedSource {
  readonly id: string;
  /** Ready to be asked; busy with what was asked; resting after a failure; or dropped, never to be asked again. */
  readonly state: "ready" | "busy" | "resting" | "dropped";
  /** Failed attempts in a row, without a piece between them. */
  readonly tries: number;
  /** Whether its last request gave a piece; "new" as long as none has ended. */
  readonly standing: "new" | "good" | "bad";
  /** Undefined as long as it is not known. */
  readonly bytesPerSecond: number | undefined;
  /** The pieces that it says it has; undefined when it has all. */
  readonly has: PieceSet | undefined;
  /** The pieces that it says it has given to somebody; undefined when it does not say. */
  readonly given: PieceSet | undefined;
  /** How many peers download from it now, as it says, this one included. */
  readonly asking: number;
  /** What it was asked for and has not delivered. */
  readonly asked: Range | undefined;
  /** Time since it was asked, or since its last verified piece after that; 0 when it is asked for nothing. */
  readonly sinceMs: number;
  /** Bytes that have come from it in that time. */
  readonly sinceBytes: number;
  /** Whether it says that we wait for a person, or for our turn. */
  readonly isWaiting: boolean;
  /** Whether it says that all its upload slots are taken, so that we would wait in its line. */
  readonly isFull: boolean;
}

/** Where a download stands. */
export interface DownloadState {
  readonly size: number;
  readonly here: PieceSet;
  /** In order of preference. */
  readonly sources: readonly PlannedSource[];
  /** A stream takes pieces in order; a file takes those first that fewest have. */
  readonly order: "in-order" | "rarest-first";
  /** How many times a source is tried in vain. */
  readonly triesMax: number;
  /** How long no piece has come. */
  readonly idleMs: number;
  /** For how long that is borne while no source says that we wait for it. */
  readonly idleMsMax: number;
  /** For how long it is borne at all. */
  readonly waitMsMax: number;
  /** Our own limit for all that is received, if there is one. */
  readonly bytesPerSecondMax: number | undefined;
  readonly random: Random;
}
