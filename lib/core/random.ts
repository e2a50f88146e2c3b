/**
 * Randomness that is passed in, so that a failing run can be repeated from its seed. Never for
 * secrets: those come from WebCrypto.
 * @module
 */

/** A source of numbers from 0 up to, not including, 1. `Math.random` is one. */
export type Random = () => number;

/** A repeatable source: the mulberry32 generator by Tommy Ettinger, 32 bits of state. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

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
