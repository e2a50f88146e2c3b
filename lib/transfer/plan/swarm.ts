/**
 * What is different when several peers download the same content: which pieces are rare, and which
 * sources are believed about that. Called by plan.ts.
 * @module
 */

import { randomBelow } from "../../core/random.ts";
import { isOverdue } from "./lateness.ts";
import type { DownloadState, PlannedSource } from "./plan_state.ts";

/**
 * One of the rarest pieces, chosen by chance, so that peers that start together take different
 * ones.
 */
export function rarestPiece(
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

/**
 * How many incomplete sources have a piece, plus one if this source has already sent it to
 * somebody.
 */
export function rarityFor(source: PlannedSource, state: DownloadState): (index: number) => number {
  const partial = state.sources.flatMap((other) => {
    return other.has === undefined || other.id === source.id || !isCredible(other) ? [] : [other.has];
  });
  return (index) => {
    const given = source.given?.has(index) === true ? 1 : 0;
    return partial.reduce((copies, has) => copies + (has.has(index) ? 1 : 0), given);
  };
}

/**
 * Whether others download the same content, so that the choice of pieces matters. A stream always
 * takes its next piece.
 */
export function isSwarm(state: DownloadState): boolean {
  return state.order === "rarest-first" && state.sources.some((source) => {
    return isCredible(source) && (source.has !== undefined || source.asking > 1);
  });
}

/**
 * Whether a source is believed about its pieces and its receivers: not when it does not give a
 * piece that it was asked for.
 */
function isCredible({ state, standing, sinceMs }: PlannedSource): boolean {
  return state !== "dropped" && standing !== "bad" && !isOverdue(sinceMs);
}
