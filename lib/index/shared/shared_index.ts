/**
 * The index of a server that shares its peers with others over Redis. Redis decides which key owns
 * a name, which server has a peer, and what each peer lists. Every server keeps a copy of all that
 * in a local index and answers searches from it, so all servers give the same answers. Called by
 * server.ts, with `--redis`. The keys are described in lib/index/README.md.
 *
 * A change is made in the local index first and then published; the other servers have it a moment
 * later. While Redis is away, connected peers stay and are found, but no new peer can join.
 * @module
 */

import { type Clock, systemClock } from "../../core/flow/clock.ts";
import { NO_ID } from "../../core/dialect.ts";
import { failedWith, Failure } from "../../core/failure.ts";
import { REGISTRATIONS_MAX, REMOTE_PROBE_WAIT_MS } from "../../core/limits.ts";
import { peerNameKey } from "../../core/peer_name.ts";
import { Turns } from "../../core/flow/turns.ts";
import { batchesOf, NO_CHANGE } from "./list_batch.ts";
import { nameTaken } from "../name_binding.ts";
import { type PutResult, RedisEntries } from "./redis_entries.ts";
import { Follower } from "./follower.ts";
import { RedisKeys, REGISTRY } from "./redis_keys.ts";
import { RedisLink, type RedisPlace } from "./redis_link.ts";
import { OtherPeers } from "./other_peers.ts";
import { OwnPeers } from "./own_peers.ts";
import { RedisServers } from "./redis_servers.ts";
import { makeToken, notRegistered, registeredPeer, wrongToken } from "../registration.ts";
import type {
  IndexedPeer,
  ListChange,
  PartialFile,
  Registration,
  SearchIndex,
  Sessions,
  SharedIndexEvent,
} from "../search_index.ts";
import { LocalIndex } from "../local/local_index.ts";

export { parseRedisPlace } from "./redis_link.ts";

/** The options of a `SharedIndex`. */
export interface SharedIndexOptions {
  readonly onEvent?: ((event: SharedIndexEvent) => void) | undefined;
  readonly clock?: Clock | undefined;
}

/** How often a server looks for the answer to its probe. */
const PROBE_LOOK_MS = 100;

/** `SearchIndex` that several servers share. */
export class SharedIndex implements SearchIndex {
  readonly #local = new LocalIndex({ bindsNames: false });
  readonly #turns = new Turns();
  readonly #link: RedisLink;
  readonly #entries: RedisEntries;
  readonly #servers: RedisServers;
  readonly #own: OwnPeers;
  readonly #others: OtherPeers;
  readonly #follower: Follower;
  readonly #clock: Clock;
  #sessions: Sessions | undefined;

  // The local copy answers all questions.
  readonly search: SearchIndex["search"] = (query) => this.#local.search(query);
  readonly find: SearchIndex["find"] = (content, page) => this.#local.find(content, page);
  readonly folder: SearchIndex["folder"] = (prefix, after, limit) => this.#local.folder(prefix, after, limit);
  readonly copy: SearchIndex["copy"] = (peer, name) => this.#local.copy(peer, name);
  readonly peer: SearchIndex["peer"] = (name) => this.#local.peer(name);
  readonly peers: SearchIndex["peers"] = (page) => this.#local.peers(page);
  readonly counts: SearchIndex["counts"] = () => this.#local.counts();

  private constructor(
    link: RedisLink,
    keys: RedisKeys,
    { onEvent = () => {}, clock = systemClock }: SharedIndexOptions,
  ) {
    this.#link = link;
    this.#clock = clock;
    const [local, turns] = [this.#local, this.#turns];
    const entries = this.#entries = new RedisEntries(link, keys);
    const servers = this.#servers = new RedisServers(link, keys);
    const own = this.#own = new OwnPeers({
      local,
      entries,
      servers,
      onChanged: (key) => this.#follower.changed(key),
      onUncertain: (key) => this.#follower.uncertain(key),
      onLost: async (peer) => {
        await local.leave(peer.name);
        this.#sessions?.lost(peer.name);
      },
    });
    const others = this.#others = new OtherPeers(local, entries, (key) => void this.#expire(key));
    const sessions = (): Sessions | undefined => this.#sessions;
    this.#follower = new Follower({ own, others, entries, servers, turns, clock, sessions, onEvent });
  }

  /**
   * Connects to Redis, and begins to load what it has.
   *
   * @throws {Failure} "unreachable".
   */
  static async open(place: RedisPlace, options: SharedIndexOptions = {}): Promise<SharedIndex> {
    const index = new SharedIndex(await RedisLink.open(place), new RedisKeys(place.namespace), options);
    await index.#follower.start();
    return index;
  }

  get isCurrent(): boolean {
    return this.#follower.isCurrent;
  }

  serve(sessions: Sessions): void {
    this.#sessions = sessions;
  }

  async checkName(name: string, id: string): Promise<void> {
    await this.#orBusy(async () => {
      const owner = await this.#entries.owner(peerNameKey(name));
      if (owner !== undefined && owner !== id) throw await this.#nameTaken(name, { isHere: false });
    });
  }

  async join(peer: IndexedPeer): Promise<void> {
    const key = peerNameKey(peer.name);
    await this.#orBusy(() => this.#turns.run(key, () => this.#join(key, peer)));
  }

  async reached(name: string, port: number): Promise<void> {
    const key = this.#joined(name);
    await this.#turns.run(key, async () => {
      await this.#local.reached(this.#joined(name), port);
      await this.#own.reached(key, port);
    });
  }

  async leave(name: string): Promise<void> {
    const key = peerNameKey(name);
    const own = this.#own.forget(key);
    if (own === undefined) return;
    await this.#local.leave(name);
    // While Redis is away, the entry stays there; the follower removes it later.
    await this.#turns.run(key, () => this.#own.remove(key, own));
  }

  async update(name: string, change: ListChange): Promise<number> {
    const key = this.#joined(name);
    return await this.#turns.run(key, async () => {
      const files = await this.#local.update(this.#joined(name), change);
      for (const batch of batchesOf(change)) await this.#own.publish(key, batch, files);
      return files;
    });
  }

  async partial(name: string, file: PartialFile, here: boolean): Promise<void> {
    const key = this.#joined(name);
    await this.#turns.run(key, async () => {
      await this.#local.partial(this.#joined(name), file, here);
      const change = here ? { partials: [file] } : { ended: [file.root] };
      await this.#own.publish(key, { ...NO_CHANGE, ...change }, this.#own.get(key)?.files ?? 0);
    });
  }

  async register(registration: Registration, token = ""): Promise<string> {
    const { name, ttlMs } = registration;
    const key = peerNameKey(name);
    const isKnown = token !== "" && this.#others.isRegistered(key);
    if (!isKnown && this.#others.registered >= REGISTRATIONS_MAX) {
      throw new Failure("busy", "Cannot register any more names");
    }
    return await this.#orBusy(async () => {
      const entry = { peer: registeredPeer(registration), session: crypto.randomUUID(), ttlMs };
      const fresh = makeToken();
      // Before the entry: a server that starts reads only the entries of members.
      await this.#servers.addMember(REGISTRY, key);
      const registered = await this.#entries.register(key, entry, token, fresh).catch((thrown) => {
        // If only the answer was lost, the name is registered with a token that nobody has. It is
        // taken back.
        if (isAway(thrown)) this.#follower.uncertain(key, fresh);
        throw thrown;
      });
      if (registered === "refused") throw wrongToken(name);
      if (typeof registered === "string") throw await this.#nameTaken(name, { isHere: registered === "held" });
      await this.#follower.registrationChanged(key);
      return registered.token;
    });
  }

  async unregister(name: string, token: string): Promise<void> {
    const key = peerNameKey(name);
    await this.#orBusy(async () => {
      const removed = await this.#entries.unregister(key, token);
      if (removed === "absent") throw notRegistered(name);
      if (removed === "refused") throw wrongToken(name);
      await this.#follower.registrationChanged(key);
    });
  }

  /**
   * Lets the peers leave that have not. While Redis is away, the other servers will miss this one
   * and forget its peers.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#own.names().map((name) => this.leave(name)));
    this.#others[Symbol.dispose]();
    await this.#follower[Symbol.asyncDispose]();
    // Otherwise the server stays in Redis, so that the others find and remove what it could not
    // remove.
    if (!this.#follower.hasUncertain) await this.#servers.forget(this.#own.server).catch(() => {});
    this.#link[Symbol.dispose]();
    await this.#local[Symbol.asyncDispose]();
  }

  /**
   * The key of a peer that joined here.
   *
   * @throws {Failure} "not-joined".
   */
  #joined(name: string): string {
    const key = peerNameKey(name);
    if (this.#own.get(key) !== undefined) return key;
    throw new Failure("not-joined", `Cannot change the list: "${name}" has not joined`);
  }

  async #join(key: string, peer: IndexedPeer): Promise<void> {
    if (this.#own.get(key) !== undefined) throw await this.#nameTaken(peer.name, { isHere: true });
    let result = await this.#own.claim(peer, "");
    if (result.kind === "held" && await this.#mayReplace(key, peer, result)) {
      result = await this.#own.claim(peer, result.session);
    }
    if (result.kind !== "put") throw await this.#nameTaken(peer.name, { isHere: result.kind === "held" });
    await this.#others.drop(key);
    await this.#local.join(peer);
  }

  /**
   * Whether a peer may replace an entry under its name: the entry has the same key, and its session
   * does not answer. A peer without a key is identified by its address, which is its name and was
   * observed by the index.
   */
  async #mayReplace(key: string, { id }: IndexedPeer, held: PutResult & { kind: "held" }): Promise<boolean> {
    if (held.id !== id) return false;
    if (id === NO_ID || held.server === this.#own.server) return true;
    if (!await this.#servers.isAlive(held.server)) return true;
    const word = crypto.randomUUID();
    const probe = { key, session: held.session, word };
    await this.#servers.report({ server: this.#own.server, changed: [], probe });
    const endMs = this.#clock.now() + REMOTE_PROBE_WAIT_MS;
    while (this.#clock.now() < endMs) {
      await this.#clock.delay(PROBE_LOOK_MS);
      if (await this.#entries.isProbeAnswered(key, word)) return false;
    }
    return true;
  }

  #nameTaken(name: string, { isHere }: { isHere: boolean }): Promise<Failure> {
    const isTaken = async (key: string): Promise<boolean> => {
      return await this.#local.peer(key) !== undefined || await this.#entries.owner(key) !== undefined;
    };
    return nameTaken(name, { isHere, isTaken });
  }

  /** Drops a registered name that has expired, unless it was renewed elsewhere. */
  async #expire(key: string): Promise<void> {
    await this.#follower.refresh(key).catch(() => this.#turns.run(key, () => this.#others.drop(key)));
  }

  /**
   * Does something that a caller waits for.
   *
   * @throws {Failure} as `work` does; "busy" in the place of the failures of Redis.
   */
  async #orBusy<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (thrown) {
      if (!isAway(thrown)) throw thrown;
      throw new Failure("busy", "Cannot join now: the index cannot reach its Redis", { cause: thrown });
    }
  }
}

/** Whether a command failed so that Redis may or may not have carried it out. */
function isAway(thrown: unknown): boolean {
  return failedWith(thrown, "timeout", "unreachable");
}
