/**
 * Decides which of all sources of a content are asked for it, because only a limited number is
 * asked at a time. They are chosen by chance, not by order of arrival. A source that gives nothing
 * loses its place while others have none. Pure; called by source_pool.ts and small_download.ts.
 * @module
 */

import { type Random, randomBelow } from "../../core/random.ts";
import type { DownloadState } from "./plan_state.ts";

/**
 * Time without a verified piece after which a source loses its place. It doubles each time, so that
 * a slow source also has its chance.
 */
const PLACE_MS = 3_000;
/** That time for a source that is sending fast enough to complete a piece soon. */
const MOVING_PLACE_MS = 10_000;
/** What counts as fast enough. */
const MOVING_BYTES_PER_SECOND = 100_000;

/** A source that has a place. */
export interface Placed {
  readonly id: string;
  /** How often it has had a place, this time included. */
  readonly turns: number;
  /** Whether it will not be asked any more. */
  readonly isOver: boolean;
  /** Whether we wait for a person, or for our turn. Such sources have places of their own. */
  readonly isWaiting: boolean;
  /** Time since it got its place, was asked, or gave a verified piece. */
  readonly sinceMs: number;
  /** Bytes that came from it in that time. */
  readonly sinceBytes: number;
}

/** A source without a place. */
export interface Candidate {
  readonly id: string;
  /** How often it has had a place. */
  readonly turns: number;
  /** Whether it has delivered something to this peer before. Such sources go first. */
  readonly hasDelivered: boolean;
}

/** The sources that lose their places, and the sources that get them. */
export interface Change {
  readonly leave: readonly string[];
  readonly enter: readonly string[];
}

/**
 * The next change of places.
 *
 * @param options `placesMax` is the number of places for sources that work, and again for sources
 * that let us wait.
 */
export function changePlaces(
  placed: readonly Placed[],
  candidates: readonly Candidate[],
  { placesMax, random }: Pick<DownloadState, "random"> & { readonly placesMax: number },
): Change {
  const staying = placed.filter(({ isOver }) => !isOver);
  const working = staying.filter(({ isWaiting }) => !isWaiting);
  const next = inOrder(candidates, random);
  const free = Math.max(0, Math.min(placesMax - working.length, 2 * placesMax - staying.length));
  const enter = next.splice(0, free).map(({ id }) => id);
  const leave = placed.filter(({ isOver }) => isOver).map(({ id }) => id);
  const isInTheWay = ({ isWaiting }: Placed): boolean => !isWaiting || staying.length >= 2 * placesMax;
  for (const late of staying.filter(isInTheWay).filter(isLate).sort((a, b) => a.turns - b.turns)) {
    const [first] = next;
    if (first === undefined || first.turns > late.turns) continue;
    leave.push(late.id);
    enter.push(first.id);
    next.shift();
  }
  return { leave, enter };
}

/**
 * Sources with the fewest turns first, then those that have delivered. Among equals chance decides.
 */
function inOrder(candidates: readonly Candidate[], random: Random): Candidate[] {
  const mixed = [...candidates];
  for (let index = mixed.length - 1; index > 0; index--) {
    const other = randomBelow(random, index + 1);
    const [a, b] = [mixed[index], mixed[other]];
    if (a !== undefined && b !== undefined) [mixed[index], mixed[other]] = [b, a];
  }
  return mixed.sort((a, b) => a.turns - b.turns || Number(b.hasDelivered) - Number(a.hasDelivered));
}

function isLate({ turns, sinceMs, sinceBytes }: Placed): boolean {
  const isMoving = sinceMs < MOVING_PLACE_MS && sinceBytes >= MOVING_BYTES_PER_SECOND * sinceMs / 1000;
  return !isMoving && sinceMs >= PLACE_MS * 2 ** (turns - 1);
}
