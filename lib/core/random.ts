/**
 * Randomness that is passed in, so that a failing run can be repeated from its seed. Never for
 * secrets: those come from WebCrypto.
 * @module
 */

/** A source of numbers from 0 up to, not including, 1. `Math.random` is one. */
export type Random = () => number;

/** A whole number from 0 up to, not including, `end`. */
export function randomBelow(random: Random, end: number): number {
  return Math.floor(random() * end);
}

/** One of the items. There has to be at least one. */
export function randomOf<T>(random: Random, items: readonly T[]): T {
  const item = items[randomBelow(random, items.length)];
  if (item === undefined) throw new RangeError("Cannot choose from an empty list");
  return item;
}
