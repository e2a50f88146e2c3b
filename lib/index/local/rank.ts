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
  const { folders, own } = wordsOf(name);
  const all = folders.length === 0 ? own : [...folders, ...own];
  let quality = 0;
  for (const word of queryWords) {
    if (all.includes(word)) quality += WHOLE_WORD;
    else if (!all.some((each) => each.startsWith(word))) return undefined;
    if (own.some((each) => each.startsWith(word))) quality += OWN_WORD;
  }
  return quality + queryWords.length / Math.max(all.length, 1);
}

/**
 * Makes what compares names with a wanted one: exactly, or case and accents aside; with folders, or
 * without them.
 *
 * @returns A function that gives how well a name equals the wanted one, or undefined when it does
 * not.
 */
export function exactQualityOf(wanted: string): (name: string) => number | undefined {
  const folded = fold(wanted);
  const hasFolders = wanted.includes("/");
  return (name) => {
    if (name === wanted) return 4;
    if (fold(name) === folded) return 3;
    if (hasFolders) return undefined;
    const base = baseName(name);
    if (base === wanted) return 2;
    return base !== name && fold(base) === folded ? 1 : undefined;
  };
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

/** The words of a name, with repetitions: those of its folders, and those of the file itself. */
export function wordsOf(name: string): { folders: string[]; own: string[] } {
  const base = baseName(name);
  return { folders: base === name ? [] : words(name.slice(0, name.length - base.length)), own: words(base) };
}
