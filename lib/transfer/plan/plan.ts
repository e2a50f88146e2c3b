/**
 * Decides what a download does next, from plain values: which pieces are here, which source has
 * which pieces, what each source is doing and how fast it is. There is no socket, file or clock
 * here: download.ts carries the decision out. The tests are a table of situations, which can be
 * read as the specification.
 * @module
 */

import { PIECE_BYTES, pieceRange } from "../../core/content.ts";
import { PieceSet } from "../../core/piece_set.ts";
import { type Range, rangeBytes } from "../../core/range.ts";
import { aheadInMs } from "./ahead.ts";
import { isLate, isSlowButMoving, isStalled, paceOf, speedOf } from "./lateness.ts";
import type { DownloadState, PlannedSource } from "./plan_state.ts";
import { isSwarm, rarestPiece, rarityFor } from "./swarm.ts";

/**
 * How much a source is asked for at once, as time at its speed. It is long enough to cost little,
 * and short enough to react to changes.
 */
const SPAN_MS = 1_000;
/**
 * What a source is asked for while its speed is not known. As soon as it gives something, it is
 * asked for twice as much ahead.
 */
export const FIRST_SPAN_PIECES = 4;
/**
 * What a source is asked for in a swarm while its speed is not known. Short requests keep lines
 * short, and a receiver can pass a piece on as soon as it has it.
 */
const FIRST_SWARM_SPAN_PIECES = 2;
/**
 * The most that is asked for at once. For a span in the middle of a file, a source reads ahead
 * through two buffers, which is faster than piping all the rest to a receiver that verifies
 * (lib/README.md, "The way of a byte").
 */
const SPAN_PIECES_MAX = 128;
/** How far ahead of the first missing piece a stream is fetched. Those pieces wait in memory. */
export const STREAM_WINDOW_PIECES = 32;
/**
 * How many times longer than a second source the first one would need, before both are asked for
 * the same pieces.
 */
const DUPLICATE_GAIN = 1.5;
/**
 * When others also download: how long the first source would still need before a second one is
 * asked. One of the two sends in vain, and other peers could use its rate.
 */
const SWARM_DUPLICATE_MS = 2_000;

/**
 * Time without a piece after which a download waits in the line of a full source. After twice that
 * time it waits in a second line, and so on. Before, it only looks again, because other peers may
 * just have received the pieces.
 */
const LINE_UP_MS = 3_000;
/**
 * That time when the slots of all sources are in use. A download needs at least this long to find
 * the peers that began together with it.
 */
const LINE_UP_AT_ALL_FULL_MS = 1_000;

/** A source, and the range to request from it. */
export interface PlannedRequest {
  readonly source: string;
  readonly range: Range;
}

/** What to do next. */
export type Step =
  | { readonly kind: "done" }
  /** Ask these sources. */
  | { readonly kind: "fetch"; readonly requests: readonly PlannedRequest[] }
  /**
   * There is nothing to ask for. Wait until something happens, or until a source may be asked
   * again.
   */
  | { readonly kind: "wait" }
  /** No source is left that could give what is missing. */
  | { readonly kind: "fail" };

/** The next step. */
export function plan(state: DownloadState): Step {
  if (state.here.size === state.here.count) return { kind: "done" };
  const requests = planRequests(state);
  const left = state.sources.filter((source) => source.state !== "dropped" && source.tries < state.triesMax);
  if (!isCopying(state) && (left.length === 0 || isOver(state, left, requests))) return { kind: "fail" };
  return requests.length > 0 ? { kind: "fetch", requests } : { kind: "wait" };
}

/**
 * Whether pieces of this machine arrive without a source. A stream waits with those that are far
 * ahead until sources have sent what comes before them.
 */
function isCopying(state: DownloadState): boolean {
  const { local, here, order } = state;
  if (local === undefined || order !== "in-order") return local !== undefined;
  const end = windowEnd(state);
  for (let index = here.firstMissing; index < end; index++) if (local.has(index) && !here.has(index)) return true;
  return false;
}

/**
 * Whether nothing has come for too long, and no source lets us wait, is sending slowly, or has not
 * been tried.
 */
function isOver(
  { idleMs, idleMsMax, waitMsMax }: DownloadState,
  left: readonly PlannedSource[],
  requests: readonly PlannedRequest[],
): boolean {
  const isHopeful = (source: PlannedSource): boolean => {
    const isToBeAsked = source.standing !== "bad" && requests.some((request) => request.source === source.id);
    return isToBeAsked || source.isWaiting || isSlowButMoving(source);
  };
  return idleMs >= waitMsMax || (idleMs >= idleMsMax && !left.some(isHopeful));
}

function planRequests(state: DownloadState): PlannedRequest[] {
  const requests: PlannedRequest[] = [];
  const asked = askedPieces(state);
  const ready = state.sources.filter((source) => {
    return source.tries < state.triesMax && (source.state === "ready" || aheadInMs(source, state) === 0);
  });
  ready.sort((a, b) => rank(a) - rank(b) || speedOf(b, state) - speedOf(a, state));
  const lineUpMs = areAllFull(state) ? LINE_UP_AT_ALL_FULL_MS : LINE_UP_MS;
  let lines = Math.floor(state.idleMs / lineUpMs) - state.sources.filter(({ isWaiting }) => isWaiting).length;
  for (const source of ready) {
    if (source.isFull && lines <= 0) continue;
    const isAhead = source.state === "busy";
    const pieces = choosePieces(source, state, asked) ?? (isAhead ? undefined : doubledPieces(source, state, requests));
    if (pieces === undefined) continue;
    for (let index = pieces.first; index < pieces.end; index++) asked.add(index);
    const range = {
      start: pieceRange(pieces.first, state.size).start,
      end: pieceRange(pieces.end - 1, state.size).end,
    };
    requests.push({ source: source.id, range });
    lines -= Number(source.isFull);
  }
  return requests;
}

/**
 * The order in which sources choose. Sources with some of the pieces come first, which relieves the
 * owners. Sources that still deliver come later, then full sources, and sources that gave nothing
 * when asked come last.
 */
function rank({ state, standing, has, isFull }: PlannedSource): number {
  return standing === "bad" ? 4 : isFull ? 3 : state === "busy" ? 2 : has === undefined ? 1 : 0;
}

/** A run of pieces: `end` is one past the last. */
interface Pieces {
  readonly first: number;
  readonly end: number;
}

/**
 * The pieces that are copied from this machine, or that some source has been asked for: others are
 * chosen first. A stream cannot go on without its next piece, so what a late source was asked for
 * does not count there. What a late source was asked for ahead never counts.
 */
function askedPieces(state: DownloadState): PieceSet {
  const asked = state.local?.copy() ?? new PieceSet(state.here.count);
  for (const source of state.sources) {
    const isBehind = isLate(source, state);
    if (source.asked !== undefined && !(state.order === "in-order" && isBehind)) asked.addTouched(source.asked);
    if (source.next !== undefined && !isBehind && !isStalled(source, state)) asked.addTouched(source.next);
  }
  return asked;
}

/** What a source is asked for first: pieces that no other source is asked for. */
function choosePieces(source: PlannedSource, state: DownloadState, asked: PieceSet): Pieces | undefined {
  const { here } = state;
  const isFree = (index: number): boolean => {
    return !here.has(index) && !asked.has(index) && (source.has?.has(index) ?? true);
  };
  const first = isSwarm(state) ? rarestPiece(source, state, isFree) : firstPiece(state, isFree);
  if (first === undefined) return undefined;
  const rarity = rarityFor(source, state);
  const end = Math.min(first + spanPieces(source, state, asked), windowEnd(state));
  let next = first + 1;
  while (next < end && isFree(next) && (!isSwarm(state) || rarity(next) <= rarity(first))) next += 1;
  return { first, end: next };
}

function firstPiece(state: DownloadState, isFree: (index: number) => boolean): number | undefined {
  const end = windowEnd(state);
  for (let index = 0; index < end; index++) if (isFree(index)) return index;
  return undefined;
}

/** The end of the pieces that may be asked for now. */
function windowEnd(state: DownloadState): number {
  const { order, here } = state;
  const several = workingSources(state).length > 1 || state.local !== undefined;
  if (order !== "in-order" || !several) return here.count;
  return Math.min(here.count, here.firstMissing + STREAM_WINDOW_PIECES);
}

/** Whether the slots of all sources are in use. */
function areAllFull({ sources }: DownloadState): boolean {
  return sources.every((source) => source.isFull || source.state === "dropped");
}

/**
 * How many pieces a source is asked for: about a second's worth. Towards the end it is the share of
 * the source, so that all sources end together.
 */
function spanPieces(source: PlannedSource, state: DownloadState, asked: PieceSet): number {
  const working = workingSources(state);
  const share = speedOf(source, state) / working.reduce((sum, each) => sum + speedOf(each, state), 0);
  let free = 0;
  for (let index = 0; index < state.here.count; index++) if (!state.here.has(index) && !asked.has(index)) free += 1;
  // Each turn has to be waited for, so when there are only lines it is used for as much as
  // possible.
  const span = areAllFull(state)
    ? SPAN_PIECES_MAX
    : source.bytesPerSecond === undefined
    ? isSwarm(state) ? FIRST_SWARM_SPAN_PIECES : source.state === "busy" ? 2 * FIRST_SPAN_PIECES : FIRST_SPAN_PIECES
    : Math.round(source.bytesPerSecond * SPAN_MS / 1000 / PIECE_BYTES);
  // Each source has an equal part of a stream's window: a larger part would keep the others
  // waiting.
  const window = state.order === "in-order"
    ? Math.ceil((windowEnd(state) - state.here.firstMissing) / working.length)
    : Infinity;
  return Math.max(1, Math.min(span, SPAN_PIECES_MAX, window, Math.ceil(free * share)));
}

/**
 * What a source is asked for when every piece has been asked for: the pieces of another source that
 * will not be done soon. From a slow source it takes over the end, so that both meet; from a late
 * source everything. No piece is asked of more than two sources that are in time and have given
 * pieces.
 */
function doubledPieces(
  source: PlannedSource,
  state: DownloadState,
  requests: readonly PlannedRequest[],
): Pieces | undefined {
  const twice = piecesAskedTwice(source, state, requests);
  const window = windowEnd(state);
  const leftMsMin = isSwarm(state) ? SWARM_DUPLICATE_MS : 0;
  let slowest: { pieces: Pieces; leftMs: number } | undefined;
  for (const other of state.sources) {
    if (other.asked === undefined || other.id === source.id) continue;
    const leftMs = isLate(other, state) ? Infinity : rangeBytes(other.asked) / paceOf(other, state) * 1000;
    const pieces = piecesToTakeOver(other, source, state, (index) => index < window && !twice.has(index));
    const ownMs = (pieces.end - pieces.first) * PIECE_BYTES / speedOf(source, state) * 1000;
    const isWorthIt = pieces.end > pieces.first && leftMs > Math.max(leftMsMin, DUPLICATE_GAIN * ownMs);
    if (isWorthIt && leftMs > (slowest?.leftMs ?? 0)) slowest = { pieces, leftMs };
  }
  return slowest?.pieces;
}

/**
 * The pieces that two sources are asked for while neither is late or stalled. For a source that has
 * given pieces, only other such sources count.
 */
function piecesAskedTwice(source: PlannedSource, state: DownloadState, requests: readonly PlannedRequest[]): PieceSet {
  const once = new PieceSet(state.here.count);
  const twice = new PieceSet(state.here.count);
  for (const other of state.sources) {
    if (source.standing === "good" && other.standing !== "good") continue;
    const planned = requests.filter((request) => request.source === other.id).map(({ range }) => range);
    const isInTime = !isLate(other, state) && !isStalled(other, state);
    const asked = other.asked === undefined || !isInTime ? [] : [other.asked];
    for (const range of [...asked, ...planned]) {
      for (let index = Math.floor(range.start / PIECE_BYTES); index * PIECE_BYTES < range.end; index++) {
        (once.has(index) ? twice : once).add(index);
      }
    }
  }
  return twice;
}

/**
 * The last part of what a slow source still has to deliver. It is so long that a faster source
 * needs as much time for it as the slow source needs for the rest.
 */
function piecesToTakeOver(
  slow: PlannedSource,
  fast: PlannedSource,
  state: DownloadState,
  isFree: (index: number) => boolean,
): Pieces {
  const { start, end } = slow.asked ?? { start: 0, end: 0 };
  const isWanted = (index: number): boolean => {
    return isFree(index) && !state.here.has(index) && (fast.has?.has(index) ?? true);
  };
  const begin = Math.floor(start / PIECE_BYTES);
  let last = Math.ceil(end / PIECE_BYTES);
  while (last > begin && !isWanted(last - 1)) last -= 1;
  const speeds = speedOf(fast, state) + (isLate(slow, state) ? 0 : speedOf(slow, state));
  const wanted = Math.max(1, Math.floor((last - begin) * speedOf(fast, state) / speeds));
  let first = last;
  while (first > begin && first > last - Math.min(wanted, SPAN_PIECES_MAX) && isWanted(first - 1)) first -= 1;
  return { first, end: last };
}

/** The sources that give something, or may do so when they are asked. */
function workingSources(state: DownloadState): PlannedSource[] {
  return state.sources.filter((source) => {
    return source.state === "ready" || (source.state === "busy" && !isLate(source, state));
  });
}
