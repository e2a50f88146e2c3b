/**
 * The peers of classroom dialects at this index. They connect for one request at a time, so a
 * connection does not show that they are present. Each stays listed under its address until it has
 * sent no request for a while. Called by dialect_session.ts.
 * @module
 */

import { type Address, addressShare, formatAddress } from "../core/address.ts";
import type { Clock } from "../core/flow/clock.ts";
import { type Dialect, NO_CERTIFICATE, NO_ID } from "../core/dialect.ts";
import { Failure } from "../core/failure.ts";
import {
  BATCH_FILES_MAX,
  DIALECT_FILES_IN_ALL_MAX,
  DIALECT_FILES_MAX,
  DIALECT_PEERS_MAX,
  DIALECT_SILENCE_MS_MAX,
  LIST_SHARE_OF_FREE,
} from "../core/limits.ts";
import { Places } from "../core/flow/places.ts";
import { Turns } from "../core/flow/turns.ts";
import type { SearchIndex } from "../index/search_index.ts";
import type { Journal } from "./journal.ts";

/** What the list works with. */
export interface ClassroomPeersOptions {
  readonly index: SearchIndex;
  readonly journal: Journal;
  readonly clock: Clock;
  /** The most peers at once. Default: `DIALECT_PEERS_MAX`. */
  readonly peersMax?: number | undefined;
}

interface ClassroomPeer {
  readonly name: string;
  readonly address: Address;
  readonly files: Set<string>;
  heardMs: number;
  /** Resolves when the peer has joined the index, and rejects when the index refuses it. */
  readonly joined: Promise<void>;
  /**
   * The last change of its list. Changes are made one after the other, also when they come over
   * several connections.
   */
  changed: Promise<unknown>;
}

/** All listed peers of classroom dialects. */
export class ClassroomPeers implements Disposable {
  readonly #options: ClassroomPeersOptions;
  /** By name. The peer that was heard last is last. */
  readonly #peers = new Map<string, ClassroomPeer>();
  readonly #places: Places<ClassroomPeer>;
  /**
   * Calls of the index for one name, one after the other: a peer that leaves while it joins joins
   * first.
   */
  readonly #turns = new Turns();
  readonly #closing = new AbortController();
  #watching = false;

  constructor(options: ClassroomPeersOptions) {
    this.#options = options;
    this.#places = new Places({ total: options.peersMax ?? DIALECT_PEERS_MAX, first: "oldest", graceMs: 0 });
  }

  /** How many peers are listed. */
  get size(): number {
    return this.#peers.size;
  }

  /**
   * Lists a peer with these files and no others.
   *
   * @throws {Failure} "busy" when there are too many peers or files of peers in dialects,
   * "too-large".
   */
  async join(address: Address, dialect: Dialect, files: readonly string[]): Promise<void> {
    const isNew = !this.#peers.has(formatAddress(address));
    const peer = this.#peer(address, dialect);
    await this.#change(peer, new Set(files), { replace: true });
    if (!isNew) return;
    const { journal } = this.#options;
    journal({ event: "joined", peer: peer.name, from: address, files: peer.files.size, reachable: true });
  }

  /**
   * Lists more files of a peer. A peer that is not listed joins with them.
   *
   * @throws {Failure} as `join` does.
   */
  async add(address: Address, dialect: Dialect, files: readonly string[]): Promise<void> {
    const isNew = !this.#peers.has(formatAddress(address));
    if (isNew) return await this.join(address, dialect, files);
    const peer = this.#peer(address, dialect);
    const before = peer.files.size;
    await this.#change(peer, new Set(files), { replace: false });
    const added = peer.files.size - before;
    this.#options.journal({ event: "listed", peer: peer.name, added, removed: 0, files: peer.files.size });
  }

  /** Removes a peer from the list, if it is there. */
  async leave(address: Address, why: string): Promise<void> {
    const peer = this.#peers.get(formatAddress(address));
    if (peer !== undefined) await this.#forget(peer, why);
  }

  /** Removes a peer that another server lists now. */
  lost(name: string): void {
    const peer = this.#peers.get(name);
    if (peer !== undefined) this.#places.leave(peer);
    if (this.#peers.delete(name)) this.#options.journal({ event: "left", peer: name, why: "joined at another server" });
  }

  /**
   * Notes a sign of life of a peer.
   *
   * @param port The port at which the peer serves. Undefined when the request does not name it:
   * then the sign counts for all peers at this host.
   */
  heard(host: string, port: number | undefined): void {
    const all = port === undefined ? this.#at(host) : [this.#peers.get(formatAddress({ host, port }))];
    for (const peer of all) if (peer !== undefined) this.#note(peer);
  }

  /** The addresses of the peers that list a file of exactly this name. */
  holders(name: string): Address[] {
    return this.#peers.values().filter(({ files }) => files.has(name)).map(({ address }) => address).toArray();
  }

  [Symbol.dispose](): void {
    this.#closing.abort();
  }

  /**
   * Finds the peer at an address, or lets a new one join the index. It waits for nothing, so that
   * two requests of one address share one peer.
   *
   * @throws {Failure} "busy" when all places are taken.
   */
  #peer(address: Address, dialect: Dialect): ClassroomPeer {
    const name = formatAddress(address);
    const known = this.#peers.get(name);
    if (known !== undefined) {
      this.#note(known);
      return known;
    }
    const { index, clock } = this.#options;
    const { host, port } = address;
    const row = { name, id: NO_ID, certificate: NO_CERTIFICATE, plain: true, host, port, dialect };
    const { promise: joined, resolve } = Promise.withResolvers<void>();
    const peer = { name, address, files: new Set<string>(), heardMs: clock.now(), joined, changed: joined };
    const entered = this.#places.enter(peer, { host }, peer.heardMs);
    if (!entered.given) throw new Failure("busy", "Cannot list any more peers in classroom dialects");
    const { displaced } = entered;
    const roomMade = displaced && this.#forget(displaced, "made room for a peer of an address with fewer");
    resolve(this.#turns.run(name, async () => {
      await roomMade;
      await index.join(row);
    }));
    this.#peers.set(name, peer);
    joined.catch(() => this.#drop(peer));
    void this.#watch();
    return peer;
  }

  async #change(peer: ClassroomPeer, add: ReadonlySet<string>, { replace }: { replace: boolean }): Promise<void> {
    const change = async (): Promise<void> => {
      await peer.joined;
      const after = replace ? add : peer.files.union(add);
      if (after.size > DIALECT_FILES_MAX) {
        throw new Failure("too-large", `Cannot list more than ${DIALECT_FILES_MAX} files`);
      }
      // Only listed peers count, so a change of a peer that has left meanwhile counts nothing.
      const share = addressShare(peer.address.host);
      const others = this.#peers.values().filter((each) => each !== peer).toArray();
      const free = DIALECT_FILES_IN_ALL_MAX - after.size - filesOf(others);
      const held = after.size + filesOf(others.filter(({ address }) => addressShare(address.host) === share));
      if (after.size > peer.files.size && held > LIST_SHARE_OF_FREE * free) {
        throw new Failure("busy", "Cannot list any more files of peers in classroom dialects");
      }
      const removed = [...peer.files.difference(after)];
      const added = Array.from(add.difference(peer.files), (name) => ({ name, size: 0 }));
      for (let start = 0; start < Math.max(removed.length, added.length); start += BATCH_FILES_MAX) {
        const batch = [start, start + BATCH_FILES_MAX] as const;
        await this.#options.index.update(peer.name, { add: added.slice(...batch), remove: removed.slice(...batch) });
      }
      peer.files.clear();
      for (const name of after) peer.files.add(name);
    };
    const changed = peer.changed.catch(() => {}).then(change);
    peer.changed = changed;
    await changed;
  }

  async #forget(peer: ClassroomPeer, why: string): Promise<void> {
    if (!this.#drop(peer)) return;
    this.#options.journal({ event: "left", peer: peer.name, why });
    await this.#turns.run(peer.name, async () => {
      const isThere = await peer.joined.then(() => true, () => false);
      if (isThere) await this.#options.index.leave(peer.name);
    });
  }

  /**
   * Removes a peer from the list.
   *
   * @returns Whether it was there.
   */
  #drop(peer: ClassroomPeer): boolean {
    this.#places.leave(peer);
    return this.#peers.get(peer.name) === peer && this.#peers.delete(peer.name);
  }

  #note(peer: ClassroomPeer): void {
    peer.heardMs = this.#options.clock.now();
    // The peer that has been silent for the longest time is the first to make room.
    this.#places.leave(peer);
    this.#places.enter(peer, { host: peer.address.host }, peer.heardMs);
    this.#peers.delete(peer.name);
    this.#peers.set(peer.name, peer);
  }

  /** The peers of one host, in the order in which they were last heard. */
  #at(host: string): ClassroomPeer[] {
    return this.#peers.values().filter(({ address }) => address.host === host).toArray();
  }

  /** Removes peers that have been silent for too long, until no peer is left. */
  async #watch(): Promise<void> {
    if (this.#watching) return;
    this.#watching = true;
    const { clock } = this.#options;
    for (let [oldest] = this.#peers.values(); oldest !== undefined; [oldest] = this.#peers.values()) {
      const leftMs = oldest.heardMs + DIALECT_SILENCE_MS_MAX - clock.now();
      if (leftMs <= 0) await this.#forget(oldest, `asked for nothing for ${DIALECT_SILENCE_MS_MAX / 60_000} minutes`);
      else {
        await clock.delay(leftMs, this.#closing.signal).catch(() => {});
        if (this.#closing.signal.aborted) return;
      }
    }
    this.#watching = false;
  }
}

function filesOf(peers: readonly ClassroomPeer[]): number {
  return peers.reduce((sum, { files }) => sum + files.size, 0);
}
