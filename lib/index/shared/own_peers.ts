/**
 * The peers that joined at this server, as they stand in Redis: each list is a log, to which changes are added; it is written anew when it
 * has grown much longer than what it says, or when Redis has lost it. Called by shared_index.ts and follower.ts.
 *
 * While Redis is away nothing fails: changes are kept, and told when it is back.
 * @module
 */

import { BATCH_FILES_MAX, FILES_PER_PEER_MAX, PARTIALS_PER_PEER_MAX, REDIS_PENDING_MAX } from "../../core/limits.ts";
import { failedWith } from "../../core/failure.ts";
import { peerNameKey } from "../../core/peer_name.ts";
import { changesIn, type ListBatch, NO_CHANGE } from "./list_batch.ts";
import type { PutEntry, PutResult, Reading, RedisEntries } from "./redis_entries.ts";
import type { RedisServers } from "./redis_servers.ts";
import type { IndexedPeer } from "../search_index.ts";
import type { LocalIndex } from "../local/local_index.ts";

/** A log may hold so many changes for each file that is listed, and some more, before it is written anew. */
const CHANGES_PER_FILE_MAX = 2;
const CHANGES_MIN = 2 * BATCH_FILES_MAX;

/** A peer that joined here. */
export interface OwnPeer {
  peer: IndexedPeer;
  /** How far its log has been written. */
  written: Reading;
  /** The last generation that was put, or may have been: no two that differ have the same number. */
  generation: number;
  /** Whether Redis has all that is in `written`, and nothing else. */
  inStep: boolean;
  /** How many changes the log holds, and how many files it lists. */
  changes: number;
  files: number;
  /** What happened since it was in step; undefined when that is too much to tell. */
  pending: ListBatch[] | undefined;
}

/** What the list needs. */
export interface OwnPeersOptions {
  /** Where everybody is found, those of other servers, too. */
  readonly local: LocalIndex;
  readonly entries: RedisEntries;
  readonly servers: RedisServers;
  /** Called when the entry of a peer has changed, so that the other servers are told. */
  readonly onChanged: (key: string) => void;
  /** Called when a command failed, so that it is not known whether Redis still has, or has now, an entry of this server. */
  readonly onDoubt: (key: string) => void;
  /** Called with a peer that has joined at another server. */
  readonly onLost: (peer: IndexedPeer) => Promise<void>;
}

/** Every peer that joined here, by `peerNameKey`. What concerns one of them is called in its turn, one thing after the other. */
export class OwnPeers {
  #server = makeServerId();
  readonly #options: OwnPeersOptions;
  readonly #peers = new Map<string, OwnPeer>();

  constructor(options: OwnPeersOptions) {
    this.#options = options;
  }

  /** What this server is called in Redis. */
  get server(): string {
    return this.#server;
  }

  /** Begins a new life under a new name: the other servers may have taken the old one for dead. */
  beginAnew(): void {
    this.#server = makeServerId();
    for (const own of this.#peers.values()) own.inStep = false;
  }

  get(key: string): OwnPeer | undefined {
    return this.#peers.get(key);
  }

  keys(): string[] {
    return [...this.#peers.keys()];
  }

  /** What they are called. */
  names(): string[] {
    return this.#peers.values().map(({ peer }) => peer.name).toArray();
  }

  /** Those of whom Redis does not have all. */
  behind(): string[] {
    return this.#peers.entries().filter(([, { inStep }]) => !inStep).map(([key]) => key).toArray();
  }

  /** Tries to take a name, in place of the session named. Fails: as Redis does. */
  async take(peer: IndexedPeer, replaces: string): Promise<PutResult> {
    const key = peerNameKey(peer.name);
    const written = { session: crypto.randomUUID(), generation: 0, position: 0 };
    const server = this.#server;
    const result = await this.#put(key, { peer, server, ...written, replaces, after: -1, from: -1, base: 0 });
    if (result.kind === "put") {
      // Under an old name of this server it would soon be forgotten.
      const inStep = server === this.#server;
      this.#peers.set(key, { peer, written, generation: 0, inStep, changes: 0, files: 0, pending: [] });
      this.#options.onChanged(key);
    }
    return result;
  }

  /** Forgets a peer at once. Shape: what was known of it. */
  forget(key: string): OwnPeer | undefined {
    const own = this.#peers.get(key);
    this.#peers.delete(key);
    return own;
  }

  /** Takes the entry of a forgotten peer out of Redis, unless it is somebody else's already. Fails: never. */
  async remove(key: string, { written }: OwnPeer): Promise<void> {
    const { entries, servers, onChanged, onDoubt } = this.#options;
    try {
      if (await entries.remove(key, this.#server, written.session)) onChanged(key);
      // Who left and came back at once has taken its own place already.
      if (!this.#peers.has(key)) await servers.removeMember(this.#server, key);
    } catch {
      onDoubt(key);
    }
  }

  /** Tells a change that has happened; now, or when Redis is back. Fails: never. */
  async tell(key: string, batch: ListBatch, files: number): Promise<void> {
    const own = this.#peers.get(key);
    if (own === undefined) return;
    own.files = files;
    try {
      const isLong = own.changes + changesIn(batch) > CHANGES_MIN + CHANGES_PER_FILE_MAX * own.files;
      if (own.inStep && !isLong) return await this.#append(key, own, batch);
      keep(own, batch);
      // In place of the change, which comes behind it: the others have most likely read all before that, and so need nothing else of it.
      if (own.inStep) await this.#write(key, own);
    } catch {
      // Redis is away. What was kept is told when it is back.
    }
  }

  /** Tells that a peer was reached at a port; now, or when Redis is back. Fails: never. */
  async reached(key: string, port: number): Promise<void> {
    const own = this.#peers.get(key);
    if (own === undefined) return;
    own.peer = { ...own.peer, port };
    own.inStep = false;
    try {
      await this.#write(key, own);
    } catch {
      // Redis is away. The entry is not in step, so it is written when Redis is back.
    }
  }

  /** Makes Redis have what it lacks of a peer. Fails: as Redis does. */
  async repair(key: string): Promise<void> {
    const own = this.#peers.get(key);
    if (own !== undefined && !own.inStep) await this.#write(key, own);
  }

  /** Looks whether Redis still has what it was given of a peer: it may have lost its memory. Fails: as Redis does. */
  async verify(key: string): Promise<void> {
    const own = this.#peers.get(key);
    if (own === undefined || !own.inStep) return;
    const { session, generation, position } = own.written;
    await this.#options.servers.addMember(this.#server, key);
    const entry = await this.#options.entries.read(key, own.written, 0).catch((thrown) => {
      // Somebody else wrote this: it is written anew.
      if (failedWith(thrown, "malformed")) return undefined;
      throw thrown;
    });
    if (entry !== undefined && entry.session !== session) return await this.#lose(key, own);
    const isSame = entry?.generation === generation && entry.start === position && !entry.more;
    own.inStep = isSame && entry.server === this.#server;
  }

  async #append(key: string, own: OwnPeer, batch: ListBatch): Promise<void> {
    // Until it is known, it may have been written or not.
    own.inStep = false;
    keep(own, batch);
    const result = await this.#options.entries.append(key, own.written, batch);
    if (result === "lost") return await this.#lose(key, own);
    if (result === "out of step") return await this.#write(key, own);
    own.written = { ...own.written, position: own.written.position + 1 };
    own.changes += changesIn(batch);
    own.pending = [];
    own.inStep = true;
    this.#options.onChanged(key);
  }

  /** Writes a whole list as the next generation. Who has read all of the last one needs nothing of it but what is still pending. */
  async #write(key: string, own: OwnPeer): Promise<void> {
    const { local, entries } = this.#options;
    own.inStep = false;
    const { session, generation, position } = own.written;
    let base = 0;
    const next = async (batch: ListBatch): Promise<void> => {
      await entries.writeNext(key, session, batch);
      base += 1;
    };
    await entries.beginNext(key, session);
    for await (const add of local.filesOf(own.peer.name, BATCH_FILES_MAX)) await next({ ...NO_CHANGE, add });
    const partials = local.partialsOf(own.peer.name);
    if (partials.length > 0) await next({ ...NO_CHANGE, partials });
    if (this.#peers.get(key) !== own) return;

    const pending = fitsOn(own.files, partials.length, own.pending ?? []) ? own.pending : undefined;
    const from = pending === undefined ? -1 : position;
    own.generation += 1;
    const written = { session, generation: own.generation, position: base };
    const server = this.#server;
    const entry = { peer: own.peer, server, ...written, replaces: session, after: generation, from, base };
    const result = await this.#put(key, entry);
    if (result.kind !== "put") return await this.#lose(key, own);
    own.written = written;
    own.changes = own.files;
    own.pending = [];
    own.inStep = server === this.#server;
    this.#options.onChanged(key);
    try {
      for (const batch of pending ?? []) await this.#append(key, own, batch);
    } catch (thrown) {
      // Who has read all of the last generation was promised the rest of these.
      own.pending = undefined;
      throw thrown;
    }
  }

  async #put(key: string, entry: PutEntry): Promise<PutResult> {
    // Before its entry, so that whoever forgets this server finds all entries.
    await this.#options.servers.addMember(entry.server, key);
    try {
      return await this.#options.entries.put(key, entry);
    } catch (thrown) {
      this.#options.onDoubt(key);
      throw thrown;
    }
  }

  async #lose(key: string, own: OwnPeer): Promise<void> {
    if (this.#peers.get(key) !== own) return;
    this.#peers.delete(key);
    await this.#options.onLost(own.peer);
  }
}

/** Whether batches can be read on top of a list that has them already, and on the way nothing goes beyond what a peer may list. */
function fitsOn(files: number, partials: number, batches: readonly ListBatch[]): boolean {
  for (const batch of batches) {
    files += batch.add.length;
    partials += batch.partials.length;
  }
  return files <= FILES_PER_PEER_MAX && partials <= PARTIALS_PER_PEER_MAX;
}

function keep(own: OwnPeer, batch: ListBatch): void {
  own.pending?.push(batch);
  if ((own.pending?.length ?? 0) > REDIS_PENDING_MAX) own.pending = undefined;
}

function makeServerId(): string {
  return crypto.randomUUID();
}
