/** Ids, shortened for people. @module */

/** How many digits of an id people compare: 64 bits, for which nobody can make another key. */
const DIGITS = 16;

/**
 * An id as two people read it to each other.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { fingerprint } from "./fingerprint.ts";
 * assertEquals(fingerprint("3f9a11c28b0d77e1" + "0".repeat(48)), "3f9a-11c2-8b0d-77e1");
 * ```
 */
export function fingerprint(id: string): string {
  return id.slice(0, DIGITS).match(/.{4}/g)?.join("-") ?? id;
}
