/**
 * Searches the files of `LocalIndex`. Called by local_index.ts.
 *
 * A search is bounded, and other requests have their turn while a long one runs: it reads a bounded
 * number of names, of their characters and of copies. Its hits are one sequence, which does not
 * depend on how many of them are asked for. So pages neither repeat each other nor leave anything
 * out between them. The sequence is made of blocks of names of a fixed size, and peer_shares.ts
 * shares the names among the peers. In each block the best match comes first, and among equal
 * matches the content with the most holders.
 * @module
 */

import {
  EXACT_NAMES_MAX,
  FOLDER_COPIES_MAX,
  HIT_PEERS_MAX,
  HITS_MAX,
  HOLDERS_COUNTED_MAX,
  QUERY_WORDS_MAX,
  SEARCH_OFFSET_MAX,
} from "../../core/limits.ts";
import { words } from "../../core/words.ts";
import type { FoundContent, IndexedPeer, SearchQuery, WantedContent } from "../search_index.ts";
import { groupOf } from "./id_set.ts";
import type { NameList } from "./name_list.ts";
import { FIRST_NAMES, PeerShares } from "./peer_shares.ts";
import { baseName, compareRanked, exactQualityOf, matchQuality } from "./rank.ts";
import {
  contentsOf,
  type Copies,
  copiesOf,
  type RankedContent,
  type RankedName,
  Ranking,
  shareOut,
} from "./ranking.ts";
import type { Slices } from "./slices.ts";
import type { WordTree } from "./word_tree.ts";

/** Names that are ranked together: more than a page has, so that ranking has a choice. */
const BLOCK_NAMES = 64;
/**
 * Names that one search looks at: those of the last page when each is a content of its own, and 32
 * blocks more. The bound is the same for every page, so that all pages belong to one sequence.
 */
const NAMES_MAX = (Math.ceil((SEARCH_OFFSET_MAX + HITS_MAX + 1) / BLOCK_NAMES) + 32) * BLOCK_NAMES;
/**
 * Characters of names that one search looks at: {@linkcode NAMES_MAX} names of 120 characters, or
 * 488 of the longest.
 */
const CHARACTERS_MAX = 500_000;
/** Names with the wanted last component that are shared among peers. */
const EXACT_NAMES_SHARED_MAX = 32_768;
/** A search that has looked at this many names or characters lets others have their turn. */
const AT_ONCE = { names: 256, characters: 16_384 };

/** Where a search looks. */
export interface SearchParts extends Copies {
  readonly names: NameList;
  readonly words: WordTree;
  /** The time of all searches that take long. */
  readonly slices: Slices;
}

/** How many names one search has looked at, and how many characters of them. */
interface Looked {
  names: number;
  characters: number;
}

/** Names that may match. */
interface Candidates {
  readonly ids: number[];
  /** The first so many are ranked before the others: they are the first names of several peers. */
  readonly first: number;
}

/** The part of the index that searches. */
export class LocalSearch {
  readonly #parts: SearchParts;

  constructor(parts: SearchParts) {
    this.#parts = parts;
  }

  /** Finds contents, best match first. */
  async search({ query, exact, limit, offset }: SearchQuery): Promise<{ hits: FoundContent[]; more: boolean }> {
    const end = offset + limit;
    const ranking = new Ranking(this.#parts, end + 1);
    await (exact ? this.#exactly(query, ranking) : this.#byWords(query, ranking));
    return { hits: this.#withHolders(ranking.contents.slice(offset, end)), more: ranking.contents.length > end };
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
      return contentsOf([name], copies.slice(at, at + 1), this.#parts).sort(compareRanked);
    });
    return { hits: this.#withHolders(contents), more: found.length > limit };
  }

  /** Ranks names that equal the wanted one. */
  async #exactly(wanted: string, ranking: Ranking): Promise<void> {
    const { names } = this.#parts;
    const qualityOf = exactQualityOf(wanted);
    const looked: Looked = { names: 0, characters: 0 };
    for (const ids of this.#withBaseOf(wanted)) {
      const matching: RankedName[] = [];
      for (let at = 0; at < ids.length && looked.characters < CHARACTERS_MAX; at += BLOCK_NAMES) {
        matching.push(...this.#matching(ids.slice(at, at + BLOCK_NAMES), qualityOf, looked));
        await this.#letOthersRun(looked);
      }
      // Meanwhile a name may have been removed, and its number given to another one.
      ranking.add(matching.filter(({ id, name }) => names.of(id) === name));
    }
  }

  /**
   * Names that may equal the wanted one. Where there are more than a search looks at, the first
   * names of each peer are ranked before the others.
   */
  #withBaseOf(wanted: string): number[][] {
    const { names, copies } = this.#parts;
    const found = names.withBase(baseName(wanted), EXACT_NAMES_SHARED_MAX);
    if (found.length <= EXACT_NAMES_MAX) return [found];
    const shares = new PeerShares(copies);
    const first = found.filter((id) => !shares.skips(groupOf(id)) && shares.takes(id));
    // The wanted name itself may not be one of these.
    const same = names.idOf(wanted);
    const before = new Set([...same === undefined ? [] : [same], ...first.slice(0, EXACT_NAMES_MAX)]);
    const others = new Set([...shares.later, ...found]).difference(before);
    return [[...before], [...others].slice(0, Math.max(0, EXACT_NAMES_MAX - before.size))];
  }

  /** Ranks names that match the words, block after block until there are enough. */
  async #byWords(query: string, ranking: Ranking): Promise<void> {
    const wanted = [...new Set(words(query))].slice(0, QUERY_WORDS_MAX);
    // Only an empty query asks for everything. A query of signs alone matches no words.
    if (wanted.length === 0 && query.trim() !== "") return;
    const looked: Looked = { names: 0, characters: 0 };
    let at = 0;
    const enough = Math.ceil(ranking.wanted / BLOCK_NAMES) * BLOCK_NAMES;
    for (let count = Math.min(enough, NAMES_MAX);; count = Math.min(4 * count, NAMES_MAX)) {
      const { ids, first } = this.#candidates(wanted, count);
      const areAll = ids.length < count;
      for (let end = blockEnd(at, first); areAll ? at < ids.length : end <= ids.length; end = blockEnd(at, first)) {
        if (ranking.isFull || looked.characters >= CHARACTERS_MAX) return;
        ranking.add(this.#matching(ids.slice(at, end), (name) => matchQuality(name, wanted), looked));
        at = end;
        await this.#letOthersRun(looked);
      }
      if (ranking.isFull || areAll || count === NAMES_MAX) return;
    }
  }

  /** The names that match, each with its quality. */
  #matching(ids: readonly number[], qualityOf: (name: string) => number | undefined, looked: Looked): RankedName[] {
    const ranked: RankedName[] = [];
    for (const id of ids) {
      const name = this.#parts.names.of(id);
      looked.names += 1;
      looked.characters += name.length;
      const quality = qualityOf(name);
      if (quality !== undefined) ranked.push({ id, name, quality });
    }
    return ranked;
  }

  /** Waits for the next slice of time, if this search is long and the present slice is over. */
  async #letOthersRun({ names, characters }: Looked): Promise<void> {
    if (names < AT_ONCE.names && characters < AT_ONCE.characters) return;
    while (this.#parts.slices.isOver) await this.#parts.slices.next();
  }

  /**
   * The first `count` names that may match, always in the same order. Names within the shares of
   * their peers come first, and among them those with the whole words, since they are the best
   * matches.
   */
  #candidates(wanted: readonly string[], count: number): Candidates {
    const { names, words: tree } = this.#parts;
    if (wanted.length === 0) return { ids: names.below("", "", count), first: 0 };
    const any = tree.find(wanted, BLOCK_NAMES, { whole: false });
    // All of them fit into one block, and a block is in order of rank.
    if (any.length < BLOCK_NAMES) return { ids: any, first: 0 };
    let found: Candidates = { ids: [], first: 0 };
    const add = (some: Candidates): void => {
      found = found.ids.length === 0 ? some : { ...found, ids: [...new Set([...found.ids, ...some.ids])] };
    };
    for (const whole of [true, false]) if (found.ids.length < count) add(this.#withinShares(wanted, count, whole));
    for (const whole of [true, false]) {
      if (found.ids.length < count) add({ ids: tree.find(wanted, count, { whole }), first: 0 });
    }
    return { ...found, ids: found.ids.slice(0, count) };
  }

  /** The first `count` names that may match and are within the share of a peer that lists them. */
  #withinShares(wanted: readonly string[], count: number, whole: boolean): Candidates {
    const shares = new PeerShares(this.#parts.copies);
    const ids = this.#parts.words.find(wanted, count, { whole, choice: shares });
    if (ids.length >= count) return { ids, first: count };
    // One peer alone hides nothing of others, so its names are ranked in whole blocks.
    return { ids: [...ids, ...shares.later.slice(0, count)], first: ids.length > FIRST_NAMES ? ids.length : 0 };
  }

  /**
   * Contents with all their holders, including those that have them under a name that does not
   * match.
   */
  #withHolders(contents: readonly RankedContent[]): FoundContent[] {
    const { copies } = this.#parts;
    // One content may be a hit under several names.
    const rooted = new Map<string, WantedContent>();
    for (const { key, root, size } of contents) if (root !== undefined) rooted.set(key, { root, size });
    const counted = shareOut(
      [...rooted.values()],
      HOLDERS_COUNTED_MAX,
      (content, most) => copies.holdersOf(content, most),
      ({ looked }) => looked,
    );
    const holdersOf = new Map<string, Set<number>>();
    for (const key of rooted.keys()) holdersOf.set(key, counted[holdersOf.size]?.holders ?? new Set());
    return contents.map((content) => this.#found(content, holdersOf.get(content.key)));
  }

  /** A content with its holders: those with a name that matches, then those with another name. */
  #found({ name, size, root, owners }: RankedContent, holders: ReadonlySet<number> = new Set()): FoundContent {
    const others: IndexedPeer[] = [];
    // Peers that joined first have the lowest numbers.
    for (const id of [...holders].sort((a, b) => a - b)) {
      const peer = this.#parts.peerOf(id);
      if (peer !== undefined && !owners.has(peer)) others.push(peer);
    }
    const some = owners.values().take(HIT_PEERS_MAX).toArray();
    const peers = [...some, ...others.slice(0, HIT_PEERS_MAX - some.length)];
    return { name, size, root, holders: owners.size + others.length, peers };
  }
}

/** Where the block ends that begins at a position. No block goes beyond the first names. */
function blockEnd(start: number, first: number): number {
  return start < first ? Math.min(start + BLOCK_NAMES, first) : start + BLOCK_NAMES;
}
