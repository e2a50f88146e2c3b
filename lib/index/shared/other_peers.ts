/**
 * The peers that are at other servers, and the names that were registered, as this server has read them from Redis into its own index.
 * Called by shared_index.ts and follower.ts.
 * @module
 */

import { failedWith, Failure } from "../../core/failure.ts";
import { Expiries } from "../../core/flow/expiries.ts";
import type { ListBatch } from "./list_batch.ts";
import { NOTHING_READ, type ReadEntry, type Reading, type RedisEntries } from "./redis_entries.ts";
import { REGISTRY } from "./redis_keys.ts";
import type { LocalIndex } from "../local/local_index.ts";

interface OtherPeer {
  readonly name: string;
  readonly server: string;
  readonly reading: Reading;
}

/** Every peer that is elsewhere, by `peerNameKey`. What concerns one of them is called in its turn, one thing after the other. */
export class OtherPeers implements Disposable {
  readonly #local: LocalIndex;
  readonly #entries: RedisEntries;
  readonly #peers = new Map<string, OtherPeer>();
  readonly #byServer = new Map<string, Set<string>>();
  readonly #expiries: Expiries;
  #closed = false;

  /** `onExpired` is called with a registered name whose time is over, if it was not renewed elsewhere. */
  constructor(local: LocalIndex, entries: RedisEntries, onExpired: (key: string) => void) {
    this.#local = local;
    this.#entries = entries;
    this.#expiries = new Expiries(onExpired);
  }

  /** The peers at one server. */
  at(server: string): string[] {
    return [...this.#byServer.get(server) ?? []];
  }

  /** The servers at which there are peers. */
  servers(): string[] {
    return [...this.#byServer.keys()].filter((server) => server !== REGISTRY);
  }

  /** How many names are registered. */
  get registered(): number {
    return this.#byServer.get(REGISTRY)?.size ?? 0;
  }

  /** Whether a name is registered, as far as is known here. */
  isRegistered(key: string): boolean {
    return this.#byServer.get(REGISTRY)?.has(key) === true;
  }

  /**
   * Reads what is new of one entry, which is that of a peer elsewhere. Shape: the entry as it stands, with nothing applied when `isOwn` says
   * that it is ours. Fails: as Redis does; "closed".
   */
  async bring(key: string, isOwn: (entry: ReadEntry) => boolean): Promise<ReadEntry | undefined> {
    try {
      while (true) {
        if (this.#closed) throw new Failure("closed", "Cannot load any more: the index is closing");
        const reading = this.#peers.get(key)?.reading ?? NOTHING_READ;
        const entry = await this.#entries.read(key, reading);
        if (entry === undefined || isOwn(entry)) {
          await this.drop(key);
          return entry;
        }
        if (entry.session !== reading.session || (entry.start === 0 && reading.position > 0)) {
          await this.drop(key);
          await this.#local.join(entry.peer);
        }
        if (entry.peer.port !== undefined) await this.#local.reached(entry.peer.name, entry.peer.port);
        this.#note(key, entry);
        // Whom others cannot reach lists nothing.
        const batches = entry.peer.port === undefined ? [] : entry.batches;
        for (const batch of batches) await this.#apply(key, batch);
        if (!entry.more) return entry;
      }
    } catch (thrown) {
      if (!failedWith(thrown, "malformed", "too-large")) throw thrown;
      // Whoever wrote this wrote it wrong. It counts as absent.
      await this.drop(key);
      return undefined;
    }
  }

  /** Forgets a peer that is elsewhere, if it is known; when all ends, there is no need to. */
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

  #note(key: string, { peer, server, session, generation, position, leftMs }: ReadEntry): void {
    const before = this.#peers.get(key);
    if (before !== undefined && before.server !== server) this.#leaveServer(key, before.server);
    this.#peers.set(key, { name: peer.name, server, reading: { session, generation, position } });
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
