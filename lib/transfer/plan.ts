/**
 * Decides what a download does next, from plain values: which pieces are here, who has which, what each source is doing and how fast. No
 * socket, file or clock here; running_download.ts carries the decision out and comes back with what happened. Its tests, a table of situations,
 * read as the specification.
 * @module
 */

import { PIECE_BYTES, pieceRange } from "../core/content.ts";
import { PieceSet } from "../core/piece_set.ts";
import { type Random, randomBelow } from "../core/random.ts";
import { type Range, rangeBytes } from "../core/range.ts";

/** How much is asked of a source at once, as time at its speed: long enough to cost nothing, short enough to react to what changes. */
const SPAN_MS = 1_000;
/** What a source is asked for as long as nobody knows its speed. */
const FIRST_SPAN_PIECES = 4;
/**
 * The most that is asked for at once. A source that is asked for the whole rest of a file pipes it; for a span in the middle it reads ahead
 * through two buffers, which was measured a sixth faster against a receiver that verifies (950 instead of 830 MB/s).
 */
const SPAN_PIECES_MAX = 128;
/** Time without a verified piece after which a source counts as late, where our own rate does not make every piece take longer. */
const LATE_MS = 2_000;
/** The time that a piece may take, though no other source gives anything: one that sends more slowly counts as silent. */
const SLOWEST_PIECE_MS = 100_000;
/** How far ahead of what is still missing a stream is fetched: its pieces wait in memory for their turn. */
const STREAM_WINDOW_PIECES = 32;
/** What a source of unknown speed is taken for. */
const UNKNOWN_BYTES_PER_SECOND = 4 * PIECE_BYTES;
/** How much sooner a second source has to be done with a span before it is asked for the same. */
const DUPLICATE_GAIN = 1.5;

/**
 * Time without a piece after which a download waits in the line of a source whose slots are all taken; after twice as long in a second line, and so on.
 * Sooner, it only looks again: what it waits for may come from others that have just received it.
 */
const LINE_UP_MS = 3_000;

/** A source as the plan sees it. Only verified pieces speak for it: what it says, and bytes of a piece that is not complete, do not. */
export interface PlannedSource {
  readonly id: string;
  /** Ready to be asked; busy with what was asked; resting after a failure; or dropped, never to be asked again. */
  readonly state: "ready" | "busy" | "resting" | "dropped";
  /** Failed attempts in a row, none of which gave a piece. */
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

/** A source and what it is to be asked for. */
export interface PlannedRequest {
  readonly source: string;
  readonly range: Range;
}

/** What to do next. */
export type Step =
  | { readonly kind: "done" }
  /** Ask these sources. */
  | { readonly kind: "fetch"; readonly requests: readonly PlannedRequest[] }
  /** Nothing to ask for: wait until something happens, at a source or with time. */
  | { readonly kind: "wait" }
  /** Nobody is left who could give what is missing. */
  | { readonly kind: "fail" };

/** The next step. */
export function plan(state: DownloadState): Step {
  if (state.here.size === state.here.count) return { kind: "done" };
  const requests = planRequests(state);
  const left = state.sources.filter((source) => source.state !== "dropped" && source.tries < state.triesMax);
  if (left.length === 0 || isOver(state, left, requests)) return { kind: "fail" };
  return requests.length > 0 ? { kind: "fetch", requests } : { kind: "wait" };
}

/** Whether nothing has come for too long: no source lets us wait, sends a piece slowly, or is still to be tried. */
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

/** Whether a piece is on its way that will be whole, and judged, in the time that one may take. */
function isSlowButMoving({ asked, sinceMs, sinceBytes }: PlannedSource): boolean {
  const dueMs = sinceMs - LATE_MS;
  return asked !== undefined && dueMs < SLOWEST_PIECE_MS && sinceBytes / PIECE_BYTES >= dueMs / SLOWEST_PIECE_MS;
}

function planRequests(state: DownloadState): PlannedRequest[] {
  const requests: PlannedRequest[] = [];
  const asked = askedPieces(state);
  const ready = state.sources.filter((source) => source.state === "ready" && source.tries < state.triesMax);
  ready.sort((a, b) => rank(a) - rank(b) || speedOf(b, state) - speedOf(a, state));
  let lines = Math.floor(state.idleMs / LINE_UP_MS) - state.sources.filter(({ isWaiting }) => isWaiting).length;
  for (const source of ready) {
    if (source.isFull && lines <= 0) continue;
    const pieces = choosePieces(source, state, asked) ?? doubledPieces(source, state, requests);
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

/** Those that have only parts choose first, and so relieve the owners; then those that are full, and last those that gave nothing when asked. */
function rank({ standing, has, isFull }: PlannedSource): number {
  return standing === "bad" ? 3 : isFull ? 2 : has === undefined ? 1 : 0;
}

/** A run of pieces: `end` is one past the last. */
interface Pieces {
  readonly first: number;
  readonly end: number;
}

/**
 * The pieces that nobody needs to be asked for at first: somebody is. A stream cannot go on without the next piece, so what it asked of a late
 * source is free at once; of a file, such pieces come when no others are left.
 */
function askedPieces(state: DownloadState): PieceSet {
  const asked = new PieceSet(state.here.count);
  for (const source of state.sources) {
    if (source.asked === undefined || (state.order === "in-order" && isLate(source, state))) continue;
    asked.addTouched(source.asked);
  }
  return asked;
}

/** What a source is asked for first: pieces that nobody else is asked for. */
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

/** One of the pieces that fewest have, by chance: so that peers who start together do not all take the same. */
function rarestPiece(
  source: PlannedSource,
  state: DownloadState,
  isFree: (index: number) => boolean,
): number | undefined {
  const rarity = rarityFor(source, state);
  let rarest: number[] = [];
  let fewest = Infinity;
  for (let index = 0; index < state.here.count; index++) {
    if (!isFree(index)) continue;
    const copies = rarity(index);
    if (copies > fewest) continue;
    if (copies < fewest) rarest = [];
    fewest = copies;
    rarest.push(index);
  }
  return rarest[randomBelow(state.random, rarest.length)];
}

/** How many have a piece beside those who have all, and whether this source has given it away before. */
function rarityFor(source: PlannedSource, state: DownloadState): (index: number) => number {
  const partial = state.sources.flatMap((other) => {
    return other.has === undefined || other.id === source.id || !isCredible(other) ? [] : [other.has];
  });
  return (index) => {
    const given = source.given?.has(index) === true ? 1 : 0;
    return partial.reduce((copies, has) => copies + (has.has(index) ? 1 : 0), given);
  };
}

/** Whether others download the same, so that it matters who takes what. A stream is in a hurry and takes what comes next. */
function isSwarm(state: DownloadState): boolean {
  return state.order === "rarest-first" && state.sources.some((source) => {
    return isCredible(source) && (source.has !== undefined || source.asking > 1);
  });
}

/** Whether what a source says it has, or others want, is taken into account: not when it was asked for a piece and does not give it. */
function isCredible({ state, standing, sinceMs }: PlannedSource): boolean {
  return state !== "dropped" && standing !== "bad" && sinceMs < LATE_MS;
}

/** The piece before which everything is that may be asked for now. */
function windowEnd(state: DownloadState): number {
  const { order, here } = state;
  const several = workingSources(state).length > 1;
  if (order !== "in-order" || !several) return here.count;
  return Math.min(here.count, here.firstMissing + STREAM_WINDOW_PIECES);
}

/** How many pieces a source is asked for: about a second's worth, and towards the end its share, so that all end together. */
function spanPieces(source: PlannedSource, state: DownloadState, asked: PieceSet): number {
  const working = workingSources(state);
  const share = speedOf(source, state) / working.reduce((sum, each) => sum + speedOf(each, state), 0);
  let free = 0;
  for (let index = 0; index < state.here.count; index++) if (!state.here.has(index) && !asked.has(index)) free += 1;
  const span = source.bytesPerSecond === undefined
    ? FIRST_SPAN_PIECES
    : Math.round(source.bytesPerSecond * SPAN_MS / 1000 / PIECE_BYTES);
  // Of a stream's window each has an equal part: whoever took more would keep the others waiting.
  const window = state.order === "in-order"
    ? Math.ceil((windowEnd(state) - state.here.firstMissing) / working.length)
    : Infinity;
  return Math.max(1, Math.min(span, SPAN_PIECES_MAX, window, Math.ceil(free * share)));
}

/**
 * What a source is asked for when all is asked for already: the same as another that will not be done soon. Of one that is slow, the end,
 * so that both meet; of one that is late, all. No piece is asked of more than two that are in time and have proven themselves.
 */
function doubledPieces(
  source: PlannedSource,
  state: DownloadState,
  requests: readonly PlannedRequest[],
): Pieces | undefined {
  const twice = piecesAskedTwice(source, state, requests);
  const window = windowEnd(state);
  let slowest: { pieces: Pieces; leftMs: number } | undefined;
  for (const other of state.sources) {
    if (other.asked === undefined || other.id === source.id) continue;
    const leftMs = isLate(other, state) ? Infinity : rangeBytes(other.asked) / speedOf(other, state) * 1000;
    const pieces = piecesToTakeOver(other, source, state, (index) => index < window && !twice.has(index));
    const ownMs = (pieces.end - pieces.first) * PIECE_BYTES / speedOf(source, state) * 1000;
    const isWorthIt = pieces.end > pieces.first && leftMs > DUPLICATE_GAIN * ownMs;
    if (isWorthIt && leftMs > (slowest?.leftMs ?? 0)) slowest = { pieces, leftMs };
  }
  return slowest?.pieces;
}

/** The pieces that two sources are asked for, neither of which is late; for one that has proven itself, only those count that have, too. */
function piecesAskedTwice(source: PlannedSource, state: DownloadState, requests: readonly PlannedRequest[]): PieceSet {
  const once = new PieceSet(state.here.count);
  const twice = new PieceSet(state.here.count);
  for (const other of state.sources) {
    if (source.standing === "good" && other.standing !== "good") continue;
    const planned = requests.filter((request) => request.source === other.id).map(({ range }) => range);
    const asked = other.asked === undefined || isLate(other, state) ? [] : [other.asked];
    for (const range of [...asked, ...planned]) {
      for (let index = Math.floor(range.start / PIECE_BYTES); index * PIECE_BYTES < range.end; index++) {
        (once.has(index) ? twice : once).add(index);
      }
    }
  }
  return twice;
}

/** The last run of what one source still has to deliver, of such a length that another, going forward in it, meets the first at its beginning. */
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

/** Those that give something, or may when they are asked. */
function workingSources(state: DownloadState): PlannedSource[] {
  return state.sources.filter((source) => {
    return source.state === "ready" || (source.state === "busy" && !isLate(source, state));
  });
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

/** How fast a source is: as it was when it last gave something, but no faster than it can be if nothing comes from it now. */
function speedOf({ bytesPerSecond, sinceMs }: PlannedSource, { bytesPerSecondMax }: DownloadState): number {
  const known = bytesPerSecond ?? Math.min(UNKNOWN_BYTES_PER_SECOND, bytesPerSecondMax ?? Infinity);
  return Math.max(1, Math.min(known, PIECE_BYTES / sinceMs * 1000));
}
