/**
 * How well a name matches a search, which decides the order of hits. Pure.
 * @module
 */

import { fold, words } from "../../core/words.ts";

/** What decides the place of a hit. */
export interface Ranked {
  readonly name: string;
  /** The peers that have it. */
  readonly owners: { readonly size: number };
  /** From `matchQuality` or `exactQuality`. Larger is better. */
  readonly quality: number;
}

/** Points for a whole word: more than everything else together. */
const WHOLE_WORD = 100;
/** Points for a word in the file's own name, not only in its folders. */
const OWN_WORD = 2;

/**
 * How well a name matches the words of a search. Whole words count more than beginnings of words,
 * words of the file's own name more than words of its folders, and a name with few other words more
 * than a long one.
 *
 * @returns Undefined when a word is missing.
 */
export function matchQuality(name: string, queryWords: readonly string[]): number | undefined {
  const nameWords = words(name);
  const ownWords = words(baseName(name));
  let quality = 0;
  for (const word of queryWords) {
    if (nameWords.includes(word)) quality += WHOLE_WORD;
    else if (!nameWords.some((each) => each.startsWith(word))) return undefined;
    if (ownWords.some((each) => each.startsWith(word))) quality += OWN_WORD;
  }
  return quality + queryWords.length / Math.max(nameWords.length, 1);
}

/**
 * How well a name equals the wanted one: exactly, or case and accents aside; with its folders, or
 * without them.
 *
 * @returns Undefined when it does not.
 */
export function exactQuality(name: string, wanted: string): number | undefined {
  if (name === wanted) return 4;
  if (fold(name) === fold(wanted)) return 3;
  if (wanted.includes("/")) return undefined;
  if (baseName(name) === wanted) return 2;
  return fold(baseName(name)) === fold(wanted) ? 1 : undefined;
}

/**
 * Best first: by quality, then by the number of holders, then by name, so the order is always the
 * same.
 */
export function compareRanked(a: Ranked, b: Ranked): number {
  return b.quality - a.quality || b.owners.size - a.owners.size || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}

/** The last component of a name. */
export function baseName(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}
