/**
 * One download: what it is given, what it tells and how it ends; running_download.ts carries it out. Called by lib/peer/get/fetch_file.ts.
 *
 * The way of a byte: a source's connection → a buffer of one piece → its digest compared with the list → the sink. Nothing that was not
 * verified counts; everything that was stays, whatever happens next.
 * @module
 */

import type { Clock } from "../core/flow/clock.ts";
import type { Failure } from "../core/failure.ts";
import type { Pace } from "../core/flow/pace.ts";
import type { PieceSet } from "../core/piece_set.ts";
import type { Random } from "../core/random.ts";
import type { Deliverers } from "./deliverers.ts";
import type { Traits } from "../store/files/traits.ts";
import type { Connect, Source } from "./lane.ts";
import { RunningDownload } from "./running_download.ts";
import type { Sink } from "./sink.ts";

/** What is to be downloaded. Without a root when its owner has not hashed it yet. */
export interface Content {
  readonly name: string;
  readonly size: number;
  readonly root?: string;
}

/** How a download is going. */
export interface DownloadProgress {
  readonly state: "connecting" | "checking" | "running" | "waiting";
  /** Bytes that are here and verified, or while checking, looked at. */
  readonly done: number;
  /** The peers that are asked for something now. */
  readonly sources: readonly string[];
  /** How many are before us in the shortest line, when all sources let us wait. */
  readonly before?: number;
  /** Whether all sources ask their owners for consent, and nobody has said yes. */
  readonly isAsking?: boolean;
  /** Failed attempts since the last piece. */
  readonly retries: number;
}

/** The pieces of a download that are here, for others to have. */
export interface PartialContent extends Content {
  readonly root: string;
  readonly digests: Uint8Array;
  readonly traits: Traits;
  /** Grows as pieces arrive. */
  readonly here: PieceSet;
}

/** What a download needs. */
export interface DownloadOptions {
  readonly content: Content;
  readonly sink: Sink;
  /** Asks who has the content now; by its root, as soon as that is known. Called at the start, and again and again. */
  readonly sources: (root: string | undefined) => Promise<readonly Source[]>;
  readonly onProgress: (progress: DownloadProgress) => void;
  /** Called once it is known what is here already, with what grows from then on. */
  readonly onPartial?: (partial: PartialContent) => void;
  /** Called when a source is given up because of what it sent. */
  readonly onBadSource?: (peer: string, failure: Failure) => void;
  readonly signal: AbortSignal;
  readonly connect: Connect;
  readonly clock: Clock;
  readonly random: Random;
  /** The pace of all that is received. */
  readonly pace?: Pace;
  /** Whether to ask for packed pieces. */
  readonly compress?: boolean;
  /** Peers that delivered something to this peer before. */
  readonly deliverers?: Deliverers;
}

/** What one source gave. */
export interface Given {
  readonly peer: string;
  readonly bytes: number;
  /** How long it was at work for us. */
  readonly ms: number;
}

/** A file that has arrived whole. */
export interface Downloaded {
  readonly root: string;
  readonly digests: Uint8Array;
  /** What one of the sources says of the file beside its bytes. */
  readonly traits: Traits;
  /** Who gave how much; what was here before is in none. */
  readonly sources: readonly Given[];
  /** Time until the first verified bytes were taken; undefined when nothing had to be fetched. */
  readonly firstMs: number | undefined;
}

/**
 * Downloads a file into a sink. Fails: "disk-full" and "no-access" of our own disk; "cancelled" by the signal; else as the last source did,
 * when no source is left.
 */
export async function download(options: DownloadOptions): Promise<Downloaded> {
  await using running = new RunningDownload(options);
  return await running.run();
}
