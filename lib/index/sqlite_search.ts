/**
 * Searches the tables of `SqliteIndex`. Called by sqlite_index.ts.
 *
 * A search is bounded in time, because others wait meanwhile: it reads a bounded number of candidates in the order of the index and ranks
 * those.
 * @module
 */

import { HIT_PEERS_MAX, QUERY_WORDS_MAX } from "../core/limits.ts";
import { fold, words } from "../core/words.ts";
import type { FileTable } from "./file_table.ts";
import type { NameList } from "./name_list.ts";
import { baseName, compareRanked, exactQuality, isWholeMatch, matchQuality } from "./rank.ts";
import type { FoundContent, IndexedPeer, ListedFile, SearchQuery } from "./search_index.ts";
import { type NameRow, rows, type Statements } from "./sqlite_tables.ts";
import type { WordTree } from "./word_tree.ts";

/** Names looked at for one search: some more than asked for, so that ranking has a choice. */
const CANDIDATES_MIN = 50;
const CANDIDATES_PER_HIT = 2;
/** Copies looked at for one search, however many peers list the same names. */
const SEARCH_COPIES_MAX = 10_000;
/** Copies looked at to count the holders of one content: more than there are honest peers at one server. */
const HOLDERS_COUNTED_MAX = 20_000;

/** Greater than whatever can follow in a name. */
const LAST_CHARACTER = "\u{10ffff}";

/** Where a search looks. */
export interface SearchParts {
  readonly sql: Statements;
  readonly names: NameList;
  readonly words: WordTree;
  readonly copies: FileTable;
  /** The peer behind a number in the tables, as long as it is here. */
  readonly peerOf: (id: number) => IndexedPeer | undefined;
}

/** The searching half of the index. */
export class SqliteSearch {
  readonly #parts: SearchParts;

  constructor(parts: SearchParts) {
    this.#parts = parts;
  }

  /** Finds contents, best match first. */
  search(query: SearchQuery): { hits: FoundContent[]; more: boolean } {
    const end = query.offset + query.limit;
    const { names, all } = query.exact ? this.#exactly(query.query) : this.#byWords(query.query, end + 1);
    const groups = this.#groupByContent(names, end + 1).sort(compareRanked);
    const hits = groups.slice(query.offset, end).map((group) => this.#countHolders(group));
    return { hits, more: groups.length > end || (!all && hits.length > 0) };
  }

  /** Finds every content below a folder, in order of name; of one name, the content that most have first. */
  folder(prefix: string, after: string | undefined, limit: number): { hits: FoundContent[]; more: boolean } {
    const found = rows<NameRow>(this.#parts.sql.namesBelow, after ?? "", prefix, prefix + LAST_CHARACTER, limit + 1);
    const groups = new Map<string, ContentGroup>();
    const names = found.slice(0, limit).map((row) => ({ ...row, quality: 0 }));
    // One name at a time, so that a content which lies there under several names is a hit of each.
    const hits = names.flatMap((name) => {
      groups.clear();
      this.#addCopies(groups, [name], SEARCH_COPIES_MAX);
      return [...groups.values()].sort(compareRanked).map((group) => this.#countHolders(group));
    });
    return { hits, more: found.length > limit };
  }

  #exactly(wanted: string): { names: RankedName[]; all: boolean } {
    const found = rows<NameRow>(this.#parts.sql.namesByBase, fold(baseName(wanted)), SEARCH_COPIES_MAX);
    const names = found.flatMap((row) => {
      const quality = exactQuality(row.name, wanted);
      return quality === undefined ? [] : [{ ...row, quality }];
    });
    return { names, all: found.length < SEARCH_COPIES_MAX };
  }

  /**
   * Names that match the words, `count` or more if there are so many. Where more match than are looked at, those with the whole words, the
   * best matches, are among them.
   */
  #byWords(query: string, count: number): { names: RankedName[]; all: boolean } {
    const candidatesMax = CANDIDATES_MIN + CANDIDATES_PER_HIT * count;
    const wanted = [...new Set(words(query))].slice(0, QUERY_WORDS_MAX);
    if (wanted.length === 0) {
      const first = rows<NameRow>(this.#parts.sql.anyNames, candidatesMax);
      return { names: first.map((row) => ({ ...row, quality: 0 })), all: first.length < candidatesMax };
    }
    const names = new Map<number, RankedName>();
    const look = (options: { whole: boolean }): boolean => {
      const found = this.#parts.words.find(wanted, candidatesMax, options);
      for (const id of found) {
        const name = this.#parts.names.of(id);
        const quality = names.has(id) ? undefined : matchQuality(name, wanted);
        if (quality !== undefined) names.set(id, { id, name, quality });
      }
      return found.length < candidatesMax;
    };
    const all = look({ whole: false });
    const whole = names.values().filter((name) => isWholeMatch(name.quality, wanted)).toArray();
    if (!all && whole.length < count) look({ whole: true });
    return { names: [...names.values()], all };
  }

  /**
   * The contents behind names, `count` of the best or more if there are so many. Copies with a root are one content whatever they are
   * called; others are told apart by name and size.
   */
  #groupByContent(names: readonly RankedName[], count: number): ContentGroup[] {
    const groups = new Map<string, ContentGroup>();
    const sorted = names.toSorted((a, b) => b.quality - a.quality);
    let copiesLeft = SEARCH_COPIES_MAX;
    for (let start = 0; start < sorted.length && groups.size < count && copiesLeft > 0;) {
      // Among equals the number of holders decides, so all of them are looked at together.
      const last = sorted[Math.min(start + count, sorted.length) - 1];
      const end = sorted.findLastIndex((each) => each.quality === last?.quality) + 1;
      copiesLeft -= this.#addCopies(groups, sorted.slice(start, end), copiesLeft);
      start = end;
    }
    return [...groups.values()];
  }

  /** Adds the copies of names to their contents. Shape: how many copies were looked at. */
  #addCopies(groups: Map<string, ContentGroup>, names: readonly RankedName[], copiesMax: number): number {
    const { copies, peerOf } = this.#parts;
    let looked = 0;
    for (const { id, name, quality } of names) {
      const found = copies.ofName(id, copiesMax - looked);
      looked += found.length;
      for (const { peer: peerId, size, root } of found) {
        const peer = peerOf(peerId);
        if (peer === undefined) continue;
        const key = root ?? `${id}/${size}`;
        const group = groups.get(key);
        if (group === undefined) {
          groups.set(key, { name, size, ...(root === undefined ? {} : { root }), quality, holders: 1, peers: [peer] });
          continue;
        }
        group.holders += 1;
        if (group.peers.length < HIT_PEERS_MAX && !group.peers.includes(peer)) group.peers.push(peer);
      }
    }
    return looked;
  }

  /** Counts every holder of a content, also those that have it under a name that does not match. */
  #countHolders({ quality: _, ...hit }: ContentGroup): FoundContent {
    if (hit.root === undefined) return hit;
    const { copies, peerOf } = this.#parts;
    const holders = copies.holdersOf(hit.root, HOLDERS_COUNTED_MAX);
    const peers = new Set(hit.peers);
    const named = Math.min(HIT_PEERS_MAX, holders.size);
    for (const id of peers.size < named ? [...holders].sort((a, b) => a - b) : []) {
      const peer = peers.size < named ? peerOf(id) : undefined;
      if (peer !== undefined) peers.add(peer);
    }
    return { ...hit, holders: Math.max(holders.size, peers.size), peers: [...peers] };
  }
}

/** A name and how well it matches. */
interface RankedName extends NameRow {
  readonly quality: number;
}

interface ContentGroup extends ListedFile {
  readonly quality: number;
  holders: number;
  readonly peers: IndexedPeer[];
}
