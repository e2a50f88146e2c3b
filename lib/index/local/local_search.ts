/**
 * Searches the tables of `LocalIndex`. Called by local_index.ts.
 *
 * A search is bounded in time, because others wait meanwhile: it reads a bounded number of names and copies. All that it finds is one sequence,
 * which does not depend on how much of it is asked for, so that its pages neither repeat each other nor leave out anything between them: names in
 * blocks of a fixed size, each block best match first, equal matches by how many have them.
 * @module
 */

import { HIT_PEERS_MAX, QUERY_WORDS_MAX } from "../../core/limits.ts";
import { fold, words } from "../../core/words.ts";
import type { NameList } from "./name_list.ts";
import { baseName, compareRanked, exactQuality, matchQuality } from "./rank.ts";
import { contentsOf, type Copies, copiesOf, type RankedContent, Ranking, shareOut } from "./ranking.ts";
import type { FoundContent, SearchQuery, WantedContent } from "../search_index.ts";
import { type NameRow, one, rows, type Statements } from "./sqlite_tables.ts";
import type { WordTree } from "./word_tree.ts";

/** Names that are put in order together: some more than a page has, so that ranking has a choice. */
const BLOCK_NAMES = 64;
/** Names that are looked at beyond those that a page needs if no two of them are one content. */
const NAMES_MORE_MAX = 32 * BLOCK_NAMES;
/** Names with the same last component that are looked at for one exact search. */
const EXACT_NAMES_MAX = 2_000;
/** Copies looked at for one page of a folder: who fetches a folder has a name's most frequent content, however many have the folder. */
const FOLDER_COPIES_MAX = 50_000;
/** Copies looked at for one answer to count the holders of its contents. */
const HOLDERS_COUNTED_MAX = 50_000;

/** Greater than whatever can follow in a name. */
const LAST_CHARACTER = "\u{10ffff}";

/** Where a search looks. */
export interface SearchParts extends Copies {
  readonly sql: Statements;
  readonly names: NameList;
  readonly words: WordTree;
}

/** The searching half of the index. */
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

  /** Finds every content below a folder, in order of name; of one name, the content that most have first. */
  folder(prefix: string, after: string | undefined, limit: number): { hits: FoundContent[]; more: boolean } {
    const found = rows<NameRow>(this.#parts.sql.namesBelow, after ?? "", prefix, prefix + LAST_CHARACTER, limit + 1);
    const names = found.slice(0, limit).map((row) => ({ ...row, quality: 0 }));
    const copies = copiesOf(names, this.#parts.copies, FOLDER_COPIES_MAX);
    // One name at a time, so that a content which lies there under several names is a hit of each.
    const contents = names.flatMap((name, at) => {
      return contentsOf([name], copies.slice(at, at + 1), this.#parts).values().toArray().sort(compareRanked);
    });
    return { hits: this.#withHolders(contents), more: found.length > limit };
  }

  /** Ranks names that equal the one wanted. Shape: whether these are all. */
  #exactly(wanted: string, ranking: Ranking): boolean {
    const { sql, names } = this.#parts;
    const found = rows<{ id: number }>(sql.idsByBase, fold(baseName(wanted)), EXACT_NAMES_MAX);
    // Where others have very many with the same last component, the very name may not be among the first.
    const same = one<{ id: number }>(sql.idOfName, wanted);
    const ids = new Set([...same === undefined ? [] : [same], ...found].map(({ id }) => id));
    const ranked = [...ids].flatMap((id) => {
      const name = names.of(id);
      const quality = exactQuality(name, wanted);
      return quality === undefined ? [] : [{ id, name, quality }];
    });
    ranking.add(ranked);
    return found.length < EXACT_NAMES_MAX;
  }

  /** Ranks names that match the words, block after block until there are enough. Shape: whether these are all. */
  #byWords(query: string, ranking: Ranking): boolean {
    const wanted = [...new Set(words(query))].slice(0, QUERY_WORDS_MAX);
    // Only no text at all asks for everything; signs alone are in no name's words.
    if (wanted.length === 0 && query.trim() !== "") return true;
    const enough = Math.ceil(ranking.wanted / BLOCK_NAMES) * BLOCK_NAMES;
    let looked = 0;
    for (let count = enough;; count = Math.min(2 * count, enough + NAMES_MORE_MAX)) {
      const found = this.#candidates(wanted, count);
      for (; looked < found.length && !ranking.isFull; looked += BLOCK_NAMES) {
        const block = found.slice(looked, looked + BLOCK_NAMES).flatMap((id) => {
          const name = this.#parts.names.of(id);
          const quality = matchQuality(name, wanted);
          return quality === undefined ? [] : [{ id, name, quality }];
        });
        ranking.add(block);
      }
      if (found.length < count) return looked >= found.length;
      if (ranking.isFull || count === enough + NAMES_MORE_MAX) return false;
    }
  }

  /**
   * The first `count` names that may match, always in the same order: those with the whole words before others, since they are the best matches.
   */
  #candidates(wanted: readonly string[], count: number): number[] {
    const { sql, words: tree } = this.#parts;
    if (wanted.length === 0) return rows<NameRow>(sql.anyNames, count).map(({ id }) => id);
    const any = tree.find(wanted, count, { whole: false });
    // All in one block, in which the order is that of their ranks.
    if (any.length < BLOCK_NAMES) return any;
    const whole = tree.find(wanted, count, { whole: true });
    return whole.length === count ? whole : [...new Set([...whole, ...any])].slice(0, count);
  }

  /** Contents with all their holders, also those that have them under a name that does not match. */
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
