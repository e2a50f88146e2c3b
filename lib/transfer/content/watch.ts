/**
 * What a download reports while it runs and when it ends, and to which caller.
 * @module
 */

import type { Traits } from "../../store/files/traits.ts";

/** How a download is going. */
export interface DownloadProgress {
  /**
   * `waiting`: no peer that has it is connected. `queued`: another download of the same content
   * runs first.
   */
  readonly state: "connecting" | "checking" | "running" | "waiting" | "queued";
  /** Bytes that are here and verified. While `checking`: bytes that have been compared. */
  readonly done: number;
  /** How many of these bytes were copied from other files of this machine. Default: 0. */
  readonly copied?: number | undefined;
  /** The peers that are asked for something now. */
  readonly sources: readonly string[];
  /** How many peers are before this one in the shortest line, when all sources let it wait. */
  readonly before?: number | undefined;
  /** Whether all sources are asking their owners for consent, and none has answered. */
  readonly isAsking?: boolean | undefined;
  /** Failed attempts since the last piece. */
  readonly retries: number;
}

/** The caller of one download: what it wants, when it stops, and where it hears how things go. */
export interface DownloadWatch {
  /** Stops the download. */
  readonly signal: AbortSignal;
  /** Whether to ask for compressed pieces. */
  readonly compress?: boolean | undefined;
  onProgress(progress: DownloadProgress): void;
}

/** What one source gave. */
export interface Given {
  readonly peer: string;
  readonly bytes: number;
  /** How long it was sending. */
  readonly ms: number;
}

/** A file that has arrived whole. */
export interface Downloaded {
  readonly root: string;
  readonly digests: Uint8Array;
  /** What one of the sources says about the file beside its bytes. */
  readonly traits: Traits;
  /** How much each source gave. What was here before is not counted. */
  readonly sources: readonly Given[];
  /**
   * Time until the first verified bytes had arrived or were copied; undefined when everything was
   * here before.
   */
  readonly firstMs: number | undefined;
}
