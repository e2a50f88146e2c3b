/**
 * The index of one server, in memory: SQLite with its FTS5 full-text index, both part of Deno. Called by lib/server.
 *
 * Every step is bounded in time, because searches of others wait meanwhile: changes are applied in slices, between which everything else
 * has its turn. The tables are in sqlite_tables.ts, searching in sqlite_search.ts.
 * @module
 */

import { nextTurn } from "../core/clock.ts";
import { Failure } from "../core/failure.ts";
import { FILES_PER_PEER_MAX, PARTIALS_PER_PEER_MAX, REGISTRATIONS_MAX } from "../core/limits.ts";
import { peerNameKey } from "../core/peer_name.ts";
import { fold } from "../core/words.ts";
import { Expiries } from "./expiries.ts";
import { NameBinding, nameTaken } from "./name_binding.ts";
import { baseName } from "./rank.ts";
import { checkToken, makeToken, registeredPeer } from "./registration.ts";
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
  Registration,
  SearchIndex,
  SearchQuery,
} from "./search_index.ts";
import { Slices } from "./slices.ts";
import { SqliteSearch } from "./sqlite_search.ts";
import {
  type CopyRow,
  fileOf,
  type HolderRow,
  indexedWords,
  type NameRow,
  one,
  openDatabase,
  prepareStatements,
  rows,
} from "./sqlite_tables.ts";

/** How long changes may hold the event loop before others have their turn. */
const SLICE_MS = 5;

interface PeerState {
  readonly id: number;
  peer: IndexedPeer;
  /** The token of one that was registered. */
  readonly token?: string;
  files: number;
  bytes: number;
}

/** `SearchIndex` in the memory of this process. */
export class SqliteIndex implements SearchIndex {
  // One transaction for the life of the database: there is nothing to make durable, and ending one makes FTS5 write out and merge what it
  // has gathered (44,000 names a second with a commit every 500, 66,000 without). Searches see what is not committed.
  readonly #database = openDatabase();
  readonly #sql = prepareStatements(this.#database);
  readonly #search = new SqliteSearch(this.#sql, (id) => this.#byId.get(id)?.peer);
  readonly #byKey = new Map<string, PeerState>();
  readonly #byId = new Map<number, PeerState>();
  readonly #names = new NameBinding();
  readonly #registered = new Expiries((key) => void this.leave(key));
  #lastPeerId = 0;
  #sorted: PeerState[] | undefined;
  #files = 0;
  #closed = false;
  readonly #slices = new Slices(SLICE_MS);
  readonly #bindsNames: boolean;

  /** `bindsNames` is false where something else knows whose name is whose. */
  constructor({ bindsNames = true }: { readonly bindsNames?: boolean } = {}) {
    this.#bindsNames = bindsNames;
  }

  readonly isCurrent = true;

  serve(): void {}

  async checkName(name: string, id: string): Promise<void> {
    if (this.#names.isOfAnother(peerNameKey(name), id)) throw await this.#nameTaken(name, id);
  }

  async join(peer: IndexedPeer): Promise<void> {
    if (this.#isTaken(peerNameKey(peer.name), peer.id)) throw await this.#nameTaken(peer.name, peer.id);
    this.#add(peer);
  }

  async register(registration: Registration, token?: string): Promise<string> {
    const { name, ttlMs } = registration;
    const key = peerNameKey(name);
    const peer = registeredPeer(registration);
    const known = token === undefined ? undefined : this.#byKey.get(key);
    if (known?.token !== undefined && token !== undefined) {
      checkToken(name, token, known.token);
      known.peer = peer;
      this.#registered.set(key, ttlMs);
      return token;
    }
    if (this.#registered.size >= REGISTRATIONS_MAX) throw new Failure("busy", "Cannot register any more names");
    if (this.#isTaken(key, peer.id)) throw await this.#nameTaken(name, peer.id);
    const fresh = makeToken();
    this.#add(peer, fresh);
    this.#registered.set(key, ttlMs);
    return fresh;
  }

  async unregister(name: string, token: string): Promise<void> {
    const registered = this.#byKey.get(peerNameKey(name))?.token;
    if (registered === undefined) throw new Failure("not-found", `"${name}" is not registered`, { hint: "" });
    checkToken(name, token, registered);
    await this.leave(name);
  }

  async leave(name: string): Promise<void> {
    const key = peerNameKey(name);
    const state = this.#byKey.get(key);
    if (state === undefined) return;
    this.#byKey.delete(key);
    this.#byId.delete(state.id);
    this.#registered.delete(key);
    this.#sorted = undefined;
    this.#files -= state.files;
    this.#sql.deletePartialsOfPeer.run(state.id);
    while (!this.#closed) {
      const left = rows<NameRow>(this.#sql.someNamesOfPeer, state.id);
      if (left.length === 0) return;
      await this.#inSlices(left, (row) => this.#forget(state.id, row));
    }
  }

  async update(name: string, change: ListChange): Promise<number> {
    const state = this.#joined(name);
    if (state.files + change.add.length > FILES_PER_PEER_MAX && !this.#fits(state, change)) {
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
      this.#unlist(state, each);
    });
    await this.#inSlices(change.add, (each) => {
      present();
      this.#list(state, each);
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
      const { count } = one<{ count: number }>(this.#sql.countPartialsOfPeer, id, root) ?? { count: 0 };
      if (count >= PARTIALS_PER_PEER_MAX) {
        throw new Failure("too-large", `Cannot announce more than ${PARTIALS_PER_PEER_MAX} downloads`);
      }
      this.#sql.putPartial.run(root, id, file.name, file.size);
    });
  }

  find(root: string, page: Page): Promise<{ copies: FoundHolder[]; more: boolean }> {
    const found = rows<HolderRow>(
      this.#sql.copiesOfRoot,
      Uint8Array.fromHex(root),
      page.limit + 1,
      page.offset,
    );
    const copies = found.slice(0, page.limit).flatMap((row) => {
      const peer = this.#byId.get(row.peer)?.peer;
      return peer === undefined ? [] : [{ peer, ...fileOf(row.name, row), partial: row.partial === 1 }];
    });
    return Promise.resolve({ copies, more: found.length > page.limit });
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

  /** Everything that a peer lists, in batches, between which others have their turn. Ends when the peer has left. */
  async *filesOf(name: string, batch: number): AsyncGenerator<ListedFile[]> {
    const state = this.#byKey.get(peerNameKey(name));
    for (let last = 0; state !== undefined && this.#byId.has(state.id) && !this.#closed;) {
      const found = rows<CopyRow & NameRow>(this.#sql.filesOfPeer, state.id, last, batch);
      if (found.length === 0) return;
      yield found.map((row) => fileOf(row.name, row));
      last = found.at(-1)?.id ?? last;
      await nextTurn();
    }
  }

  /** What a peer is downloading. */
  partialsOf(name: string): PartialFile[] {
    const state = this.#byKey.get(peerNameKey(name));
    if (state === undefined) return [];
    const found = rows<{ name: string; size: number; root: Uint8Array }>(this.#sql.partialsOfPeer, state.id);
    return found.map((row) => ({ name: row.name, size: row.size, root: row.root.toHex() }));
  }

  [Symbol.asyncDispose](): Promise<void> {
    if (!this.#closed) this.#database.close();
    this.#closed = true;
    this.#registered[Symbol.dispose]();
    return Promise.resolve();
  }

  #add(peer: IndexedPeer, token?: string): void {
    const key = peerNameKey(peer.name);
    if (this.#bindsNames) this.#names.bind(key, peer.id);
    const state = { id: ++this.#lastPeerId, peer, files: 0, bytes: 0, ...(token === undefined ? {} : { token }) };
    this.#byKey.set(key, state);
    this.#byId.set(state.id, state);
    this.#sorted = undefined;
  }

  #isTaken(key: string, id: string): boolean {
    return this.#byKey.has(key) || this.#names.isOfAnother(key, id);
  }

  #nameTaken(name: string, id: string): Promise<Failure> {
    const isHere = this.#byKey.has(peerNameKey(name));
    return nameTaken(name, { isHere, isTaken: (key) => this.#isTaken(key, id) });
  }

  #joined(name: string): PeerState {
    const state = this.#byKey.get(peerNameKey(name));
    if (state === undefined) throw new Failure("not-joined", `Cannot change the list: "${name}" has not joined`);
    return state;
  }

  /** Does something to every item, giving way to others after each slice of time. Stops when the index is closed. */
  async #inSlices<T>(items: readonly T[], step: (item: T) => void): Promise<void> {
    for (const item of items) {
      while (this.#slices.isOver) await this.#slices.next();
      if (this.#closed) return;
      step(item);
    }
  }

  /** Whether a change leaves a list within its bound: to add what is listed adds nothing, and to remove what is not removes nothing. */
  #fits({ id, files }: PeerState, { add, remove }: ListChange): boolean {
    const added = new Set(add.map(({ name }) => name));
    if (added.size > FILES_PER_PEER_MAX) return false;
    const isListed = (name: string): boolean => one(this.#sql.copyByName, id, name) !== undefined;
    const removed = new Set(remove.filter(isListed));
    const fresh = added.values().filter((name) => removed.has(name) || !isListed(name)).toArray();
    return files - removed.size + fresh.length <= FILES_PER_PEER_MAX;
  }

  #list(state: PeerState, file: ListedFile): void {
    const nameId = this.#nameId(file.name);
    const before = one<{ size: number }>(this.#sql.sizeOfCopy, state.id, nameId);
    this.#sql.putCopy.run(state.id, nameId, file.size, file.root === undefined ? null : Uint8Array.fromHex(file.root));
    if (before === undefined) {
      state.files += 1;
      this.#files += 1;
    }
    state.bytes = Math.min(state.bytes + file.size - (before?.size ?? 0), Number.MAX_SAFE_INTEGER);
  }

  #unlist(state: PeerState, name: string): void {
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
}

function summaryOf({ peer, files, bytes }: PeerState): PeerSummary {
  return { ...peer, files, bytes };
}
