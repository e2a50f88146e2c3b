/**
 * Damages bytes in the ways networks and attackers do, from a seed.
 * @module
 */

import { type Random, randomBelow, randomOf } from "../../lib/core/random.ts";
import { randomBytes } from "./temp.ts";

/** Snippets that have broken parsers before. */
const NASTY = [
  '"__proto__":{"x":1},',
  "1e400",
  "-0",
  "9".repeat(400),
  "[".repeat(200),
  '{"a":'.repeat(100),
  "\\ud800",
  "\\u0000",
  "\0",
  "null",
  "\r\n",
  "\u2028",
  "\ufeff",
].map((text) => new TextEncoder().encode(text));

/**
 * The bytes, damaged one to four times: flipped, cut, repeated, or with something foreign put in.
 */
export function mutate(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  let damaged = bytes;
  for (let times = 1 + randomBelow(random, 4); times > 0; times--) damaged = mutateOnce(damaged, other, random);
  return damaged;
}

function mutateOnce(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  const at = randomBelow(random, bytes.length + 1);
  switch (randomBelow(random, 6)) {
    case 0:
      return flipped(bytes, at, random);
    case 1:
      return bytes.subarray(0, at);
    case 2:
      return joined(bytes.subarray(0, at), bytes.subarray(Math.min(bytes.length, at + 1 + randomBelow(random, 20))));
    case 3:
      return joined(bytes.subarray(0, at), other.subarray(randomBelow(random, other.length + 1)));
    case 4:
      return joined(bytes.subarray(0, at), randomOf(random, NASTY), bytes.subarray(at));
    default:
      return joined(bytes.subarray(0, at), randomBytes(randomBelow(random, 30), random), bytes.subarray(at));
  }
}

function flipped(bytes: Uint8Array, at: number, random: Random): Uint8Array {
  const all = bytes.slice();
  const byte = all[at];
  if (byte !== undefined) all[at] = byte ^ (1 << randomBelow(random, 8));
  return all;
}

/** All of them in one. */
export function joined(...parts: Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let position = 0;
  for (const part of parts) {
    all.set(part, position);
    position += part.length;
  }
  return all;
}
