/**
 * Decides who of all that have a content is asked for it: a bounded number at a time. They are a sample, not the first that came, and one that gives
 * nothing makes room for others as long as there are others. Pure; called by source_pool.ts and small_download.ts.
 * @module
 */

import { type Random, randomBelow } from "../../core/random.ts";

/** Time without anything verified after which a source makes room; twice as long the next time, so that a slow source also has its chance. */
const PLACE_MS = 3_000;
/** The same for one from which bytes come at such a rate that they are soon enough for a piece. */
const MOVING_PLACE_MS = 10_000;
const MOVING_BYTES_PER_SECOND = 100_000;

/** A source that has a place. */
export interface Placed {
  readonly id: string;
  /** How often it has had one, this time included. */
  readonly turns: number;
  /** Whether it is not going to be asked any more. */
  readonly isOver: boolean;
  /** Whether it says that we wait for a person, or for our turn: beside its place others have theirs. */
  readonly isWaiting: boolean;
  /** Time since it got its place, was asked, or gave something that was verified. */
  readonly sinceMs: number;
  /** Bytes that have come from it in that time. */
  readonly sinceBytes: number;
}

/** A source without a place. */
export interface Candidate {
  readonly id: string;
  /** How often it has had one. */
  readonly turns: number;
  /** Whether it gave something to this peer before: such ones go first. */
  readonly hasDelivered: boolean;
}

/** The sources that lose their places, and those that get them. */
export interface Change {
  readonly leave: readonly string[];
  readonly enter: readonly string[];
}

/**
 * The next change of places.
 *
 * @param placesMax For those that work, and again for those that say that we wait.
 */
export function changePlaces(
  placed: readonly Placed[],
  candidates: readonly Candidate[],
  { placesMax, random }: { readonly placesMax: number; readonly random: Random },
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

/** Those that had the fewest turns first, of them those that delivered; among equals chance decides. */
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
