/**
 * Half-open byte ranges and the arithmetic on sorted lists of them. Pure; called by lib/transfer to know what is missing.
 * @module
 */

/** Bytes from `start` up to, not including, `end`. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** How many bytes the range spans. */
export function rangeBytes(range: Range): number {
  return range.end - range.start;
}

/**
 * Adds a range to a sorted list of disjoint ones, joining what touches.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { addRange } from "./range.ts";
 * assertEquals(addRange([{ start: 0, end: 4 }], { start: 4, end: 6 }), [{ start: 0, end: 6 }]);
 * ```
 */
export function addRange(ranges: readonly Range[], added: Range): Range[] {
  if (rangeBytes(added) <= 0) return [...ranges];
  let { start, end } = added;
  const before: Range[] = [];
  const after: Range[] = [];
  for (const range of ranges) {
    if (range.end < start) before.push(range);
    else if (range.start > end) after.push(range);
    else {
      start = Math.min(start, range.start);
      end = Math.max(end, range.end);
    }
  }
  return [...before, { start, end }, ...after];
}
