/**
 * How a download is going, in the words of its watch. Pure; called by download.ts.
 * @module
 */

import type { LocalCopy } from "./pieces/local_copy.ts";
import type { SourceAtWork } from "./sources/source_at_work.ts";
import type { DownloadProgress } from "./content/watch.ts";

/** What is known about a download beside its sources. */
interface DownloadStanding {
  /** Bytes that are here and verified. */
  readonly done: number;
  /** Whether there are digests, and what is here has been compared with them. */
  readonly isChecked: boolean;
  /** Whether sources are about to be asked for pieces. */
  readonly isFetching: boolean;
  /** What is copied from this machine. */
  readonly local: Pick<LocalCopy, "promised" | "bytes"> | undefined;
}

/** How a download is going, from what its sources do. */
export function progressOf(
  sources: readonly SourceAtWork[],
  { done, isChecked, isFetching, local }: DownloadStanding,
): DownloadProgress {
  const asked = sources.filter((source) => source.asked !== undefined || source.isAsking);
  const isWorking = isFetching || local?.promised !== undefined || sources.some((source) => source.isBusy);
  const progress: Mutable<DownloadProgress> = {
    state: !isWorking ? "waiting" : isChecked ? "running" : "connecting",
    done,
    sources: asked.map((source) => source.peer),
    retries: sources.reduce((sum, source) => sum + source.record.tries, 0),
  };
  if (local !== undefined && local.bytes > 0) progress.copied = local.bytes;
  const lines = asked.map((source) => source.before).filter((before) => before !== undefined);
  if (asked.length > 0 && lines.length === asked.length) progress.before = Math.min(...lines);
  if (asked.length > 0 && asked.every((source) => source.isAsking)) progress.isAsking = true;
  return progress;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
