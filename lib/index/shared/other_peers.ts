/**
 * The peers at other servers, and the registered names, as this server has read them from Redis
 * into its local index. Called by shared_index.ts and follower.ts.
 * @module
 */

import { failedWith, Failure } from "../../core/failure.ts";
import { Expiries } from "../../core/flow/expiries.ts";
import type { LocalIndex } from "../local/local_index.ts";
import type { ListBatch } from "./list_batch.ts";
import { type LogPosition, NOTHING_READ, type ReadEntry, type RedisEntries } from "./redis_entries.ts";
import { REGISTRY } from "./redis_keys.ts";

interface OtherPeer {
  readonly name: string;
  readonly server: string;
  /** How much of its log was read. */
  readonly read: LogPosition;
}

/**
 * The peers that joined elsewhere, by `peerNameKey`. The caller runs what concerns one peer in
 * turns, one call after the other.
 */
export class OtherPeers implements Disposable {
  readonly #local: LocalIndex;
  readonly #entries: RedisEntries;
  readonly #peers = new Map<string, OtherPeer>();
  readonly #byServer = new Map<string, Set<string>>();
  readonly #expiries: Expiries;
  #closed = false;

  /**
   * @param onExpired Called with a registered name that has expired, unless it was renewed
   * elsewhere.
   */
  constructor(local: LocalIndex, entries: RedisEntries, onExpired: (key: string) => void) {
    this.#local = local;
    this.#entries = entries;
    this.#expiries = new Expiries(onExpired);
  }

  /** The keys of the peers at one server. */
  at(server: string): string[] {
    return [...this.#byServer.get(server) ?? []];
  }

  /** The servers of these peers. */
  servers(): string[] {
    return [...this.#byServer.keys()].filter((server) => server !== REGISTRY);
  }

  /** How many names are registered. */
  get registered(): number {
    return this.#byServer.get(REGISTRY)?.size ?? 0;
  }

  /** Whether a name is registered, as far as this server knows. */
  isRegistered(key: string): boolean {
    return this.#byServer.get(REGISTRY)?.has(key) === true;
  }

  /**
   * Reads what is new of one entry into the local index.
   *
   * @param isOwn Whether an entry belongs to this server. Then it is not read into the local index.
   * @returns The entry, or undefined when there is none.
   * @throws {Failure} as Redis does; "closed".
   */
  async refresh(key: string, isOwn: (entry: ReadEntry) => boolean): Promise<ReadEntry | undefined> {
    try {
      while (true) {
        if (this.#closed) throw new Failure("closed", "Cannot load any more: the index is closing");
        const read = this.#peers.get(key)?.read ?? NOTHING_READ;
        const entry = await this.#entries.read(key, read);
        if (entry === undefined || isOwn(entry)) {
          await this.drop(key);
          return entry;
        }
        if (entry.session !== read.session || (entry.start === 0 && read.position > 0)) {
          await this.drop(key);
          await this.#local.join(entry.peer);
        }
        if (entry.peer.port !== undefined) await this.#local.reached(entry.peer.name, entry.peer.port);
        this.#remember(key, entry);
        // A peer that others cannot reach lists nothing.
        const batches = entry.peer.port === undefined ? [] : entry.batches;
        for (const batch of batches) await this.#apply(key, batch);
        if (!entry.more) return entry;
      }
    } catch (thrown) {
      if (!failedWith(thrown, "malformed", "too-large")) throw thrown;
      // A faulty server or another program has written this. The entry counts as absent.
      await this.drop(key);
      return undefined;
    }
  }

  /** Forgets a peer, if it is known. Does nothing after the end, when the local index also ends. */
  async drop(key: string): Promise<void> {
    const known = this.#peers.get(key);
    if (known === undefined || this.#closed) return;
    this.#peers.delete(key);
    this.#expiries.delete(key);
    this.#leaveServer(key, known.server);
    await this.#local.leave(known.name);
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#expiries[Symbol.dispose]();
  }

  async #apply(key: string, { add, remove, partials, ended }: ListBatch): Promise<void> {
    await this.#local.update(key, { add, remove });
    for (const partial of partials) await this.#local.partial(key, partial, true);
    for (const root of ended) await this.#local.partial(key, { name: "", size: 0, root }, false);
  }

  #remember(key: string, { peer, server, session, generation, position, leftMs }: ReadEntry): void {
    const before = this.#peers.get(key);
    if (before !== undefined && before.server !== server) this.#leaveServer(key, before.server);
    this.#peers.set(key, { name: peer.name, server, read: { session, generation, position } });
    const there = this.#byServer.get(server) ?? new Set();
    this.#byServer.set(server, there.add(key));
    if (leftMs !== undefined) this.#expiries.set(key, leftMs);
  }

  #leaveServer(key: string, server: string): void {
    const there = this.#byServer.get(server);
    there?.delete(key);
    if (there?.size === 0) this.#byServer.delete(server);
  }
}
