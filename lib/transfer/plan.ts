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
/** Silence after which what a source was asked for is given to others, too. */
const STALL_MS = 2_000;
/** How far ahead of what is still missing a stream is fetched: its pieces wait in memory for their turn. */
const STREAM_WINDOW_PIECES = 32;
/** What a source of unknown speed is taken for. */
const UNKNOWN_BYTES_PER_SECOND = 4 * PIECE_BYTES;
/** How much sooner a second source has to be done with a span before it is asked for the same. */
const DUPLICATE_GAIN = 1.5;

/** A source as the plan sees it. */
export interface PlannedSource {
  readonly id: string;
  /** Ready to be asked; busy with what was asked; resting after a failure; or dropped, never to be asked again. */
  readonly state: "ready" | "busy" | "resting" | "dropped";
  /** Failed attempts in a row, none of which gave a piece. */
  readonly tries: number;
  /** Undefined as long as it is not known. */
  readonly bytesPerSecond: number | undefined;
  /** The pieces it has; undefined when it has all. */
  readonly has: PieceSet | undefined;
  /** The pieces it has given to somebody; undefined when it does not say. */
  readonly given: PieceSet | undefined;
  /** How many peers download from it now, this one included. */
  readonly asking: number;
  /** What it was asked for and has not delivered. */
  readonly asked: Range | undefined;
  /** How long it has been silent with something to deliver. One that lets us wait in line is not. */
  readonly quietMs: number;
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
  /** How long no piece has come, and for how long that is borne. */
  readonly idleMs: number;
  readonly idleMsMax: number;
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
  if (requests.length > 0) return { kind: "fetch", requests };
  const left = state.sources.filter((source) => source.state !== "dropped" && source.tries < state.triesMax);
  return left.length === 0 || state.idleMs >= state.idleMsMax ? { kind: "fail" } : { kind: "wait" };
}

function planRequests(state: DownloadState): PlannedRequest[] {
  const requests: PlannedRequest[] = [];
  const asked = askedPieces(state);
  const ready = state.sources.filter((source) => source.state === "ready" && source.tries < state.triesMax);
  // Those that have only parts come first, and so relieve the owners; among equals the fastest chooses first.
  ready.sort((a, b) => Number(a.has === undefined) - Number(b.has === undefined) || speedOf(b) - speedOf(a));
  for (const source of ready) {
    const pieces = choosePieces(source, state, asked) ?? duplicatePieces(source, state, asked, requests);
    if (pieces === undefined) continue;
    for (let index = pieces.first; index < pieces.end; index++) asked.add(index);
    const range = {
      start: pieceRange(pieces.first, state.size).start,
      end: pieceRange(pieces.end - 1, state.size).end,
    };
    requests.push({ source: source.id, range });
  }
  return requests;
}

/** A run of pieces: `end` is one past the last. */
interface Pieces {
  readonly first: number;
  readonly end: number;
}

/** Every piece that somebody is asked for and likely to deliver. */
function askedPieces({ here, sources }: DownloadState): PieceSet {
  const asked = new PieceSet(here.count);
  for (const { asked: range, quietMs } of sources) {
    if (range !== undefined && quietMs < STALL_MS) asked.addTouched(range);
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
  const partial = state.sources.flatMap(({ id, has, state }) => {
    return has === undefined || id === source.id || state === "dropped" ? [] : [has];
  });
  return (index) => {
    const given = source.given?.has(index) === true ? 1 : 0;
    return partial.reduce((copies, has) => copies + (has.has(index) ? 1 : 0), given);
  };
}

/** Whether others download the same, so that it matters who takes what. A stream is in a hurry and takes what comes next. */
function isSwarm({ order, sources }: DownloadState): boolean {
  return order === "rarest-first" && sources.some(({ has, asking }) => has !== undefined || asking > 1);
}

/** The piece before which everything is that may be asked for now. */
function windowEnd({ order, here, sources }: DownloadState): number {
  const several = sources.filter(isWorking).length > 1;
  if (order !== "in-order" || !several) return here.count;
  return Math.min(here.count, firstMissing({ here }) + STREAM_WINDOW_PIECES);
}

function firstMissing({ here }: Pick<DownloadState, "here">): number {
  let first = 0;
  while (here.has(first)) first += 1;
  return first;
}

/** How many pieces a source is asked for: about a second's worth, and towards the end its share, so that all end together. */
function spanPieces(source: PlannedSource, state: DownloadState, asked: PieceSet): number {
  const working = state.sources.filter(isWorking);
  const share = speedOf(source) / working.reduce((sum, each) => sum + speedOf(each), 0);
  let free = 0;
  for (let index = 0; index < state.here.count; index++) if (!state.here.has(index) && !asked.has(index)) free += 1;
  const span = source.bytesPerSecond === undefined
    ? FIRST_SPAN_PIECES
    : Math.round(source.bytesPerSecond * SPAN_MS / 1000 / PIECE_BYTES);
  // Of a stream's window each has an equal part: whoever took more would keep the others waiting.
  const window = state.order === "in-order"
    ? Math.ceil((windowEnd(state) - firstMissing(state)) / working.length)
    : Infinity;
  return Math.max(1, Math.min(span, SPAN_PIECES_MAX, window, Math.ceil(free * share)));
}

/**
 * The end of a download: everything is asked for, and who has nothing to do takes over the end of what the slowest still has to
 * deliver, if that is worth it. Nothing is asked for three times.
 */
function duplicatePieces(
  source: PlannedSource,
  state: DownloadState,
  asked: PieceSet,
  requests: readonly PlannedRequest[],
): Pieces | undefined {
  const twice = new PieceSet(state.here.count);
  const once = new PieceSet(state.here.count);
  const ranges = [...state.sources.flatMap((each) => each.asked ?? []), ...requests.map((request) => request.range)];
  for (const range of ranges) {
    for (let index = Math.floor(range.start / PIECE_BYTES); index * PIECE_BYTES < range.end; index++) {
      (once.has(index) ? twice : once).add(index);
    }
  }
  let slowest: { pieces: Pieces; leftMs: number } | undefined;
  for (const other of state.sources) {
    if (other.asked === undefined || other.id === source.id) continue;
    const leftMs = rangeBytes(other.asked) / speedOf(other) * 1000;
    const pieces = tailOf(other, source, state, twice);
    const ownMs = (pieces.end - pieces.first) * PIECE_BYTES / speedOf(source) * 1000;
    const isWorthIt = pieces.end > pieces.first && leftMs > DUPLICATE_GAIN * ownMs;
    if (isWorthIt && leftMs > (slowest?.leftMs ?? 0)) slowest = { pieces, leftMs };
  }
  const window = windowEnd(state);
  return slowest === undefined || slowest.pieces.first >= window || asked.count === 0 ? undefined : slowest.pieces;
}

/** The end of what one source has to deliver that another would deliver in the same time; both meet where they are done. */
function tailOf(slow: PlannedSource, fast: PlannedSource, state: DownloadState, twice: PieceSet): Pieces {
  const { start, end } = slow.asked ?? { start: 0, end: 0 };
  const last = Math.ceil(end / PIECE_BYTES);
  const count = last - Math.floor(start / PIECE_BYTES);
  const wanted = Math.max(1, Math.floor(count * speedOf(fast) / (speedOf(fast) + speedOf(slow))));
  let first = last;
  while (first > last - wanted && isWanted(first - 1)) first -= 1;
  return { first, end: last };

  function isWanted(index: number): boolean {
    return !state.here.has(index) && !twice.has(index) && (fast.has?.has(index) ?? true);
  }
}

function isWorking({ state, quietMs }: PlannedSource): boolean {
  return state === "ready" || (state === "busy" && quietMs < STALL_MS);
}

function speedOf({ bytesPerSecond }: PlannedSource): number {
  return Math.max(1, bytesPerSecond ?? UNKNOWN_BYTES_PER_SECOND);
}
