/**
 * Half-open byte ranges. Pure. Used wherever a part of a file is meant.
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
