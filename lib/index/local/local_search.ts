/**
 * Searches the files of `LocalIndex`. Called by local_index.ts.
 *
 * A search is bounded in time, because other requests wait for it: it reads a bounded number of
 * names and copies. Its hits are one sequence, which does not depend on how many of them are asked
 * for. So pages neither repeat each other nor leave anything out between them. The sequence is made
 * of blocks of names of a fixed size. In each block the best match comes first, and among equal
 * matches the content with the most holders.
 * @module
 */

import {
  EXACT_NAMES_MAX,
  FOLDER_COPIES_MAX,
  HIT_PEERS_MAX,
  HOLDERS_COUNTED_MAX,
  QUERY_WORDS_MAX,
} from "../../core/limits.ts";
import { words } from "../../core/words.ts";
import type { FoundContent, SearchQuery, WantedContent } from "../search_index.ts";
import type { NameList } from "./name_list.ts";
import { baseName, compareRanked, exactQuality, matchQuality } from "./rank.ts";
import {
  contentsOf,
  type Copies,
  copiesOf,
  type RankedContent,
  type RankedName,
  Ranking,
  shareOut,
} from "./ranking.ts";
import type { WordTree } from "./word_tree.ts";

/** Names that are ranked together: more than a page has, so that ranking has a choice. */
const BLOCK_NAMES = 64;
/**
 * Names that are looked at in addition to those that a page needs when each name is a content of
 * its own.
 */
const NAMES_MORE_MAX = 32 * BLOCK_NAMES;

/** Where a search looks. */
export interface SearchParts extends Copies {
  readonly names: NameList;
  readonly words: WordTree;
}

/** The part of the index that searches. */
export class LocalSearch {
  readonly #parts: SearchParts;

  constructor(parts: SearchParts) {
    this.#parts = parts;
  }

  /** Finds contents, best match first. */
  search({ query, exact, limit, offset }: SearchQuery): { hits: FoundContent[]; more: boolean } {
    const end = offset + limit;
    const ranking = new Ranking(this.#parts, end + 1);
    const all = exact ? this.#exactly(query, ranking) : this.#byWords(query, ranking);
    const hits = this.#withHolders(ranking.contents.slice(offset, end));
    return { hits, more: ranking.contents.length > end || (!all && hits.length > 0) };
  }

  /**
   * Finds every content below a folder, in order of name. Of the contents of one name, the most
   * frequent comes first.
   */
  folder(prefix: string, after: string | undefined, limit: number): { hits: FoundContent[]; more: boolean } {
    const found = this.#parts.names.below(prefix, after ?? "", limit + 1);
    const names = found.slice(0, limit).map((id) => ({ id, name: this.#parts.names.of(id), quality: 0 }));
    const copies = copiesOf(names, this.#parts.copies, FOLDER_COPIES_MAX);
    // One name at a time: a content with several names in the folder is a hit under each.
    const contents = names.flatMap((name, at) => {
      return contentsOf([name], copies.slice(at, at + 1), this.#parts).values().toArray().sort(compareRanked);
    });
    return { hits: this.#withHolders(contents), more: found.length > limit };
  }

  /**
   * Ranks names that equal the wanted one.
   *
   * @returns Whether these are all.
   */
  #exactly(wanted: string, ranking: Ranking): boolean {
    const { names } = this.#parts;
    const found = names.withBase(baseName(wanted), EXACT_NAMES_MAX);
    // Among very many names with the same last component, the wanted one may not be one of the
    // first.
    const same = names.idOf(wanted);
    const ids = new Set([...same === undefined ? [] : [same], ...found]);
    ranking.add(this.#matching(ids, (name) => exactQuality(name, wanted)));
    return found.length < EXACT_NAMES_MAX;
  }

  /**
   * Ranks names that match the words, block after block until there are enough.
   *
   * @returns Whether these are all.
   */
  #byWords(query: string, ranking: Ranking): boolean {
    const wanted = [...new Set(words(query))].slice(0, QUERY_WORDS_MAX);
    // Only an empty query asks for everything. A query of signs alone matches no words.
    if (wanted.length === 0 && query.trim() !== "") return true;
    const enough = Math.ceil(ranking.wanted / BLOCK_NAMES) * BLOCK_NAMES;
    let looked = 0;
    for (let count = enough;; count = Math.min(2 * count, enough + NAMES_MORE_MAX)) {
      const found = this.#candidates(wanted, count);
      for (; looked < found.length && !ranking.isFull; looked += BLOCK_NAMES) {
        const block = found.slice(looked, looked + BLOCK_NAMES);
        ranking.add(this.#matching(block, (name) => matchQuality(name, wanted)));
      }
      if (found.length < count) return looked >= found.length;
      if (ranking.isFull || count === enough + NAMES_MORE_MAX) return false;
    }
  }

  /** The names that match, each with its quality. */
  #matching(ids: Iterable<number>, qualityOf: (name: string) => number | undefined): RankedName[] {
    const ranked: RankedName[] = [];
    for (const id of ids) {
      const name = this.#parts.names.of(id);
      const quality = qualityOf(name);
      if (quality !== undefined) ranked.push({ id, name, quality });
    }
    return ranked;
  }

  /**
   * The first `count` names that may match, always in the same order. Names with the whole words
   * come first, since they are the best matches.
   */
  #candidates(wanted: readonly string[], count: number): number[] {
    const { names, words: tree } = this.#parts;
    if (wanted.length === 0) return names.below("", "", count);
    const any = tree.find(wanted, count, { whole: false });
    // All of them fit into one block, and a block is in order of rank.
    if (any.length < BLOCK_NAMES) return any;
    const whole = tree.find(wanted, count, { whole: true });
    return whole.length === count ? whole : [...new Set([...whole, ...any])].slice(0, count);
  }

  /**
   * Contents with all their holders, including those that have them under a name that does not
   * match.
   */
  #withHolders(contents: readonly RankedContent[]): FoundContent[] {
    const { copies, peerOf } = this.#parts;
    const rooted = new Map<string, WantedContent>();
    for (const { root, size } of contents) if (root !== undefined) rooted.set(`${root}/${size}`, { root, size });
    const counted = shareOut(
      [...rooted.values()],
      HOLDERS_COUNTED_MAX,
      (content, most) => copies.holdersOf(content, most),
      ({ looked }) => looked,
    );
    const holdersOf = new Map(rooted.keys().map((key, at) => [key, counted[at]?.holders] as const));
    return contents.map(({ name, size, root, owners }) => {
      const some = owners.values().take(HIT_PEERS_MAX).toArray();
      if (root === undefined) return { name, size, holders: owners.size, peers: some };
      const holders = Array.from(holdersOf.get(`${root}/${size}`) ?? []).sort((a, b) => a - b).map(peerOf);
      const others = holders.filter((peer) => peer !== undefined).filter((peer) => !owners.has(peer));
      const peers = [...some, ...others.slice(0, HIT_PEERS_MAX - some.length)];
      return { name, size, root, holders: owners.size + others.length, peers };
    });
  }
}
