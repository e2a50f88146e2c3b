/**
 * Puts the contents behind names in order: better matches first, and among equal matches those with
 * more holders. Called by local_search.ts.
 *
 * What is ranked later never changes the order of what was ranked before. So a caller that asks for
 * fewer contents gets the beginning of the same sequence.
 * @module
 */

import { COPIES_RANKED_MAX } from "../../core/limits.ts";
import type { FileRow, FileTable } from "./file_table.ts";
import { compareRanked } from "./rank.ts";
import type { IndexedPeer, ListedFile } from "../search_index.ts";

/**
 * Copies of this many names are looked at before the next check whether there are enough contents.
 */
const NAMES_AT_ONCE = 25;

/** A name and how well it matches. */
export interface RankedName {
  readonly id: number;
  readonly name: string;
  readonly quality: number;
}

/** A content, and the peers that have it under a name of this quality. */
export interface RankedContent extends ListedFile {
  /** The same for all copies of the content, and for no other content. */
  readonly key: string;
  readonly quality: number;
  readonly owners: Set<IndexedPeer>;
}

/** Where the copies of names are found. */
export interface Copies {
  readonly copies: FileTable;
  /** The peer with a number, if it has not left. */
  readonly peerOf: (id: number) => IndexedPeer | undefined;
}

/** Contents in order: as many as are wanted, or a few more. */
export class Ranking {
  /** How many contents are wanted. */
  readonly wanted: number;
  /** The contents that were found, in order. */
  readonly contents: RankedContent[] = [];
  readonly #parts: Copies;
  readonly #known = new Set<string>();
  #copiesLeft = COPIES_RANKED_MAX;

  constructor(parts: Copies, wanted: number) {
    this.#parts = parts;
    this.wanted = wanted;
  }

  /** Whether there are as many contents as are wanted. */
  get isFull(): boolean {
    return this.contents.length >= this.wanted;
  }

  /**
   * Ranks the contents of names behind all that were ranked before. Stops when there are enough
   * contents.
   */
  add(names: readonly RankedName[]): void {
    const sorted = names.toSorted((a, b) => b.quality - a.quality);
    for (let start = 0; start < sorted.length && !this.isFull;) {
      // Among equal matches the number of holders decides, so all of them are looked at together.
      const last = sorted[Math.min(start + NAMES_AT_ONCE, sorted.length) - 1];
      const end = sorted.findLastIndex((each) => each.quality === last?.quality) + 1;
      this.#addSome(sorted.slice(start, end));
      start = end;
    }
  }

  #addSome(names: readonly RankedName[]): void {
    const copies = copiesOf(names, this.#parts.copies, this.#copiesLeft);
    this.#copiesLeft -= copies.reduce((sum, each) => sum + each.length, 0);
    const fresh = contentsOf(names, copies, this.#parts).filter(({ key }) => !this.#known.has(key));
    for (const { key } of fresh) this.#known.add(key);
    this.contents.push(...fresh.sort(compareRanked));
  }
}

/** The copies of each name: `limit` in all, but at least one of each. */
export function copiesOf(names: readonly { readonly id: number }[], copies: FileTable, limit: number): FileRow[][] {
  return shareOut(names, limit, ({ id }, most) => copies.ofName(id, most), (found) => found.length);
}

/**
 * Looks something up for each item, within a bound for all items together. Each item has an equal
 * share of the bound, at least 1. What some items do not use goes to the first ones that need more.
 *
 * @param look Looks up an item, and looks at `most` things at most.
 * @param lookedAt How many things that was.
 */
export function shareOut<Item, Found>(
  items: readonly Item[],
  limit: number,
  look: (item: Item, most: number) => Found,
  lookedAt: (found: Found) => number,
): Found[] {
  const share = Math.max(1, Math.floor(limit / items.length));
  const found = items.map((item) => ({ item, found: look(item, share) }));
  let left = limit - found.reduce((sum, each) => sum + lookedAt(each.found), 0);
  return found.map(({ item, found }) => {
    if (lookedAt(found) < share || left <= 0) return found;
    const more = look(item, share + left);
    left -= lookedAt(more) - lookedAt(found);
    return more;
  });
}

/**
 * Groups the copies of names by content. Copies with the same root and size are one content,
 * whatever their names. Copies without a root are one content when they have the same name and
 * size.
 */
export function contentsOf(
  names: readonly RankedName[],
  copies: readonly (readonly FileRow[])[],
  { peerOf }: Copies,
): RankedContent[] {
  const contents = new Map<string, RankedContent>();
  let at = 0;
  for (const { id, name, quality } of names) {
    for (const { peer: peerId, size, root } of copies[at++] ?? []) {
      const peer = peerOf(peerId);
      if (peer === undefined) continue;
      const key = `${root ?? id}/${size}`;
      const known = contents.get(key);
      if (known === undefined) contents.set(key, { key, name, size, root, quality, owners: new Set([peer]) });
      else if (quality === known.quality) known.owners.add(peer);
    }
  }
  return [...contents.values()];
}
