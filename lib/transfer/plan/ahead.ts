/**
 * Decides when a source is asked for its next range while it still delivers the one before, so that
 * it never waits for a request to arrive. Called by plan.ts, and by download.ts for the time of its
 * next plan.
 *
 * In a swarm, nobody is asked ahead: a peer that waits for its next request learns what has become
 * rare meanwhile, and its slot may be the turn of another.
 * @module
 */

import { rangeBytes } from "../../core/range.ts";
import { isLate, isSlowButMoving, isStalled } from "./lateness.ts";
import type { DownloadState, PlannedSource } from "./plan_state.ts";
import { isSwarm } from "./swarm.ts";

/** Round trips from a request to the end of the range before it. */
const ROUND_TRIPS = 2;
/**
 * The shortest round trip for which a source is asked ahead. A shorter one loses less than one
 * per cent of the time, and eight sources on one computer were a quarter slower when asked ahead.
 */
export const ROUND_TRIP_MS_MIN = 3;
/** Time that is added to those, for the work of both sides. */
const SLACK_MS = 20;
/** The most that they may be, for sources that are slow to answer. */
const AHEAD_MS_MAX = 1_000;

/**
 * How long to wait before a source is asked for its next range; 0 when it is to be asked now.
 * `Infinity` for a source that is not asked ahead.
 */
export function aheadInMs(source: PlannedSource, state: DownloadState): number {
  const { asked, next, has, isFull, isWaiting, bytesPerSecond, turnBytesPerSecond, roundTripMs } = source;
  if (source.state !== "busy" || asked === undefined || next !== undefined) return Infinity;
  if (roundTripMs === undefined || roundTripMs < ROUND_TRIP_MS_MIN) return Infinity;
  if (has !== undefined || isFull || isWaiting || isSwarm(state) || isStalled(source, state)) return Infinity;
  const isTooLate = isLate(source, state) && (state.order === "in-order" || !isSlowButMoving(source));
  const speed = Math.max(bytesPerSecond ?? 0, turnBytesPerSecond ?? 0);
  if (isTooLate || speed === 0) return Infinity;
  // The first requests grow, as TCP does.
  if (bytesPerSecond === undefined) return 0;
  const leftMs = Math.max(0, rangeBytes(asked) - source.sinceBytes) / speed * 1000;
  return Math.max(0, leftMs - Math.min(AHEAD_MS_MAX, ROUND_TRIPS * roundTripMs + SLACK_MS));
}

/** How long to wait before each source is asked for its next range. */
export function allAheadMs(state: DownloadState): number[] {
  return state.sources.map((source) => aheadInMs(source, state));
}
