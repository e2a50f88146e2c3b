/**
 * What a peer may be called, and when two names are the same. Names that only look different must not be two peers, so that nobody can
 * pass for a classmate by a capital, an accent, an invisible character or a space at the end.
 * @module
 */

import { Failure } from "./failure.ts";
import { PEER_NAME_BYTES_MAX } from "./limits.ts";
import { isPrintable, printable } from "./printable.ts";
import { type Random, randomBelow } from "./random.ts";
import { fold, words } from "./words.ts";

/** What one is called whose name is not known. */
export const UNKNOWN_NAME = "somebody";

/**
 * The name as it is stored and shown: composed (NFC) and trimmed. Fails: "bad-name" when it is too long, holds what cannot be
 * shown, or has neither letter nor digit.
 */
export function checkPeerName(name: string): string {
  const tidy = name.normalize("NFC").trim().replace(/\s+/gu, " ");
  const shown = printable(name);
  if (new TextEncoder().encode(tidy).length > PEER_NAME_BYTES_MAX) {
    throw new Failure("bad-name", `Cannot use "${shown}" as a name: it is longer than ${PEER_NAME_BYTES_MAX} bytes`);
  }
  if (!isPrintable(name) || /[\u200c\u200d]/.test(name)) {
    throw new Failure("bad-name", `Cannot use "${shown}" as a name: it holds characters that cannot be shown`);
  }
  if (words(tidy).length === 0) {
    throw new Failure("bad-name", `Cannot use "${shown}" as a name: it has no letter or digit`);
  }
  return tidy;
}

/** Equal for names that count as the same. */
export function peerNameKey(name: string): string {
  return fold(name).replace(/\p{Cf}/gu, "").replace(/\s+/gu, " ").trim();
}

/** So many numbers are tried one after the other, for a room of machines that are all called alike; then any, in case somebody has taken them all. */
const NUMBERS_IN_ORDER = 100;
const NUMBERS = 1_000_000_000;

/** A name like `name` that `isTaken` says is free: `ana` → `ana-2`. */
export async function freePeerName(
  name: string,
  isTaken: (key: string) => boolean | Promise<boolean>,
  random: Random = Math.random,
): Promise<string> {
  for (let number = 2;; number = number < NUMBERS_IN_ORDER ? number + 1 : randomBelow(random, NUMBERS)) {
    const ending = `-${number}`;
    let stem = name;
    while (new TextEncoder().encode(stem + ending).length > PEER_NAME_BYTES_MAX) stem = [...stem].slice(0, -1).join("");
    if (!await isTaken(peerNameKey(stem + ending))) return stem + ending;
  }
}
