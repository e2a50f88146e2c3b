/**
 * Searches the tables of `SqliteIndex`. Called by sqlite_index.ts.
 *
 * A search is bounded in time, because others wait meanwhile: it reads a bounded number of candidates in the order of the index and ranks
 * those.
 * @module
 */

import { HIT_PEERS_MAX, QUERY_WORDS_MAX } from "../core/limits.ts";
import { fold, words } from "../core/words.ts";
import type { NameList } from "./name_list.ts";
import { baseName, compareRanked, exactQuality, isWholeMatch, matchQuality } from "./rank.ts";
import type { FoundContent, IndexedPeer, ListedFile, SearchQuery } from "./search_index.ts";
import { type CopyRow, fileOf, type HolderRow, type NameRow, rows, type Statements } from "./sqlite_tables.ts";
import type { WordTree } from "./word_tree.ts";

/** Names looked at for one search: some more than asked for, so that ranking has a choice. */
const CANDIDATES_MIN = 50;
const CANDIDATES_PER_HIT = 2;
/** Copies looked at for one search, however many peers list the same names. */
const SEARCH_COPIES_MAX = 10_000;

/** Greater than whatever can follow in a name. */
const LAST_CHARACTER = "\u{10ffff}";

/** The searching half of the index. */
export class SqliteSearch {
  readonly #sql: Statements;
  readonly #names: NameList;
  readonly #words: WordTree;
  readonly #peerOf: (id: number) => IndexedPeer | undefined;

  /** `peerOf` gives the peer behind a number in the tables, as long as it is here. */
  constructor(
    sql: Statements,
    names: NameList,
    tree: WordTree,
    peerOf: (id: number) => IndexedPeer | undefined,
  ) {
    this.#sql = sql;
    this.#names = names;
    this.#words = tree;
    this.#peerOf = peerOf;
  }

  /** Finds contents, best match first. */
  search(query: SearchQuery): { hits: FoundContent[]; more: boolean } {
    const end = query.offset + query.limit;
    const { names, all } = query.exact ? this.#exactly(query.query) : this.#byWords(query.query, end + 1);
    const groups = this.#groupByContent(names, end + 1).sort(compareRanked);
    const hits = this.#countHolders(groups.slice(query.offset, end));
    return { hits, more: groups.length > end || (!all && hits.length > 0) };
  }

  /** Finds every content below a folder, in order of name; of one name, the content that most have first. */
  folder(prefix: string, after: string | undefined, limit: number): { hits: FoundContent[]; more: boolean } {
    const found = rows<NameRow>(this.#sql.namesBelow, after ?? "", prefix, prefix + LAST_CHARACTER, limit + 1);
    const groups = new Map<string, ContentGroup>();
    const names = found.slice(0, limit).map((row) => ({ ...row, quality: 0 }));
    // One name at a time, so that a content which lies there under several names is a hit of each.
    const hits = names.flatMap((name) => {
      groups.clear();
      this.#addCopies(groups, [name], SEARCH_COPIES_MAX);
      return this.#countHolders([...groups.values()].sort(compareRanked));
    });
    return { hits, more: found.length > limit };
  }

  #exactly(wanted: string): { names: RankedName[]; all: boolean } {
    const found = rows<NameRow>(this.#sql.namesByBase, fold(baseName(wanted)), SEARCH_COPIES_MAX);
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
      const first = rows<NameRow>(this.#sql.anyNames, candidatesMax);
      return { names: first.map((row) => ({ ...row, quality: 0 })), all: first.length < candidatesMax };
    }
    const names = new Map<number, RankedName>();
    const look = (options: { whole: boolean }): boolean => {
      const found = this.#words.find(wanted, candidatesMax, options);
      for (const id of found) {
        const name = this.#names.of(id);
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
    const byId = new Map(names.map((name) => [name.id, name]));
    const ids = JSON.stringify([...byId.keys()]);
    const copies = rows<CopyRow & { name: number }>(this.#sql.copiesOfNames, ids, copiesMax);
    for (const copy of copies) {
      const peer = this.#peerOf(copy.peer);
      const named = byId.get(copy.name);
      if (peer === undefined || named === undefined) continue;
      const key = copy.root === null ? `${copy.name}/${copy.size}` : copy.root.toHex();
      const group = groups.get(key);
      if (group === undefined) {
        const { name, quality } = named;
        groups.set(key, { ...fileOf(name, copy), quality, holders: 1, peers: [peer] });
        continue;
      }
      group.holders += 1;
      if (group.peers.length < HIT_PEERS_MAX && !group.peers.includes(peer)) group.peers.push(peer);
    }
    return copies.length;
  }

  /** Counts every holder of contents, also those that have one under a name that does not match. */
  #countHolders(groups: readonly ContentGroup[]): FoundContent[] {
    const roots = groups.map((group) => group.root).filter((root) => root !== undefined);
    const counted = roots.length === 0 ? [] : rows<HoldersRow>(this.#sql.countHolders, JSON.stringify(roots));
    const holdersOf = new Map(counted.map(({ root, holders }) => [root, holders]));
    return groups.map(({ quality: _, ...hit }) => {
      if (hit.root === undefined) return hit;
      const holders = holdersOf.get(hit.root) ?? 0;
      const peers = holders > hit.peers.length ? this.#morePeers(hit.root, hit.peers) : hit.peers;
      return { ...hit, holders: Math.max(holders, peers.length), peers };
    });
  }

  /** These holders of a content and others, as many as are named with a hit. */
  #morePeers(root: string, peers: readonly IndexedPeer[]): IndexedPeer[] {
    const known = new Set(peers);
    if (known.size >= HIT_PEERS_MAX) return [...known];
    for (const row of rows<HolderRow>(this.#sql.copiesOfRoot, Uint8Array.fromHex(root), 2 * HIT_PEERS_MAX, 0)) {
      const peer = row.partial === 1 ? undefined : this.#peerOf(row.peer);
      if (peer !== undefined && known.size < HIT_PEERS_MAX) known.add(peer);
    }
    return [...known];
  }
}

interface HoldersRow {
  readonly root: string;
  readonly holders: number;
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
