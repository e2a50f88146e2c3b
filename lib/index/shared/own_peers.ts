/**
 * The peers that joined at this server, and what Redis has of them. In Redis each list is a log of
 * batches: a change is appended. The log is rewritten when it is much longer than the list, and
 * when Redis has lost it. Called by shared_index.ts and follower.ts.
 *
 * While Redis is away, nothing fails here: changes are kept and published later. The states of a
 * peer are drawn in lib/index/README.md, "Following Redis".
 * @module
 */

import { failedWith } from "../../core/failure.ts";
import { BATCH_FILES_MAX, FILES_PER_PEER_MAX, PARTIALS_PER_PEER_MAX, REDIS_PENDING_MAX } from "../../core/limits.ts";
import { peerNameKey } from "../../core/peer_name.ts";
import type { LocalIndex } from "../local/local_index.ts";
import type { IndexedPeer } from "../search_index.ts";
import { changesIn, type ListBatch, NO_CHANGE } from "./list_batch.ts";
import type { LogPosition, PutEntry, PutResult, RedisEntries } from "./redis_entries.ts";
import type { RedisServers } from "./redis_servers.ts";

/**
 * A log is rewritten when it has more changes than this for each listed file, and `CHANGES_MIN`.
 */
const CHANGES_PER_FILE_MAX = 2;
const CHANGES_MIN = 2 * BATCH_FILES_MAX;

/** A peer that joined at this server. */
export interface OwnPeer {
  peer: IndexedPeer;
  /** The end of its log in Redis, as far as Redis has confirmed it. */
  written: LogPosition;
  /**
   * The last generation that may have reached Redis. Two different logs never have the same number.
   */
  generation: number;
  /** Whether Redis has exactly the log that `written` describes. */
  isSynced: boolean;
  /** How many changes are in the log. */
  logChanges: number;
  /** How many files the peer lists. */
  files: number;
  /** The changes since `written`. Undefined when there were too many to keep. */
  unconfirmed: ListBatch[] | undefined;
}

/** The parts that the list works with. */
export interface OwnPeersOptions {
  /** The index with the peers of all servers. */
  readonly local: LocalIndex;
  readonly entries: RedisEntries;
  readonly servers: RedisServers;
  /** Called when the entry of a peer has changed, so that the other servers learn of it. */
  readonly onChanged: (key: string) => void;
  /**
   * Called when a command got no answer, so that Redis may or may not have an entry of this server.
   */
  readonly onUncertain: (key: string) => void;
  /** Called with a peer that has joined at another server. */
  readonly onLost: (peer: IndexedPeer) => Promise<void>;
}

/**
 * The peers that joined here, by `peerNameKey`. The caller runs what concerns one peer in turns,
 * one call after the other.
 */
export class OwnPeers {
  #server = makeServerId();
  readonly #options: OwnPeersOptions;
  readonly #peers = new Map<string, OwnPeer>();

  constructor(options: OwnPeersOptions) {
    this.#options = options;
  }

  /** The id of this server in Redis. */
  get server(): string {
    return this.#server;
  }

  /** Takes a new id for this server, because the other servers may have forgotten the old one. */
  changeServerId(): void {
    this.#server = makeServerId();
    for (const own of this.#peers.values()) own.isSynced = false;
  }

  get(key: string): OwnPeer | undefined {
    return this.#peers.get(key);
  }

  keys(): string[] {
    return [...this.#peers.keys()];
  }

  names(): string[] {
    return this.#peers.values().map(({ peer }) => peer.name).toArray();
  }

  /** The keys of the peers that are not synced. */
  unsynced(): string[] {
    return this.#peers.entries().filter(([, { isSynced }]) => !isSynced).map(([key]) => key).toArray();
  }

  /**
   * Tries to put an entry under the name of a peer that joins.
   *
   * @param replaces The session that has the entry to replace, or "" when there must be none.
   * @throws {Failure} as Redis does.
   */
  async claim(peer: IndexedPeer, replaces: string): Promise<PutResult> {
    const key = peerNameKey(peer.name);
    const written = { session: crypto.randomUUID(), generation: 0, position: 0 };
    const server = this.#server;
    const result = await this.#put(key, { peer, server, ...written, replaces, continues: undefined });
    if (result.kind !== "put") return result;
    // Under an old id of this server the entry would soon be forgotten.
    const isSynced = server === this.#server;
    this.#peers.set(key, { peer, written, generation: 0, isSynced, logChanges: 0, files: 0, unconfirmed: [] });
    this.#options.onChanged(key);
    return result;
  }

  /**
   * Forgets a peer at once.
   *
   * @returns What was known of it, for {@linkcode remove}.
   */
  forget(key: string): OwnPeer | undefined {
    const own = this.#peers.get(key);
    this.#peers.delete(key);
    return own;
  }

  /**
   * Removes the entry of a forgotten peer from Redis, unless another session has it. Never fails.
   */
  async remove(key: string, { written }: OwnPeer): Promise<void> {
    const { entries, servers, onChanged, onUncertain } = this.#options;
    try {
      if (await entries.remove(key, this.#server, written.session)) onChanged(key);
      // A peer that has left and come back at once is already a member again.
      if (!this.#peers.has(key)) await servers.removeMember(this.#server, key);
    } catch {
      onUncertain(key);
    }
  }

  /**
   * Publishes a change that the local index has already made. Never fails: while Redis is away, the
   * change is kept for {@linkcode sync}.
   *
   * @param files How many files the peer lists now.
   */
  async publish(key: string, batch: ListBatch, files: number): Promise<void> {
    const own = this.#peers.get(key);
    if (own === undefined) return;
    own.files = files;
    try {
      const isLong = own.logChanges + changesIn(batch) > CHANGES_MIN + CHANGES_PER_FILE_MAX * own.files;
      if (own.isSynced && !isLong) return await this.#append(key, own, batch);
      keep(own, batch);
      // Most other servers have read the whole old log. They go on in the new one behind its base,
      // where the change follows, so they load nothing twice.
      if (own.isSynced) await this.#rewrite(key, own);
    } catch {
      // Redis is away. The change was kept.
    }
  }

  /**
   * Publishes that a peer was reached at a port. Never fails: while Redis is away, `sync` does it
   * later.
   */
  async reached(key: string, port: number): Promise<void> {
    const own = this.#peers.get(key);
    if (own === undefined) return;
    own.peer = { ...own.peer, port };
    own.isSynced = false;
    try {
      await this.#rewrite(key, own);
    } catch {
      // Redis is away. The peer is not synced, so its entry is written when Redis is back.
    }
  }

  /**
   * Writes what Redis may lack of a peer.
   *
   * @throws {Failure} as Redis does.
   */
  async sync(key: string): Promise<void> {
    const own = this.#peers.get(key);
    if (own !== undefined && !own.isSynced) await this.#rewrite(key, own);
  }

  /**
   * Checks whether Redis still has the log of a peer: it may have lost its memory.
   *
   * @throws {Failure} as Redis does.
   */
  async check(key: string): Promise<void> {
    const own = this.#peers.get(key);
    if (own === undefined || !own.isSynced) return;
    const { session, generation, position } = own.written;
    await this.#options.servers.addMember(this.#server, key);
    const entry = await this.#options.entries.read(key, own.written, 0).catch((thrown) => {
      // Another program has written this, so the entry is rewritten.
      if (failedWith(thrown, "malformed")) return undefined;
      throw thrown;
    });
    if (entry !== undefined && entry.session !== session) return await this.#lose(key, own);
    const isSame = entry?.generation === generation && entry.start === position && !entry.more;
    own.isSynced = isSame && entry.server === this.#server;
  }

  async #append(key: string, own: OwnPeer, batch: ListBatch): Promise<void> {
    // Until Redis answers, the log may end before or after this batch.
    own.isSynced = false;
    keep(own, batch);
    const result = await this.#options.entries.append(key, own.written, batch);
    if (result === "lost") return await this.#lose(key, own);
    if (result === "different log") return await this.#rewrite(key, own);
    own.written = { ...own.written, position: own.written.position + 1 };
    own.logChanges += changesIn(batch);
    own.unconfirmed = [];
    own.isSynced = true;
    this.#options.onChanged(key);
  }

  /**
   * Writes the whole list as the next generation of the log. A server that has read all of the last
   * generation then needs only the unconfirmed changes, which follow.
   */
  async #rewrite(key: string, own: OwnPeer): Promise<void> {
    own.isSynced = false;
    const { session, ...last } = own.written;
    const { position, partials } = await this.#writeNext(key, own);
    if (this.#peers.get(key) !== own) return;

    const unconfirmed = fitsOn(own.files, partials, own.unconfirmed ?? []) ? own.unconfirmed : undefined;
    own.generation += 1;
    const written = { session, generation: own.generation, position };
    const server = this.#server;
    const continues = unconfirmed === undefined ? undefined : last;
    const result = await this.#put(key, { peer: own.peer, server, ...written, replaces: session, continues });
    if (result.kind !== "put") return await this.#lose(key, own);
    own.written = written;
    own.logChanges = own.files;
    own.unconfirmed = [];
    own.isSynced = server === this.#server;
    this.#options.onChanged(key);
    try {
      for (const batch of unconfirmed ?? []) await this.#append(key, own, batch);
    } catch (thrown) {
      // The new generation promises these changes to the servers that have read all of the last
      // one.
      own.unconfirmed = undefined;
      throw thrown;
    }
  }

  /**
   * Writes the whole list beside the log that is in Redis.
   *
   * @returns How many batches these are, and how many downloads are in them.
   */
  async #writeNext(key: string, { peer, written }: OwnPeer): Promise<{ position: number; partials: number }> {
    const { local, entries } = this.#options;
    let position = 0;
    const write = async (batch: ListBatch): Promise<void> => {
      await entries.writeNext(key, written.session, batch);
      position += 1;
    };
    await entries.beginNext(key, written.session);
    for await (const add of local.filesOf(peer.name, BATCH_FILES_MAX)) await write({ ...NO_CHANGE, add });
    const partials = local.partialsOf(peer.name);
    if (partials.length > 0) await write({ ...NO_CHANGE, partials });
    return { position, partials: partials.length };
  }

  async #put(key: string, entry: PutEntry): Promise<PutResult> {
    // Before the entry, so that a server that forgets this one finds all its entries.
    await this.#options.servers.addMember(entry.server, key);
    try {
      return await this.#options.entries.put(key, entry);
    } catch (thrown) {
      this.#options.onUncertain(key);
      throw thrown;
    }
  }

  async #lose(key: string, own: OwnPeer): Promise<void> {
    if (this.#peers.get(key) !== own) return;
    this.#peers.delete(key);
    await this.#options.onLost(own.peer);
  }
}

/**
 * Whether batches can be read on top of a list that already has their changes, without going beyond
 * what a peer may list on the way.
 */
function fitsOn(files: number, partials: number, batches: readonly ListBatch[]): boolean {
  for (const batch of batches) {
    files += batch.add.length;
    partials += batch.partials.length;
  }
  return files <= FILES_PER_PEER_MAX && partials <= PARTIALS_PER_PEER_MAX;
}

function keep(own: OwnPeer, batch: ListBatch): void {
  own.unconfirmed?.push(batch);
  if ((own.unconfirmed?.length ?? 0) > REDIS_PENDING_MAX) own.unconfirmed = undefined;
}

function makeServerId(): string {
  return crypto.randomUUID();
}
