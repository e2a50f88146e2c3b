/**
 * The index of one server, in memory: names, a tree of their words, and a table of copies. Called
 * by server.ts, and by lib/index/shared for its copy of what Redis holds.
 *
 * Every step is bounded in time, because the searches of others wait for it. Changes are applied in
 * slices, and everything else has its turn between two slices. What is listed is in
 * listed_files.ts, and local_search.ts searches it.
 * @module
 */

import { nextTurn } from "../../core/flow/clock.ts";
import { Failure } from "../../core/failure.ts";
import { FILES_PER_PEER_MAX, NAME_CHARACTERS_PER_PEER_MAX, REGISTRATIONS_MAX } from "../../core/limits.ts";
import { peerNameKey } from "../../core/peer_name.ts";
import { Expiries } from "../../core/flow/expiries.ts";
import { ListRoom, nameBytes } from "./list_room.ts";
import { ListSums } from "./list_sums.ts";
import { ListedFiles } from "./listed_files.ts";
import { NameBinding, nameTaken } from "../name_binding.ts";
import { checkToken, makeToken, notRegistered, registeredPeer } from "../registration.ts";
import type {
  FoundContent,
  FoundCopy,
  Holder,
  IndexedPeer,
  ListChange,
  ListedFile,
  Page,
  PartialFile,
  PeerSummary,
  Registration,
  SearchIndex,
  SearchQuery,
  WantedContent,
} from "../search_index.ts";
import { Slices } from "./slices.ts";
import { PartialFiles } from "./partial_files.ts";
import { LocalSearch } from "./local_search.ts";

/** How long changes or searches may keep the event loop busy before others have their turn. */
const SLICE_MS = 5;
/** How many copies of a peer that has left are looked up at once. */
const COPIES_AT_ONCE = 1_000;
/** How many copies of one content are looked at: all, unless several peers list nothing else. */
const COPIES_OF_CONTENT = { limit: 4 * FILES_PER_PEER_MAX, ofPeerMax: 100 };

interface PeerState {
  readonly id: number;
  peer: IndexedPeer;
  /** The token, if the name was registered without a connection. */
  readonly token?: string | undefined;
  readonly sums: ListSums;
}

/** The options of a `LocalIndex`. */
interface LocalIndexOptions {
  readonly bindsNames?: boolean | undefined;
  readonly listBytesMax?: number | undefined;
}

/** `SearchIndex` in the memory of this process. */
export class LocalIndex implements SearchIndex {
  readonly #listed = new ListedFiles();
  readonly #partials = new PartialFiles();
  readonly #search = new LocalSearch({
    names: this.#listed.names,
    words: this.#listed.words,
    copies: this.#listed.copies,
    peerOf: (id) => this.#byId.get(id)?.peer,
    slices: new Slices(SLICE_MS),
  });
  readonly #byKey = new Map<string, PeerState>();
  readonly #byId = new Map<number, PeerState>();
  readonly #owners = new NameBinding();
  readonly #registered = new Expiries((key) => void this.leave(key));
  #lastPeerId = 0;
  #sorted: PeerState[] | undefined;
  #files = 0;
  #closed = false;
  readonly #slices = new Slices(SLICE_MS);
  readonly #bindsNames: boolean;
  readonly #room: ListRoom;

  /**
   * @param options `bindsNames` is false where something else knows which key owns a name.
   * `listBytesMax` is the memory for all lists together.
   */
  constructor({ bindsNames = true, listBytesMax }: LocalIndexOptions = {}) {
    this.#bindsNames = bindsNames;
    this.#room = new ListRoom(listBytesMax);
  }

  get isCurrent(): boolean {
    return true;
  }

  serve(): void {}

  async checkName(name: string, id: string): Promise<void> {
    if (this.#owners.isOfAnother(peerNameKey(name), id)) throw await this.#nameTaken(name, id);
  }

  async join(peer: IndexedPeer): Promise<void> {
    if (this.#isTaken(peerNameKey(peer.name), peer.id)) throw await this.#nameTaken(peer.name, peer.id);
    this.#add(peer);
  }

  reached(name: string, port: number): Promise<void> {
    return Promise.try(() => {
      const state = this.#joined(name);
      state.peer = { ...state.peer, port };
    });
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
    if (registered === undefined) throw notRegistered(name);
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
    this.#files -= state.sums.files;
    this.#room.note(state.peer.host, -state.sums.nameBytes);
    this.#partials.deletePeer(state.id);
    while (!this.#closed) {
      const some = this.#listed.copies.ofPeer(state.id, COPIES_AT_ONCE);
      if (some.length === 0) return;
      await this.#inSlices(some, (row) => this.#listed.forget(row));
    }
  }

  async update(name: string, change: ListChange): Promise<number> {
    const state = this.#joined(name);
    if (!state.sums.fits(change, (each) => this.#listed.of(state.id, each) !== undefined)) {
      const bounds =
        `${FILES_PER_PEER_MAX} files, or names of more than ${NAME_CHARACTERS_PER_PEER_MAX} characters in all`;
      throw new Failure("too-large", `Cannot list more than ${bounds}`, { hint: "share a smaller folder" });
    }
    using _room = this.#reserve(state, change);
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
    return state.sums.files;
  }

  search(query: SearchQuery): Promise<{ hits: FoundContent[]; more: boolean }> {
    return this.#search.search(query);
  }

  partial(name: string, file: PartialFile, here: boolean): Promise<void> {
    return Promise.try(() => {
      const { id } = this.#joined(name);
      if (here) this.#partials.put(id, file);
      else this.#partials.delete(id, file.root);
    });
  }

  find(content: WantedContent, { limit, offset }: Page): Promise<{ holders: Holder[]; more: boolean }> {
    const { copies } = this.#listed;
    const whole = copies.ofContent(content, COPIES_OF_CONTENT);
    const parts = this.#partials.ofContent(content, COPIES_OF_CONTENT.limit);
    const end = offset + limit;
    const holder = (peerId: number, file: ListedFile, partial: boolean): Holder[] => {
      const peer = this.#byId.get(peerId)?.peer;
      return peer === undefined ? [] : [{ peer, ...file, partial }];
    };
    const ofWhole = whole.slice(offset, end).flatMap((row) => {
      const copy = copies.row(row);
      return holder(copy.peer, this.#listed.fileOf(copy), false);
    });
    const ofParts = parts.slice(Math.max(0, offset - whole.length), Math.max(0, end - whole.length)).flatMap((row) => {
      const { peer, file } = this.#partials.of(row);
      return holder(peer, file, true);
    });
    return Promise.resolve({ holders: [...ofWhole, ...ofParts], more: whole.length + parts.length > end });
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
    const found = state && this.#listed.of(state.id, name);
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

  counts(): Promise<{ peers: number; files: number; bytes: number }> {
    const bytes = this.#byKey.values().reduce((sum, state) => sum + state.sums.bytes, 0);
    const countable = Math.min(bytes, Number.MAX_SAFE_INTEGER);
    return Promise.resolve({ peers: this.#byKey.size, files: this.#files, bytes: countable });
  }

  /**
   * All files that a peer lists, in batches. Others have their turn between two batches. Ends when
   * the peer leaves.
   */
  async *filesOf(name: string, batch: number): AsyncGenerator<ListedFile[]> {
    const state = this.#byKey.get(peerNameKey(name));
    if (state === undefined) return;
    const { copies } = this.#listed;
    const rows = copies.ofPeer(state.id, Infinity);
    for (let start = 0; start < rows.length && this.#byId.has(state.id); start += batch) {
      yield rows.slice(start, start + batch).map((row) => this.#listed.fileOf(copies.row(row)));
      await nextTurn();
    }
  }

  /** What a peer is downloading. */
  partialsOf(name: string): PartialFile[] {
    const state = this.#byKey.get(peerNameKey(name));
    return state === undefined ? [] : this.#partials.ofPeer(state.id);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#registered[Symbol.dispose]();
    return Promise.resolve();
  }

  #add(peer: IndexedPeer, token?: string): void {
    const key = peerNameKey(peer.name);
    if (this.#bindsNames) this.#owners.bind(key, peer.id, peer.host);
    const sums = new ListSums();
    const state = { id: ++this.#lastPeerId, peer, sums, token };
    this.#byKey.set(key, state);
    this.#byId.set(state.id, state);
    this.#sorted = undefined;
  }

  #isTaken(key: string, id: string): boolean {
    return this.#byKey.has(key) || this.#owners.isOfAnother(key, id);
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

  /**
   * Does something to every item. Others have their turn after each slice of time. Stops when the
   * index is closed.
   */
  async #inSlices<T>(items: readonly T[], step: (item: T) => void): Promise<void> {
    for (const item of items) {
      while (this.#slices.isOver) await this.#slices.next();
      if (this.#closed) return;
      step(item);
    }
  }

  /**
   * Reserves room for the names of a change that the peer does not list yet.
   *
   * @throws {Failure} "too-large" when there is no room.
   */
  #reserve({ id, peer }: PeerState, { add }: ListChange): Disposable {
    const load = { ...this.#listed.load, copies: this.#files };
    const reserve = (names: readonly string[]): Disposable | undefined => this.#room.reserve(peer.host, names, load);
    const names = add.map(({ name }) => name);
    const reserved = reserve(names) ?? reserve(names.filter((each) => this.#listed.of(id, each) === undefined));
    if (reserved !== undefined) return reserved;
    throw new Failure("too-large", "Cannot list more: this index has no more room for files of your address", {
      hint: "share a smaller folder, or run another index",
    });
  }

  #list(state: PeerState, file: ListedFile): void {
    const before = this.#listed.put(state.id, file);
    if (before !== undefined) return state.sums.resize(before, file.size);
    state.sums.add(file.name, file.size);
    this.#room.note(state.peer.host, nameBytes(file.name));
    this.#files += 1;
  }

  #unlist(state: PeerState, name: string): void {
    const size = this.#listed.remove(state.id, name);
    if (size === undefined) return;
    state.sums.remove(name, size);
    this.#room.note(state.peer.host, -nameBytes(name));
    this.#files -= 1;
  }
}

function summaryOf({ peer, sums }: PeerState): PeerSummary {
  return { ...peer, files: sums.files, bytes: sums.bytes };
}
