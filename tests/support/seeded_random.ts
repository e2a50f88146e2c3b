/**
 * Randomness that is the same in every run with the same seed.
 * @module
 */

import type { Random } from "../../lib/core/random.ts";

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
