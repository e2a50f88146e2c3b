/**
 * Judges, for plan.ts, how fast the sources of a download are, and which of them keep it waiting: by the bytes that come from them, and by the pieces
 * that turn out to be right, whatever they say meanwhile.
 * @module
 */

import { PIECE_BYTES } from "../../core/content.ts";
import type { DownloadState, PlannedSource } from "./plan_state.ts";

/** Time without a verified piece after which a source counts as late, where our own rate does not make every piece take longer. */
const LATE_MS = 2_000;
/**
 * Time without a piece from any source after which a source counts as stalled, unless it sends fast enough to complete its piece within `LATE_MS`.
 * Its pieces are then also requested from others. Without this, sources that stall one after the other would cost a download `LATE_MS` each.
 */
const STALLED_MS = 500;
/** The time that a piece may take, though no other source gives anything: one that sends more slowly counts as silent. */
const SLOWEST_PIECE_MS = 100_000;
/** What a source of unknown speed is taken for. */
const UNKNOWN_BYTES_PER_SECOND = 4 * PIECE_BYTES;

/** Whether a source has given no verified piece for longer than one may take. */
export function isOverdue(sinceMs: number): boolean {
  return sinceMs >= LATE_MS;
}

/** Whether a piece is on its way that will be whole, and judged, in the time that one may take. */
export function isSlowButMoving({ asked, sinceMs, sinceBytes }: PlannedSource): boolean {
  const dueMs = sinceMs - LATE_MS;
  return asked !== undefined && dueMs < SLOWEST_PIECE_MS && sinceBytes / PIECE_BYTES >= dueMs / SLOWEST_PIECE_MS;
}

/** Whether a source keeps us waiting for a piece, whatever it says meanwhile. */
export function isLate(
  { asked, sinceMs, isWaiting }: PlannedSource,
  { bytesPerSecondMax, sources }: DownloadState,
): boolean {
  if (asked === undefined) return false;
  // At our own limit all sources are as slow as we let them.
  const share = (bytesPerSecondMax ?? Infinity) / sources.filter((source) => source.asked !== undefined).length;
  return isWaiting || sinceMs >= Math.max(LATE_MS, 2 * PIECE_BYTES / share * 1000);
}

/** Whether no source gives a piece, and this one sends so little that it will be late. */
export function isStalled(source: PlannedSource, state: DownloadState): boolean {
  const { asked, sinceMs, sinceBytes } = source;
  const isSilent = Math.min(sinceMs, state.idleMs) >= STALLED_MS && sinceBytes / PIECE_BYTES < sinceMs / LATE_MS;
  return asked !== undefined && isSilent && state.bytesPerSecondMax === undefined;
}

/** How fast a source is with what it is asked for: of one that has stalled, only what comes from it counts. */
export function paceOf(source: PlannedSource, state: DownloadState): number {
  if (!isStalled(source, state)) return speedOf(source, state);
  return Math.max(1, Math.min(speedOf(source, state), source.sinceBytes / source.sinceMs * 1000));
}

/** How fast a source is: as it was when it last gave something, but no faster than it can be if nothing comes from it now. */
export function speedOf({ bytesPerSecond, sinceMs }: PlannedSource, { bytesPerSecondMax }: DownloadState): number {
  const known = bytesPerSecond ?? Math.min(UNKNOWN_BYTES_PER_SECOND, bytesPerSecondMax ?? Infinity);
  return Math.max(1, Math.min(known, PIECE_BYTES / sinceMs * 1000));
}
