/**
 * The index of one server, in memory: SQLite with its FTS5 full-text index, both part of Deno. Called by lib/server.
 *
 * Names are stored once, however many peers list them, and FTS5 indexes names, not files: thirty copies of a video are one entry. Names
 * are folded and cut into words by lib/core/words.ts on both sides, so FTS5's own tokenizer only has to split at spaces.
 *
 * Every step is bounded in time, because searches of others wait meanwhile: changes are applied in slices, and a search reads a bounded
 * number of candidates, in the order of the index, and ranks those. For that FTS5 must not build whole lists of matches first, as it
 * does for a prefix that has no index of its own (43 ms for `mp4*` among 300,000 names, 0.1 ms with one): hence PREFIX_LENGTHS.
 * @module
 */

import { DatabaseSync, type StatementSync } from "node:sqlite";
import { nextTurn } from "../core/clock.ts";
import { Failure } from "../core/failure.ts";
import { FILES_PER_PEER_MAX, HIT_PEERS_MAX, NAME_WORDS_MAX, QUERY_WORDS_MAX } from "../core/limits.ts";
import { freePeerName, peerNameKey } from "../core/peer_name.ts";
import { fold, words } from "../core/words.ts";
import { baseName, compareRanked, exactQuality, matchQuality } from "./rank.ts";
import type {
  FoundContent,
  FoundCopy,
  IndexedPeer,
  ListChange,
  ListedFile,
  Page,
  PeerSummary,
  SearchIndex,
  SearchQuery,
} from "./search_index.ts";

/** Lengths of prefixes that have an index of their own. Longer words of a search are looked up by their beginning and compared afterwards. */
const PREFIX_LENGTHS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
const PREFIX_LENGTH_MAX = Math.max(...PREFIX_LENGTHS);
/** How long a change may hold the event loop before others have their turn. */
const SLICE_MS = 4;
/** Names looked at for one search: some more than asked for, so that ranking has a choice. */
const CANDIDATES_MIN = 50;
const CANDIDATES_PER_HIT = 2;
/** Copies looked at for one search, however many peers list the same names. */
const SEARCH_COPIES_MAX = 10_000;

const SCHEMA = `
  PRAGMA journal_mode = OFF;
  PRAGMA synchronous = OFF;
  PRAGMA temp_store = MEMORY;
  CREATE TABLE names (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, base TEXT NOT NULL);
  CREATE INDEX names_base ON names (base);
  CREATE TABLE files (
    peer INTEGER NOT NULL, name INTEGER NOT NULL, size INTEGER NOT NULL, root BLOB, PRIMARY KEY (peer, name)
  ) WITHOUT ROWID;
  CREATE INDEX files_name ON files (name);
  CREATE INDEX files_root ON files (root) WHERE root IS NOT NULL;
  CREATE VIRTUAL TABLE name_words USING fts5 (
    words, content = '', columnsize = 0, detail = none, tokenize = 'ascii', prefix = '${PREFIX_LENGTHS.join(" ")}'
  );
  BEGIN;
`;

interface PeerState {
  readonly id: number;
  readonly peer: IndexedPeer;
  files: number;
  bytes: number;
}

interface NameRow {
  readonly id: number;
  readonly name: string;
}

interface CopyRow {
  readonly peer: number;
  readonly size: number;
  readonly root: Uint8Array | null;
}

/** `SearchIndex` in the memory of this process. */
export class SqliteIndex implements SearchIndex {
  // One transaction for the life of the database: there is nothing to make durable, and ending one makes FTS5 write out and merge what it
  // has gathered (44,000 names a second with a commit every 500, 66,000 without). Searches see what is not committed.
  readonly #database = new DatabaseSync(":memory:");
  readonly #sql: ReturnType<typeof prepareAll>;
  readonly #byKey = new Map<string, PeerState>();
  readonly #byId = new Map<number, PeerState>();
  #lastPeerId = 0;
  #sorted: PeerState[] | undefined;
  #files = 0;
  #closed = false;

  constructor() {
    this.#database.exec(SCHEMA);
    this.#sql = prepareAll(this.#database);
  }

  join(peer: IndexedPeer): Promise<void> {
    const key = peerNameKey(peer.name);
    if (this.#byKey.has(key)) {
      const suggestion = freePeerName(peer.name, (each) => this.#byKey.has(each));
      return Promise.reject(
        new Failure("name-taken", `Cannot join as "${peer.name}": somebody here has that name`, {
          hint: `choose another with --name; "${suggestion}" is free`,
          suggestion,
        }),
      );
    }
    const state = { id: ++this.#lastPeerId, peer, files: 0, bytes: 0 };
    this.#byKey.set(key, state);
    this.#byId.set(state.id, state);
    this.#sorted = undefined;
    return Promise.resolve();
  }

  async leave(name: string): Promise<void> {
    const key = peerNameKey(name);
    const state = this.#byKey.get(key);
    if (state === undefined) return;
    this.#byKey.delete(key);
    this.#byId.delete(state.id);
    this.#sorted = undefined;
    this.#files -= state.files;
    while (!this.#closed) {
      const left = rows<NameRow>(this.#sql.someNamesOfPeer, state.id);
      if (left.length === 0) return;
      await this.#inSlices(left, (row) => this.#forget(state.id, row));
    }
  }

  async update(name: string, change: ListChange): Promise<number> {
    const state = this.#joined(name);
    if (state.files + change.add.length > FILES_PER_PEER_MAX + change.remove.length) {
      throw new Failure("too-large", `Cannot list more than ${FILES_PER_PEER_MAX} files`, {
        hint: "share a smaller folder",
      });
    }
    const present = (): void => {
      if (this.#byId.get(state.id) !== state) {
        throw new Failure("not-joined", `Cannot change the list: "${name}" has left`);
      }
    };
    await this.#inSlices(change.remove, (each) => {
      present();
      this.#remove(state, each);
    });
    await this.#inSlices(change.add, (each) => {
      present();
      this.#add(state, each);
    });
    return state.files;
  }

  search(query: SearchQuery): Promise<{ hits: FoundContent[]; more: boolean }> {
    const end = query.offset + query.limit;
    const candidatesMax = CANDIDATES_MIN + CANDIDATES_PER_HIT * end;
    const { names, all } = query.exact ? this.#exactly(query.query) : this.#byWords(query.query, candidatesMax);
    const groups = this.#groupByContent(names).sort(compareRanked);
    const hits = groups.slice(query.offset, end).map((group) => this.#countHolders(group));
    return Promise.resolve({ hits, more: groups.length > end || (!all && hits.length > 0) });
  }

  find(root: string, page: Page): Promise<{ copies: FoundCopy[]; more: boolean }> {
    const found = rows<NameRow & CopyRow>(
      this.#sql.copiesOfRoot,
      Uint8Array.fromHex(root),
      page.limit + 1,
      page.offset,
    );
    const copies = found.slice(0, page.limit).flatMap((row) => {
      const peer = this.#byId.get(row.peer)?.peer;
      return peer === undefined ? [] : [{ peer, ...fileOf(row.name, row) }];
    });
    return Promise.resolve({ copies, more: found.length > page.limit });
  }

  copy(peer: string, name: string): Promise<FoundCopy | undefined> {
    const state = this.#byKey.get(peerNameKey(peer));
    const row = state && one<CopyRow>(this.#sql.copyByName, state.id, name);
    return Promise.resolve(state && row && { peer: state.peer, ...fileOf(name, row) });
  }

  peer(name: string): Promise<PeerSummary | undefined> {
    const state = this.#byKey.get(peerNameKey(name));
    return Promise.resolve(state && summaryOf(state));
  }

  peers(page: Page): Promise<{ peers: PeerSummary[]; more: boolean }> {
    this.#sorted ??= [...this.#byKey].sort(([a], [b]) => a < b ? -1 : 1).map(([, state]) => state);
    const end = page.offset + page.limit;
    const peers = this.#sorted.slice(page.offset, end).map(summaryOf);
    return Promise.resolve({ peers, more: this.#sorted.length > end });
  }

  counts(): Promise<{ peers: number; files: number }> {
    return Promise.resolve({ peers: this.#byKey.size, files: this.#files });
  }

  [Symbol.asyncDispose](): Promise<void> {
    if (!this.#closed) this.#database.close();
    this.#closed = true;
    return Promise.resolve();
  }

  #joined(name: string): PeerState {
    const state = this.#byKey.get(peerNameKey(name));
    if (state === undefined) throw new Failure("not-joined", `Cannot change the list: "${name}" has not joined`);
    return state;
  }

  /** Does something to every item, giving way to others after each slice of time. Stops when the index is closed. */
  async #inSlices<T>(items: readonly T[], step: (item: T) => void): Promise<void> {
    let sliceStart = performance.now();
    for (const item of items) {
      if (performance.now() - sliceStart > SLICE_MS) {
        await nextTurn();
        sliceStart = performance.now();
      }
      if (this.#closed) return;
      step(item);
    }
  }

  #add(state: PeerState, file: ListedFile): void {
    const nameId = this.#nameId(file.name);
    const before = one<{ size: number }>(this.#sql.sizeOfCopy, state.id, nameId);
    this.#sql.putCopy.run(state.id, nameId, file.size, file.root === undefined ? null : Uint8Array.fromHex(file.root));
    if (before === undefined) {
      state.files += 1;
      this.#files += 1;
    }
    state.bytes = Math.min(state.bytes + file.size - (before?.size ?? 0), Number.MAX_SAFE_INTEGER);
  }

  #remove(state: PeerState, name: string): void {
    const id = one<{ id: number }>(this.#sql.idOfName, name)?.id;
    const before = id === undefined ? undefined : one<{ size: number }>(this.#sql.sizeOfCopy, state.id, id);
    if (id === undefined || before === undefined) return;
    this.#forget(state.id, { id, name });
    state.files -= 1;
    this.#files -= 1;
    state.bytes -= before.size;
  }

  /** Forgets one copy, and its name when nobody else lists it. */
  #forget(peerId: number, row: NameRow): void {
    this.#sql.deleteCopy.run(peerId, row.id);
    if (one(this.#sql.anyCopyOfName, row.id) !== undefined) return;
    this.#sql.deleteWords.run(row.id, indexedWords(row.name));
    this.#sql.deleteName.run(row.id);
  }

  #nameId(name: string): number {
    const known = one<{ id: number }>(this.#sql.idOfName, name);
    if (known !== undefined) return known.id;
    const id = Number(this.#sql.addName.run(name, fold(baseName(name))).lastInsertRowid);
    this.#sql.addWords.run(id, indexedWords(name));
    return id;
  }

  #exactly(wanted: string): { names: (NameRow & { quality: number })[]; all: boolean } {
    const found = rows<NameRow>(this.#sql.namesByBase, fold(baseName(wanted)), SEARCH_COPIES_MAX);
    const names = found.flatMap((row) => {
      const quality = exactQuality(row.name, wanted);
      return quality === undefined ? [] : [{ ...row, quality }];
    });
    return { names, all: found.length < SEARCH_COPIES_MAX };
  }

  /** Names that match the words: whole words first, since those are the best matches, then beginnings of words. */
  #byWords(query: string, candidatesMax: number): { names: (NameRow & { quality: number })[]; all: boolean } {
    const wanted = [...new Set(words(query))].slice(0, QUERY_WORDS_MAX);
    if (wanted.length === 0) {
      const any = rows<NameRow>(this.#sql.anyNames, candidatesMax);
      return { names: any.map((row) => ({ ...row, quality: 0 })), all: any.length < candidatesMax };
    }
    const whole = rows<NameRow>(this.#sql.namesByWords, wanted.map((word) => `"${word}"`).join(" "), candidatesMax);
    const prefixes = wanted.map((word) => `"${[...word].slice(0, PREFIX_LENGTH_MAX).join("")}"*`).join(" ");
    const begun = whole.length === candidatesMax ? [] : rows<NameRow>(this.#sql.namesByWords, prefixes, candidatesMax);
    const names = new Map([...whole, ...begun].map((row) => [row.id, row]));
    return {
      names: [...names.values()].flatMap((row) => {
        const quality = matchQuality(row.name, wanted);
        return quality === undefined ? [] : [{ ...row, quality }];
      }),
      all: whole.length < candidatesMax && begun.length < candidatesMax,
    };
  }

  /** The contents behind names. Copies with a root are one content whatever they are called; others are told apart by name and size. */
  #groupByContent(names: readonly (NameRow & { quality: number })[]): ContentGroup[] {
    const groups = new Map<string, ContentGroup>();
    let copiesLeft = SEARCH_COPIES_MAX;
    for (const { id, name, quality } of names) {
      if (copiesLeft <= 0) break;
      for (const row of rows<CopyRow>(this.#sql.copiesOfName, id, copiesLeft)) {
        copiesLeft -= 1;
        const peer = this.#byId.get(row.peer)?.peer;
        if (peer === undefined) continue;
        const key = row.root === null ? `${id}/${row.size}` : row.root.toHex();
        const group = groups.get(key);
        if (group === undefined) {
          groups.set(key, { ...fileOf(name, row), quality, holders: 1, peers: [peer] });
          continue;
        }
        group.holders += 1;
        if (group.peers.length < HIT_PEERS_MAX && !group.peers.includes(peer)) group.peers.push(peer);
        if (quality > group.quality) Object.assign(group, { name, quality });
      }
    }
    return [...groups.values()];
  }

  /** Counts every holder of a content, also those that have it under a name that does not match. */
  #countHolders(group: ContentGroup): FoundContent {
    const { quality: _, ...hit } = group;
    if (group.root === undefined) return hit;
    const root = Uint8Array.fromHex(group.root);
    const holders = one<{ holders: number }>(this.#sql.countHolders, root)?.holders ?? 0;
    const known = new Set(group.peers);
    if (holders > known.size && known.size < HIT_PEERS_MAX) {
      for (const row of rows<CopyRow>(this.#sql.copiesOfRoot, root, 2 * HIT_PEERS_MAX, 0)) {
        const peer = this.#byId.get(row.peer)?.peer;
        if (peer !== undefined && known.size < HIT_PEERS_MAX) known.add(peer);
      }
    }
    return { ...hit, holders: Math.max(holders, known.size), peers: [...known] };
  }
}

interface ContentGroup extends ListedFile {
  name: string;
  quality: number;
  holders: number;
  readonly peers: IndexedPeer[];
}

function prepareAll(database: DatabaseSync) {
  const prepare = (sql: string): StatementSync => database.prepare(sql);
  return {
    idOfName: prepare("SELECT id FROM names WHERE name = ?"),
    addName: prepare("INSERT INTO names (name, base) VALUES (?, ?)"),
    deleteName: prepare("DELETE FROM names WHERE id = ?"),
    addWords: prepare("INSERT INTO name_words (rowid, words) VALUES (?, ?)"),
    deleteWords: prepare("INSERT INTO name_words (name_words, rowid, words) VALUES ('delete', ?, ?)"),
    sizeOfCopy: prepare("SELECT size FROM files WHERE peer = ? AND name = ?"),
    putCopy: prepare("INSERT OR REPLACE INTO files (peer, name, size, root) VALUES (?, ?, ?, ?)"),
    deleteCopy: prepare("DELETE FROM files WHERE peer = ? AND name = ?"),
    anyCopyOfName: prepare("SELECT 1 FROM files WHERE name = ? LIMIT 1"),
    someNamesOfPeer: prepare(
      "SELECT n.id, n.name FROM files f JOIN names n ON n.id = f.name WHERE f.peer = ? LIMIT 1000",
    ),
    anyNames: prepare("SELECT id, name FROM names LIMIT ?"),
    namesByBase: prepare("SELECT id, name FROM names WHERE base = ? LIMIT ?"),
    namesByWords: prepare(
      "SELECT n.id, n.name FROM name_words w JOIN names n ON n.id = w.rowid WHERE name_words MATCH ? LIMIT ?",
    ),
    copiesOfName: prepare("SELECT peer, size, root FROM files WHERE name = ? LIMIT ?"),
    copyByName: prepare(
      "SELECT f.peer, f.size, f.root FROM files f JOIN names n ON n.id = f.name WHERE f.peer = ? AND n.name = ?",
    ),
    copiesOfRoot: prepare(
      `SELECT f.peer, f.size, f.root, n.id, n.name FROM files f JOIN names n ON n.id = f.name
       WHERE f.root = ? ORDER BY f.peer LIMIT ? OFFSET ?`,
    ),
    countHolders: prepare("SELECT count(DISTINCT peer) AS holders FROM files WHERE root = ?"),
  };
}

/** node:sqlite gives rows as records of unknown values; the statements above decide what is in them. */
function rows<Row>(statement: StatementSync, ...parameters: (string | number | Uint8Array | null)[]): Row[] {
  return statement.all(...parameters) as Row[];
}

function one<Row>(statement: StatementSync, ...parameters: (string | number)[] | [Uint8Array]): Row | undefined {
  return statement.get(...parameters) as Row | undefined;
}

function indexedWords(name: string): string {
  return words(name).slice(0, NAME_WORDS_MAX).join(" ");
}

function fileOf(name: string, row: CopyRow): ListedFile {
  return row.root === null ? { name, size: row.size } : { name, size: row.size, root: row.root.toHex() };
}

function summaryOf({ peer, files, bytes }: PeerState): PeerSummary {
  return { ...peer, files, bytes };
}
