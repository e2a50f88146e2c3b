/**
 * Keeps one server and Redis together: follows the news, renews the lease, misses servers that are gone, and when Redis was away sets
 * everything right again. Called by shared_index.ts.
 * @module
 */

import type { Clock } from "../../core/flow/clock.ts";
import { Failure } from "../../core/failure.ts";
import {
  BATCH_FILES_MAX,
  REDIS_LOADING_MAX,
  REDIS_NEWS_EVERY_MS,
  SERVER_LEASE_EVERY_MS,
  SERVER_MISSED_MS,
} from "../../core/limits.ts";
import type { Turns } from "../../core/flow/turns.ts";
import type { RedisEntries } from "./redis_entries.ts";
import { REGISTRY } from "./redis_keys.ts";
import type { OtherPeers } from "./other_peers.ts";
import type { OwnPeers } from "./own_peers.ts";
import type { Note, RedisServers } from "./redis_servers.ts";
import type { Sessions, SharedIndexEvent } from "../search_index.ts";

/** The longest pause between two attempts while Redis is away: much shorter than a lease, which is to be renewed as soon as it is back. */
const SLOWEST_MS = 1_600;

/** In how many rounds of leases every peer of ours is looked at once. */
const CHECK_ROUNDS = 10;

/** What following needs. */
export interface FollowerOptions {
  readonly own: OwnPeers;
  readonly others: OtherPeers;
  readonly entries: RedisEntries;
  readonly servers: RedisServers;
  /** The turns in which peers are dealt with. */
  readonly turns: Turns;
  readonly clock: Clock;
  readonly sessions: () => Sessions | undefined;
  readonly onEvent: (event: SharedIndexEvent) => void;
}

/** Follows until it is closed. */
export class Follower implements AsyncDisposable {
  readonly #options: FollowerOptions;
  readonly #closing = new AbortController();
  readonly #changed = new Set<string>();
  /** Peers of which there is news, and those that are being read. */
  readonly #wanted = new Set<string>();
  readonly #bringing = new Map<string, Promise<void>>();
  /** Names of which nobody knows what Redis has under them, with the tokens of registrations that are to be taken back. */
  readonly #doubtful = new Map<string, readonly string[]>();
  /** Peers of ours that are still to be looked at. */
  #unchecked: string[] = [];
  /** Since when servers have had no lease. */
  readonly #missedMs = new Map<string, number>();
  #place = "0-0";
  #isCurrent = false;
  #wasCurrent = false;
  #leaseLost = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  /** Whether all that the other servers say is known here. */
  get isCurrent(): boolean {
    return this.#isCurrent;
  }

  /** Makes this server known, and begins. Fails: as Redis does. */
  async start(): Promise<void> {
    await this.#options.servers.begin(this.#options.own.server);
    this.#running = Promise.all([
      this.#every(REDIS_NEWS_EVERY_MS, () => this.#follow()),
      this.#every(SERVER_LEASE_EVERY_MS, () => this.#keepLease()),
      // Apart from that: to forget a server with half a million files takes longer than a lease lasts.
      this.#every(SERVER_LEASE_EVERY_MS, () => this.#missServers()),
    ]);
  }

  /** Notes that the entry of a peer of ours has changed; the other servers are told soon. */
  changed(key: string): void {
    this.#changed.add(key);
  }

  /**
   * Notes that nobody knows what Redis has under a name; it is looked at until that is known. A registration with this `token` is taken back,
   * should there be one.
   */
  doubt(key: string, token?: string): void {
    this.#doubtful.set(key, [...this.#doubtful.get(key) ?? [], ...token === undefined ? [] : [token]]);
  }

  /** Whether there is such a name. */
  get isInDoubt(): boolean {
    return this.#doubtful.size > 0;
  }

  /** Takes in, and tells, that a name was registered or removed; later, if Redis is away by now. */
  async registered(key: string): Promise<void> {
    this.#changed.add(key);
    try {
      // Again: whoever looked at it before it was there took it off the list of names.
      await this.#options.servers.addMember(REGISTRY, key);
      await this.bring(key);
    } catch {
      this.doubt(key);
    }
  }

  /** Tells what is left to tell, and ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Failure("closed", "The index is closing"));
    await this.#running;
    await Promise.all(this.#bringing.values());
    await this.#tell().catch(() => {});
  }

  /** Reads what is new of a peer, in its turn. Fails: as Redis does. */
  async bring(key: string): Promise<void> {
    await this.#options.turns.run(key, async () => {
      const { own, others, entries, servers } = this.#options;
      await own.verify(key);
      if (own.get(key) !== undefined) return;
      // An entry under this server's name that is not known here is what is left of a join that failed.
      const entry = await others.bring(key, ({ server }) => server === own.server);
      if (entry?.server === own.server) {
        await entries.remove(key, own.server);
        await servers.removeMember(own.server, key);
        this.#changed.add(key);
      }
      if (entry === undefined) await servers.removeMember(REGISTRY, key);
    });
  }

  /** Does something again and again. Whatever fails means that Redis is away; it is done again, less and less often. */
  async #every(ms: number, work: () => Promise<void>): Promise<void> {
    const { clock } = this.#options;
    for (let failed = 0; !this.#closing.signal.aborted;) {
      try {
        await work();
        failed = 0;
      } catch (thrown) {
        failed += 1;
        this.#away(reasonOf(thrown));
      }
      const pauseMs = Math.max(ms, Math.min(ms * 2 ** failed, SLOWEST_MS));
      await clock.delay(pauseMs, this.#closing.signal).catch(() => {});
    }
  }

  #away(why: string): void {
    if (this.#closing.signal.aborted) return;
    if (this.#isCurrent) this.#options.onEvent({ event: "redis-away", why });
    this.#isCurrent = false;
  }

  async #follow(): Promise<void> {
    const { servers } = this.#options;
    if (!this.#isCurrent) return await this.#comeBack();
    await this.#tell();
    const { notes, place, gap } = await servers.since(this.#place);
    if (gap) return await this.#comeBack();
    for (const key of notes.flatMap((note) => this.#hear(note))) this.#wanted.add(key);
    this.#place = place;
    this.#bringWanted();
  }

  /** Brings what is wanted, some at a time and each once at a time, so that a peer with a long list keeps no other waiting. */
  #bringWanted(): void {
    for (const key of this.#wanted) {
      if (this.#bringing.size >= REDIS_LOADING_MAX || this.#closing.signal.aborted) return;
      if (this.#bringing.has(key)) continue;
      this.#wanted.delete(key);
      const brought = this.bring(key).catch((thrown) => this.#away(reasonOf(thrown))).finally(() => {
        this.#bringing.delete(key);
        this.#bringWanted();
      });
      this.#bringing.set(key, brought);
    }
  }

  async #tell(): Promise<void> {
    const { servers, own } = this.#options;
    while (this.#changed.size > 0) {
      const changed = [...this.#changed].slice(0, BATCH_FILES_MAX);
      for (const key of changed) this.#changed.delete(key);
      try {
        await servers.tell({ server: own.server, changed });
      } catch (thrown) {
        for (const key of changed) this.#changed.add(key);
        throw thrown;
      }
    }
  }

  /** What of a note is to be looked at. */
  #hear({ server, changed, probe }: Note): readonly string[] {
    const { own } = this.#options;
    if (server === own.server) return [];
    if (probe !== undefined) void this.#answer(probe).catch(() => {});
    return changed;
  }

  async #answer({ key, session, word }: NonNullable<Note["probe"]>): Promise<void> {
    const { own, entries, sessions } = this.#options;
    const mine = own.get(key);
    if (mine?.written.session !== session || !await sessions()?.isAlive(mine.peer.name)) return;
    await entries.answerProbe(key, word);
  }

  /** Sets everything right: at the start, after Redis was away or empty, and when too much has happened to follow it. */
  async #comeBack(): Promise<void> {
    const { own, others, servers, turns, onEvent } = this.#options;
    if (this.#leaseLost || !await servers.renew(own.server)) {
      own.beginAnew();
      await servers.begin(own.server);
      this.#leaseLost = false;
    }
    const place = await servers.now();
    await inParallel(own.keys(), (key) => turns.run(key, () => own.verify(key)));
    await this.#repair();
    for (const server of [REGISTRY, own.server, ...await servers.all()]) {
      if (server !== REGISTRY && !await servers.isAlive(server)) continue;
      const there = new Set(others.at(server));
      for await (const members of servers.members(server)) for (const key of members) there.add(key);
      await inParallel(there, (key) => this.bring(key));
    }
    this.#place = place;
    // Lost again meanwhile: once more, from the beginning.
    if (this.#leaseLost) return;
    this.#isCurrent = true;
    if (this.#wasCurrent) onEvent({ event: "redis-back", peers: own.keys().length });
    this.#wasCurrent = true;
  }

  async #repair(): Promise<void> {
    const { own, entries, turns } = this.#options;
    await inParallel(own.behind(), (key) => turns.run(key, () => own.repair(key)));
    await inParallel([...this.#doubtful], async ([key, tokens]) => {
      for (const token of tokens) await entries.unregister(key, token);
      await this.bring(key);
      // Perhaps it was removed, and only the answer was lost: then nobody was told.
      this.#changed.add(key);
      // Unless there is doubt again meanwhile.
      if (this.#doubtful.get(key) === tokens) this.#doubtful.delete(key);
    });
    await this.#tell();
  }

  /** Looks at some of our peers: a node of a cluster may have been replaced by an empty one while we had nothing to ask it. */
  async #checkSome(): Promise<void> {
    const { own, turns } = this.#options;
    const keys = own.keys();
    if (this.#unchecked.length === 0) this.#unchecked = keys;
    const some = this.#unchecked.splice(0, Math.ceil(keys.length / CHECK_ROUNDS));
    await inParallel(some, (key) => turns.run(key, () => own.verify(key)));
  }

  /** Renews our lease. */
  async #keepLease(): Promise<void> {
    const { own, servers } = this.#options;
    if (this.#leaseLost || await servers.renew(own.server)) return;
    this.#leaseLost = true;
    this.#away("it has forgotten this server");
  }

  /** Tells what could not be told, and looks who of the other servers has no lease. */
  async #missServers(): Promise<void> {
    const { others, servers, clock } = this.#options;
    if (!this.#isCurrent) return;
    await this.#checkSome();
    await this.#repair();
    const known = new Set([...await servers.all(), ...others.servers()]);
    for (const server of this.#missedMs.keys()) if (!known.has(server)) this.#missedMs.delete(server);
    for (const server of known) {
      if (await servers.isAlive(server)) this.#missedMs.delete(server);
      else {
        const sinceMs = this.#missedMs.get(server) ?? clock.now();
        this.#missedMs.set(server, sinceMs);
        if (clock.now() - sinceMs >= SERVER_MISSED_MS) await this.#forget(server);
      }
    }
  }

  /** Forgets a server that is gone, and takes what it left out of Redis. */
  async #forget(gone: string): Promise<void> {
    const { others, servers, entries, turns, onEvent } = this.#options;
    const there = others.at(gone);
    if (there.length > 0) onEvent({ event: "server-gone", server: gone, peers: there.length });
    for (const key of there) await turns.run(key, () => others.drop(key));
    for await (const members of servers.members(gone)) {
      await inParallel(members, (key) => entries.remove(key, gone));
    }
    await servers.end(gone);
    this.#missedMs.delete(gone);
  }
}

function reasonOf(thrown: unknown): string {
  return Failure.from(thrown, "internal", "Cannot follow the other servers").message;
}

/** Does something for every item, some at a time. Fails: as the first that fails, when all that has begun is over. */
async function inParallel<T>(items: Iterable<T>, work: (item: T) => Promise<unknown>): Promise<void> {
  const waiting = items[Symbol.iterator]();
  const run = async (): Promise<void> => {
    for (let next = waiting.next(); next.done !== true; next = waiting.next()) await work(next.value);
  };
  const runs = await Promise.allSettled(Array.from({ length: REDIS_LOADING_MAX }, run));
  for (const each of runs) if (each.status === "rejected") throw each.reason;
}
