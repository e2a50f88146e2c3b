/**
 * What an index knows: which peers are connected, what each lists, and how it is found. Every
 * implementation passes one suite, tests/contract/search_index.ts. Sessions, addresses as others
 * see them, and the wire belong to lib/server.
 * @module
 */

import type { Dialect } from "../core/dialect.ts";

/** A peer that has joined. */
export interface IndexedPeer {
  /** Unique among all peers that have joined, compared by `peerNameKey`. */
  readonly name: string;
  /** SHA-256 of its certificate, in hex. */
  readonly id: string;
  /** In hex. */
  readonly certificate: string;
  /** Whether it serves without encryption. */
  readonly plain: boolean;
  /** The address observed by the index. */
  readonly host: string;
  /**
   * The announced port, after the index has dialled it back. Undefined for a peer that others
   * cannot reach.
   */
  readonly port: number | undefined;
  /**
   * The classroom dialect of a peer that speaks nothing else. The sizes of its files are unknown
   * and given as 0.
   */
  readonly dialect?: Dialect | undefined;
}

/** A file that a peer lists. `root` is absent until the peer has hashed the file. */
export interface ListedFile {
  readonly name: string;
  readonly size: number;
  readonly root?: string | undefined;
}

/**
 * A content to look up. A root has only one size, since the root includes the size. An index cannot
 * check that, so a root that is listed with two sizes counts as two contents.
 */
export interface WantedContent {
  readonly root: string;
  readonly size?: number | undefined;
}

/**
 * What changes in a peer's list. An added name replaces the earlier entry. A removed name that is
 * not listed is ignored.
 */
export interface ListChange {
  readonly add: readonly ListedFile[];
  readonly remove: readonly string[];
}

/**
 * A part of a longer answer. The `more` of an answer reports that rows follow after `offset` + the
 * rows given.
 */
export interface Page {
  readonly limit: number;
  readonly offset: number;
}

/** What to search for. */
export interface SearchQuery extends Page {
  /**
   * Words, each the beginning of a word of the name. An empty query finds any file. With `exact`,
   * it is the whole name, with or without its folders.
   */
  readonly query: string;
  readonly exact: boolean;
}

/** A content that was found. All its holders are counted, and the first of them are in `peers`. */
export interface FoundContent extends ListedFile {
  readonly holders: number;
  readonly peers: readonly IndexedPeer[];
}

/** One peer's copy of a content. */
export interface FoundCopy extends ListedFile {
  readonly peer: IndexedPeer;
}

/**
 * A peer that has a content. With `partial`, it is downloading the content and serves what it has
 * so far.
 */
export interface Holder extends FoundCopy {
  readonly partial: boolean;
}

/** A content that a peer is downloading. */
export interface PartialFile extends ListedFile {
  readonly root: string;
}

/** A peer and how much it lists. */
export interface PeerSummary extends IndexedPeer {
  readonly files: number;
  /** Sum of the sizes of its files. */
  readonly bytes: number;
}

/**
 * A name and an address, registered for a time without a connection. It counts as a classroom
 * program and lists nothing.
 */
export interface Registration {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** When it expires, unless it is renewed. */
  readonly ttlMs: number;
}

/**
 * What an index asks its server about the peers that joined there. Only an index that several
 * servers share asks.
 */
export interface Sessions {
  /**
   * Whether the peer answers. Another server asks because somebody with the peer's key wants to
   * join there.
   */
  isAlive(name: string): Promise<boolean>;
  /**
   * The peer has joined at another server, so its connection here is dead. Its name must not be
   * left again.
   */
  lost(name: string): void;
}

/** What an index reports that several servers share. */
export type SharedIndexEvent =
  | { readonly event: "redis-away"; readonly why: string }
  | { readonly event: "redis-back"; readonly peers: number }
  | { readonly event: "server-gone"; readonly server: string; readonly peers: number };

/**
 * The interface. Methods may be called while others are under way. None keeps the event loop busy
 * for longer than a few milliseconds.
 */
export interface SearchIndex extends AsyncDisposable {
  /**
   * Whether answers are up to date. They may be old while a shared index cannot reach the other
   * servers.
   */
  readonly isCurrent: boolean;
  /** Names the server that has the sessions of the peers that join here. */
  serve(sessions: Sessions): void;
  /**
   * Checks that a key may use a name. A name belongs to the key that joined under it first, even
   * while that peer is away, so nobody can pose as another peer.
   *
   * @throws {Failure} "name-taken" when the name belongs to another key than `id`, with a free name
   * as suggestion.
   */
  checkName(name: string, id: string): Promise<void>;
  /**
   * Adds a peer under its name.
   *
   * @throws {Failure} "name-taken" when a peer with this name is connected or the name belongs to
   * another key, with a free name as suggestion; "busy".
   */
  join(peer: IndexedPeer): Promise<void>;
  /**
   * Notes that a peer was reached at a port of its host.
   *
   * @throws {Failure} "not-joined".
   */
  reached(name: string, port: number): Promise<void>;
  /**
   * Registers a name for a time. With the token of an earlier call, renews it, perhaps at another
   * address.
   *
   * @returns The token that renews or removes it.
   * @throws {Failure} "name-taken" as `join` does; "refused" when the token is wrong; "busy" when
   * there are too many registrations, or none can be accepted now.
   */
  register(registration: Registration, token?: string): Promise<string>;
  /**
   * Removes a registration before it expires.
   *
   * @throws {Failure} "not-found"; "refused" when the token is wrong; "busy".
   */
  unregister(name: string, token: string): Promise<void>;
  /** Frees the name at once, then forgets the list. Does nothing when there is no such peer. */
  leave(name: string): Promise<void>;
  /**
   * Changes a peer's list.
   *
   * @returns How many files the peer lists now.
   * @throws {Failure} "not-joined"; "too-large" beyond the bound of files per peer.
   */
  update(name: string, change: ListChange): Promise<number>;
  /** Finds files, grouped by content, best match first. */
  search(query: SearchQuery): Promise<{ hits: FoundContent[]; more: boolean }>;
  /**
   * Notes that a peer is downloading a content and serves what it has of it; with `here` false,
   * that it no longer does. Searches do not find it and do not count it among the holders.
   *
   * @throws {Failure} "not-joined"; "too-large" beyond the bound of downloads per peer.
   */
  partial(peer: string, file: PartialFile, here: boolean): Promise<void>;
  /**
   * Finds the peers that have a content, under some of the names that each has for it. Those that
   * have all of it come first. Without a size, the peers that list its root with a false size are
   * also found.
   */
  find(content: WantedContent, page: Page): Promise<{ holders: Holder[]; more: boolean }>;
  /**
   * Finds the files with names that begin with `prefix` and come after the name `after`, in order
   * of name. Different contents of one name are separate hits, the most frequent first.
   *
   * @param limit How many names, not how many hits.
   */
  folder(prefix: string, after: string | undefined, limit: number): Promise<{ hits: FoundContent[]; more: boolean }>;
  /** The file with this name in this peer's list, or undefined. */
  copy(peer: string, name: string): Promise<FoundCopy | undefined>;
  /** The peer with this name, or undefined. */
  peer(name: string): Promise<PeerSummary | undefined>;
  /** The peers that have joined, in order of name. */
  peers(page: Page): Promise<{ peers: PeerSummary[]; more: boolean }>;
  /** How many peers and files there are. `bytes` is the sum of the sizes of all files. */
  counts(): Promise<{ peers: number; files: number; bytes: number }>;
}
