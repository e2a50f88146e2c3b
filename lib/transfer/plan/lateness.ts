/**
 * Judges how fast the sources of a download are, and which of them are late. Only the bytes that
 * arrive and the pieces that match count, whatever a source says. Called by plan.ts.
 * @module
 */

import { PIECE_BYTES } from "../../core/content.ts";
import type { DownloadState, PlannedSource } from "./plan_state.ts";

/**
 * Time without a verified piece after which a source counts as late, unless our own rate limit
 * makes every piece take longer.
 */
const LATE_MS = 2_000;
/**
 * Time without a piece from any source after which a source counts as stalled, unless it sends fast
 * enough to complete its piece within `LATE_MS`. Its pieces are then also requested from others.
 * Without this, sources that stall one after the other would cost a download `LATE_MS` each.
 */
const STALLED_MS = 500;
/** The most time that a piece may take. A source that sends more slowly counts as silent. */
const SLOWEST_PIECE_MS = 100_000;
/** The assumed speed of a source while it is not known. */
const UNKNOWN_BYTES_PER_SECOND = 4 * PIECE_BYTES;

/** Whether a source has given no verified piece for longer than one may take. */
export function isOverdue(sinceMs: number): boolean {
  return sinceMs >= LATE_MS;
}

/**
 * Whether a source sends slowly, but fast enough to complete its piece in the time that a piece may
 * take.
 */
export function isSlowButMoving({ asked, sinceMs, sinceBytes }: PlannedSource): boolean {
  const dueMs = sinceMs - LATE_MS;
  return asked !== undefined && dueMs < SLOWEST_PIECE_MS && sinceBytes / PIECE_BYTES >= dueMs / SLOWEST_PIECE_MS;
}

/** Whether a source keeps us waiting for a piece, whatever it says. */
export function isLate(
  { asked, sinceMs, isWaiting }: PlannedSource,
  { bytesPerSecondMax, sources }: DownloadState,
): boolean {
  if (asked === undefined) return false;
  // Under our own rate limit all sources are slow.
  const share = (bytesPerSecondMax ?? Infinity) / sources.filter((source) => source.asked !== undefined).length;
  return isWaiting || sinceMs >= Math.max(LATE_MS, 2 * PIECE_BYTES / share * 1000);
}

/** Whether no source gives a piece, and this source sends so little that it will be late. */
export function isStalled(source: PlannedSource, state: DownloadState): boolean {
  const { asked, sinceMs, sinceBytes } = source;
  const isSilent = Math.min(sinceMs, state.idleMs) >= STALLED_MS && sinceBytes / PIECE_BYTES < sinceMs / LATE_MS;
  return asked !== undefined && isSilent && state.bytesPerSecondMax === undefined;
}

/**
 * How fast a source delivers what it was asked for. A stalled source is as fast as its bytes
 * arrive.
 */
export function paceOf(source: PlannedSource, state: DownloadState): number {
  if (!isStalled(source, state)) return speedOf(source, state);
  return Math.max(1, Math.min(speedOf(source, state), source.sinceBytes / source.sinceMs * 1000));
}

/** How fast a source is: its last known speed, but no more than its present silence allows. */
export function speedOf({ bytesPerSecond, sinceMs }: PlannedSource, { bytesPerSecondMax }: DownloadState): number {
  const known = bytesPerSecond ?? Math.min(UNKNOWN_BYTES_PER_SECOND, bytesPerSecondMax ?? Infinity);
  return Math.max(1, Math.min(known, PIECE_BYTES / sinceMs * 1000));
}
