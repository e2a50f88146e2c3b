/**
 * The index of one server, in memory: SQLite, which is part of Deno, a tree of words, and a table of
 * copies. Called by lib/server.
 *
 * Every step is bounded in time, because searches of others wait meanwhile: changes are applied in slices, between which everything else
 * has its turn. The tables are in sqlite_tables.ts, words in word_tree.ts, searching in sqlite_search.ts.
 * @module
 */

import { nextTurn } from "../core/clock.ts";
import { Failure } from "../core/failure.ts";
import { FILES_PER_PEER_MAX, PARTIALS_PER_PEER_MAX } from "../core/limits.ts";
import { freePeerName, peerNameKey } from "../core/peer_name.ts";
import { fold } from "../core/words.ts";
import { type FileRow, FileTable } from "./file_table.ts";
import { NameList } from "./name_list.ts";
import { baseName } from "./rank.ts";
import type {
  FoundContent,
  FoundCopy,
  FoundHolder,
  IndexedPeer,
  ListChange,
  ListedFile,
  Page,
  PartialFile,
  PeerSummary,
  SearchIndex,
  SearchQuery,
} from "./search_index.ts";
import { SqliteSearch } from "./sqlite_search.ts";
import { type NameRow, one, openDatabase, type PartialRow, prepareStatements, rows } from "./sqlite_tables.ts";
import { WordTree } from "./word_tree.ts";

/** How long a change may hold the event loop before others have their turn. */
const SLICE_MS = 5;
/** Copies of a peer that left which are looked up at once. */
const COPIES_AT_ONCE = 1_000;

interface PeerState {
  readonly id: number;
  readonly peer: IndexedPeer;
  files: number;
  bytes: number;
}

/** `SearchIndex` in the memory of this process. */
export class SqliteIndex implements SearchIndex {
  // One transaction for the life of the database: there is nothing to make durable. Searches see what is not committed.
  readonly #database = openDatabase();
  readonly #sql = prepareStatements(this.#database);
  readonly #names = new NameList();
  readonly #words = new WordTree(this.#names);
  readonly #copies = new FileTable();
  readonly #search = new SqliteSearch({
    sql: this.#sql,
    names: this.#names,
    words: this.#words,
    copies: this.#copies,
    peerOf: (id) => this.#byId.get(id)?.peer,
  });
  readonly #byKey = new Map<string, PeerState>();
  readonly #byId = new Map<number, PeerState>();
  #lastPeerId = 0;
  #sorted: PeerState[] | undefined;
  #files = 0;
  #closed = false;

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
    this.#sql.deletePartialsOfPeer.run(state.id);
    while (!this.#closed) {
      const some = this.#copies.ofPeer(state.id, COPIES_AT_ONCE);
      if (some.length === 0) return;
      await this.#inSlices(some, (row) => this.#forget(row));
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
    return Promise.resolve(this.#search.search(query));
  }

  partial(name: string, file: PartialFile, here: boolean): Promise<void> {
    return Promise.try(() => {
      const { id } = this.#joined(name);
      const root = Uint8Array.fromHex(file.root);
      if (!here) return void this.#sql.deletePartial.run(root, id);
      const { count } = one<{ count: number }>(this.#sql.countPartialsOfPeer, id) ?? { count: 0 };
      if (count >= PARTIALS_PER_PEER_MAX) {
        throw new Failure("too-large", `Cannot announce more than ${PARTIALS_PER_PEER_MAX} downloads`);
      }
      this.#sql.putPartial.run(root, id, file.name, file.size);
    });
  }

  find(root: string, page: Page): Promise<{ copies: FoundHolder[]; more: boolean }> {
    const whole = this.#copies.ofRoot(root);
    const end = page.offset + page.limit;
    const copies = whole.slice(page.offset, end).flatMap((row) => {
      const peer = this.#byId.get(row.peer)?.peer;
      return peer === undefined ? [] : [{ peer, ...this.#fileOf(row), partial: false }];
    });
    const offset = Math.max(page.offset - whole.length, 0);
    const left = end - Math.max(whole.length, page.offset);
    const partials = rows<PartialRow>(
      this.#sql.partialsOfRoot,
      Uint8Array.fromHex(root),
      Math.max(left, 0) + 1,
      offset,
    );
    for (const { peer: id, name, size } of partials.slice(0, Math.max(left, 0))) {
      const peer = this.#byId.get(id)?.peer;
      if (peer !== undefined) copies.push({ peer, name, size, root, partial: true });
    }
    return Promise.resolve({ copies, more: whole.length > end || partials.length > Math.max(left, 0) });
  }

  folder(
    prefix: string,
    after: string | undefined,
    limit: number,
  ): Promise<{ hits: FoundContent[]; more: boolean }> {
    return Promise.resolve(this.#search.folder(prefix, after, limit));
  }

  copy(peer: string, name: string): Promise<FoundCopy | undefined> {
    const state = this.#byKey.get(peerNameKey(peer));
    const id = one<NameRow>(this.#sql.idOfName, name)?.id;
    const row = state === undefined || id === undefined ? 0 : this.#copies.find(state.id, id);
    const found = state === undefined || row === 0 ? undefined : this.#fileOf(this.#copies.row(row));
    return Promise.resolve(state && found && { peer: state.peer, ...found });
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

  #add(state: PeerState, { name, size, root }: ListedFile): void {
    const nameId = this.#nameId(name);
    const row = this.#copies.find(state.id, nameId);
    const before = row === 0 ? 0 : this.#copies.row(row).size;
    if (row === 0) {
      this.#copies.add({ peer: state.id, name: nameId, size, root });
      state.files += 1;
      this.#files += 1;
    } else this.#copies.change(row, size, root);
    state.bytes = Math.min(state.bytes + size - before, Number.MAX_SAFE_INTEGER);
  }

  #remove(state: PeerState, name: string): void {
    const id = one<NameRow>(this.#sql.idOfName, name)?.id;
    const row = id === undefined ? 0 : this.#copies.find(state.id, id);
    if (row === 0) return;
    state.bytes -= this.#copies.row(row).size;
    this.#forget(row);
    state.files -= 1;
    this.#files -= 1;
  }

  /** Forgets one copy, and its name when nobody else lists it. */
  #forget(row: number): void {
    const { name: id } = this.#copies.row(row);
    this.#copies.delete(row);
    if (this.#copies.hasName(id)) return;
    const name = this.#names.of(id);
    this.#words.delete(id, name);
    this.#sql.deleteName.run(name);
    this.#sql.deleteBase.run(fold(baseName(name)), id);
    this.#names.delete(id);
  }

  #fileOf({ name, size, root }: FileRow): ListedFile {
    return { name: this.#names.of(name), size, ...(root === undefined ? {} : { root }) };
  }

  #nameId(name: string): number {
    const known = one<NameRow>(this.#sql.idOfName, name);
    if (known !== undefined) return known.id;
    const id = this.#names.add(name);
    this.#sql.addName.run(name, id);
    this.#sql.addBase.run(fold(baseName(name)), id);
    this.#words.add(id, name);
    return id;
  }
}

function summaryOf({ peer, files, bytes }: PeerState): PeerSummary {
  return { ...peer, files, bytes };
}
