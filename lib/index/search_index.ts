/**
 * What an index knows: which peers are here, what each lists, and how it is found. One suite, tests/contract/search_index.ts, holds for every
 * implementation. Sessions, addresses as others see them and the wire are the business of lib/server.
 * @module
 */

import type { Dialect } from "../core/dialect.ts";

/** A peer that is here. */
export interface IndexedPeer {
  /** Unique among all peers here, compared by `peerNameKey`. */
  readonly name: string;
  /** SHA-256 of its certificate, and the certificate itself, in hex. */
  readonly id: string;
  readonly certificate: string;
  /** Whether it serves without encryption. */
  readonly plain: boolean;
  /** The address observed by the index. */
  readonly host: string;
  /** The announced port, once it was dialled back; undefined for a peer that others cannot reach. */
  readonly port: number | undefined;
  /** The classroom dialect of a peer that speaks nothing else. The sizes of its files are not known, and given as 0. */
  readonly dialect?: Dialect;
}

/** A file that a peer lists. `root` is absent as long as the peer has not hashed it. */
export interface ListedFile {
  readonly name: string;
  readonly size: number;
  readonly root?: string;
}

/**
 * A content to look up. A root has only one size, since the size is part of it; but an index cannot check that, so that a root which is listed with
 * two sizes counts as two contents.
 */
export interface WantedContent {
  readonly root: string;
  readonly size?: number | undefined;
}

/** What changes in a peer's list. A name added again replaces the earlier entry; one removed that is not listed is ignored. */
export interface ListChange {
  readonly add: readonly ListedFile[];
  readonly remove: readonly string[];
}

/** A part of a longer answer. `more` says that rows follow after `offset` + the rows given. */
export interface Page {
  readonly limit: number;
  readonly offset: number;
}

/** What to search for. */
export interface SearchQuery extends Page {
  /** Words, each the beginning of a word of the name; none find any file. With `exact`: the whole name, with or without its folders. */
  readonly query: string;
  readonly exact: boolean;
}

/** One content that was found, with all its holders counted and the first of them named. */
export interface FoundContent extends ListedFile {
  readonly holders: number;
  readonly peers: readonly IndexedPeer[];
}

/** One peer's copy of a content. */
export interface FoundCopy extends ListedFile {
  readonly peer: IndexedPeer;
}

/** A peer that has a content, or is downloading it and serves what it has so far. */
export interface FoundHolder extends FoundCopy {
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

/** A name and an address that somebody registers without a connection, for a time. It counts as a classmate's own program, and lists nothing. */
export interface Registration {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** How long it is here, unless it is renewed. */
  readonly ttlMs: number;
}

/** What an index asks of the server it runs in, about the peers that joined there. Only one that several servers share has anything to ask. */
export interface Sessions {
  /** Whether the peer shows a sign of life: somebody with its key wants to join under its name at another server. */
  isAlive(name: string): Promise<boolean>;
  /** The peer is at another server now, so whatever connection it has here is dead. Its name is no longer to be left. */
  lost(name: string): void;
}

/** What an index that is shared tells of itself. */
export type SharedIndexEvent =
  | { readonly event: "redis-away"; readonly why: string }
  | { readonly event: "redis-back"; readonly peers: number }
  | { readonly event: "server-gone"; readonly server: string; readonly peers: number };

/** The interface. Every method may be called while another is under way; none holds the event loop for longer than a few milliseconds. */
export interface SearchIndex extends AsyncDisposable {
  /** Whether answers are those of now. They may be old while an index that several servers share cannot reach the others. */
  readonly isCurrent: boolean;
  /** Names the server whose sessions stand behind the peers that join here. */
  serve(sessions: Sessions): void;
  /**
   * Fails: "name-taken" when the name belongs to another key than `id`, with a free one as suggestion. A name belongs to the key that joined
   * under it first, also while that one is away, so that nobody can be somebody else meanwhile.
   */
  checkName(name: string, id: string): Promise<void>;
  /** Takes a name. Fails: "name-taken" when somebody here has it, or it belongs to another key, with a free one as suggestion; "busy". */
  join(peer: IndexedPeer): Promise<void>;
  /** Notes that a peer that joined was reached at a port of its host. Fails: "not-joined". */
  reached(name: string, port: number): Promise<void>;
  /**
   * Registers a name for a time, or with the token of an earlier call renews it, perhaps at another address. Shape: the token to renew or
   * remove it. Fails: "name-taken" as `join` does; "refused" when the token is wrong; "busy" when there are too many, or none can be taken now.
   */
  register(registration: Registration, token?: string): Promise<string>;
  /** Removes a registration before its time. Fails: "not-found"; "refused" when the token is wrong; "busy". */
  unregister(name: string, token: string): Promise<void>;
  /** Frees the name at once, then forgets the list. Does nothing when there is no such peer. */
  leave(name: string): Promise<void>;
  /** Changes a peer's list. Shape: how many files it lists now. Fails: "not-joined"; "too-large" beyond the bound of files per peer. */
  update(name: string, change: ListChange): Promise<number>;
  /** Finds files, grouped by content, best match first. */
  search(query: SearchQuery): Promise<{ hits: FoundContent[]; more: boolean }>;
  /**
   * Notes that a peer downloads a content and serves what it has of it, or (not `here`) does so no longer. It is no copy: searches do not
   * find it, and it does not count as a holder. Fails: "not-joined"; "too-large" beyond the bound of partial files per peer.
   */
  partial(peer: string, file: PartialFile, here: boolean): Promise<void>;
  /**
   * Finds who holds a content, under some of the names that each has for it: those who have all of it first. Without a size, also those who list
   * its root with a false one.
   */
  find(content: WantedContent, page: Page): Promise<{ copies: FoundHolder[]; more: boolean }>;
  /**
   * Finds the files whose names begin with `prefix`, in order of name, from the one after `after` on. Different contents of one name are hits of
   * their own, the one that most have first; `limit` counts names.
   */
  folder(prefix: string, after: string | undefined, limit: number): Promise<{ hits: FoundContent[]; more: boolean }>;
  /** The file of this name in this peer's list, or undefined. */
  copy(peer: string, name: string): Promise<FoundCopy | undefined>;
  /** The peer of this name, or undefined. */
  peer(name: string): Promise<PeerSummary | undefined>;
  /** Who is here, in order of name. */
  peers(page: Page): Promise<{ peers: PeerSummary[]; more: boolean }>;
  /** How much is here; `bytes` is the sum of the sizes of all files. */
  counts(): Promise<{ peers: number; files: number; bytes: number }>;
}
