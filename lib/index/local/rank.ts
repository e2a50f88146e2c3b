/**
 * How well a name answers a search, and so which hit comes first. Pure.
 * @module
 */

import { fold, words } from "../../core/words.ts";

/** What is known of a hit when hits are put in order. */
export interface Ranked {
  readonly name: string;
  /** Who has it. */
  readonly owners: { readonly size: number };
  /** From `matchQuality` or `exactQuality`; larger is better. */
  readonly quality: number;
}

/** What a whole word counts, and a word in the file's own name. One whole word is worth more than all else together. */
const WHOLE_WORD = 100;
const OWN_WORD = 2;

/**
 * How well a name matches the words of a search: whole words count before beginnings of words, words of the file's own name
 * before words of its folders, and a name with little else in it before a long one. Undefined when a word is missing.
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

/** How well a name equals the one searched for: to the letter, without case and accents, with its folders or without. Undefined when not. */
export function exactQuality(name: string, wanted: string): number | undefined {
  if (name === wanted) return 4;
  if (fold(name) === fold(wanted)) return 3;
  if (wanted.includes("/")) return undefined;
  if (baseName(name) === wanted) return 2;
  return fold(baseName(name)) === fold(wanted) ? 1 : undefined;
}

/** Best first: quality, then how many have it, then the name, so that the order is always the same. */
export function compareRanked(a: Ranked, b: Ranked): number {
  return b.quality - a.quality || b.owners.size - a.owners.size || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}

/** The last component of a name. */
export function baseName(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}
