/**
 * Keeps this server and Redis in step: reads the news of other servers and sends our own, renews
 * the lease of this server, and forgets servers that have gone. After Redis was away it repairs
 * whatever differs. Called by shared_index.ts.
 *
 * The states are drawn in lib/index/README.md, "Following Redis".
 * @module
 */

import { Failure } from "../../core/failure.ts";
import type { Clock } from "../../core/flow/clock.ts";
import type { Turns } from "../../core/flow/turns.ts";
import {
  BATCH_FILES_MAX,
  REDIS_LOADING_MAX,
  REDIS_NEWS_EVERY_MS,
  SERVER_LEASE_EVERY_MS,
  SERVER_MISSED_MS,
} from "../../core/limits.ts";
import type { Sessions, SharedIndexEvent } from "../search_index.ts";
import type { OtherPeers } from "./other_peers.ts";
import type { OwnPeers } from "./own_peers.ts";
import type { RedisEntries } from "./redis_entries.ts";
import { REGISTRY } from "./redis_keys.ts";
import type { Note, RedisServers } from "./redis_servers.ts";

/**
 * The longest pause between two attempts while Redis is away. It is much shorter than a lease,
 * which must be renewed as soon as Redis is back.
 */
const RETRY_MS_MAX = 1_600;

/**
 * Each round checks one peer of ours in this many, so Redis is compared with all of them in turn.
 */
const CHECK_ROUNDS = 10;

/** The parts that the follower works with. */
export interface FollowerOptions {
  readonly own: OwnPeers;
  readonly others: OtherPeers;
  readonly entries: RedisEntries;
  readonly servers: RedisServers;
  /** The turns of each peer: calls that concern one peer run one after the other. */
  readonly turns: Turns;
  readonly clock: Clock;
  readonly sessions: () => Sessions | undefined;
  readonly onEvent: (event: SharedIndexEvent) => void;
}

/** Follows Redis until it is disposed of. */
export class Follower implements AsyncDisposable {
  readonly #options: FollowerOptions;
  readonly #closing = new AbortController();
  /** Peers of ours with changed entries that were not yet reported to the others. */
  readonly #unreported = new Set<string>();
  /** Peers with entries that another server has changed, and those that are being read now. */
  readonly #outdated = new Set<string>();
  readonly #refreshing = new Map<string, Promise<void>>();
  /**
   * Names with unknown entries in Redis, each with the tokens of registrations to take back.
   */
  readonly #uncertain = new Map<string, readonly string[]>();
  /** Peers of ours that this series of rounds has not checked yet. */
  #unchecked: string[] = [];
  /** Since when other servers have had no lease. */
  readonly #missedMs = new Map<string, number>();
  /** The last news that were read. */
  #newsRead = "0-0";
  #isCurrent = false;
  #wasCurrent = false;
  #isLeaseLost = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  /** Whether this server knows everything that the others have reported. */
  get isCurrent(): boolean {
    return this.#isCurrent;
  }

  /**
   * Announces this server and begins to follow.
   *
   * @throws {Failure} as Redis does.
   */
  async start(): Promise<void> {
    await this.#options.servers.announce(this.#options.own.server);
    this.#running = Promise.all([
      this.#repeat(REDIS_NEWS_EVERY_MS, () => this.#follow()),
      this.#repeat(SERVER_LEASE_EVERY_MS, () => this.#keepLease()),
      // In a loop of its own: forgetting a server with half a million files outlasts a lease.
      this.#repeat(SERVER_LEASE_EVERY_MS, () => this.#lookAfterPeers()),
    ]);
  }

  /** Notes that the entry of a peer of ours has changed. The other servers learn of it soon. */
  changed(key: string): void {
    this.#unreported.add(key);
  }

  /**
   * Notes that the entry under a name is unknown, because a command got no answer. It is read again
   * until it is known.
   *
   * @param token Of a registration that is taken back, if Redis has it.
   */
  uncertain(key: string, token?: string): void {
    this.#uncertain.set(key, [...this.#uncertain.get(key) ?? [], ...token === undefined ? [] : [token]]);
  }

  /** Whether there is such a name. */
  get hasUncertain(): boolean {
    return this.#uncertain.size > 0;
  }

  /** Reads and reports that a name was registered or removed; if Redis is away, does so later. */
  async registrationChanged(key: string): Promise<void> {
    this.#unreported.add(key);
    try {
      // Again: a server that looked before the entry was there has removed the name from the
      // members.
      await this.#options.servers.addMember(REGISTRY, key);
      await this.refresh(key);
    } catch {
      this.uncertain(key);
    }
  }

  /** Reports what is left to report, and ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Failure("closed", "The index is closing"));
    await this.#running;
    await Promise.all(this.#refreshing.values());
    await this.#report().catch(() => {});
  }

  /**
   * Reads what is new of a peer, in its turn.
   *
   * @throws {Failure} as Redis does.
   */
  async refresh(key: string): Promise<void> {
    await this.#options.turns.run(key, async () => {
      const { own, others, entries, servers } = this.#options;
      await own.check(key);
      if (own.get(key) !== undefined) return;
      // An entry under our server id without a peer here is left over from a join that failed.
      const entry = await others.refresh(key, ({ server }) => server === own.server);
      if (entry?.server === own.server) {
        await entries.remove(key, own.server);
        await servers.removeMember(own.server, key);
        this.#unreported.add(key);
      }
      if (entry === undefined) await servers.removeMember(REGISTRY, key);
    });
  }

  /** Repeats some work. A failure means that Redis is away; then the pauses grow up to a bound. */
  async #repeat(ms: number, work: () => Promise<void>): Promise<void> {
    const { clock } = this.#options;
    for (let failed = 0; !this.#closing.signal.aborted;) {
      try {
        await work();
        failed = 0;
      } catch (thrown) {
        failed += 1;
        this.#away(reasonOf(thrown));
      }
      const pauseMs = Math.max(ms, Math.min(ms * 2 ** failed, RETRY_MS_MAX));
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
    if (!this.#isCurrent) return await this.#catchUp();
    await this.#report();
    const { notes, place, gap } = await servers.newsSince(this.#newsRead);
    if (gap) return await this.#catchUp();
    for (const key of notes.flatMap((note) => this.#changedIn(note))) this.#outdated.add(key);
    this.#newsRead = place;
    this.#refreshOutdated();
  }

  /**
   * Refreshes outdated peers: several at a time, so that a long list does not delay the others, and
   * each once at a time.
   */
  #refreshOutdated(): void {
    for (const key of this.#outdated) {
      if (this.#refreshing.size >= REDIS_LOADING_MAX || this.#closing.signal.aborted) return;
      if (this.#refreshing.has(key)) continue;
      this.#outdated.delete(key);
      const refreshed = this.refresh(key).catch((thrown) => this.#away(reasonOf(thrown))).finally(() => {
        this.#refreshing.delete(key);
        this.#refreshOutdated();
      });
      this.#refreshing.set(key, refreshed);
    }
  }

  /** Reports to the other servers which entries this one has changed. */
  async #report(): Promise<void> {
    const { servers, own } = this.#options;
    while (this.#unreported.size > 0) {
      const changed = [...this.#unreported].slice(0, BATCH_FILES_MAX);
      for (const key of changed) this.#unreported.delete(key);
      try {
        await servers.report({ server: own.server, changed });
      } catch (thrown) {
        for (const key of changed) this.#unreported.add(key);
        throw thrown;
      }
    }
  }

  /** The peers that another server has changed. Answers its probe, if the note has one. */
  #changedIn({ server, changed, probe }: Note): readonly string[] {
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

  /**
   * Makes this server and Redis equal: at the start, after Redis was away or has lost something,
   * and after news were missed.
   */
  async #catchUp(): Promise<void> {
    const { own, others, servers, turns, onEvent } = this.#options;
    if (this.#isLeaseLost || !await servers.renew(own.server)) {
      own.changeServerId();
      await servers.announce(own.server);
      this.#isLeaseLost = false;
    }
    const newsRead = await servers.lastNews();
    await inParallel(own.keys(), (key) => turns.run(key, () => own.check(key)));
    await this.#repair();
    for (const server of [REGISTRY, own.server, ...await servers.all()]) {
      if (server !== REGISTRY && !await servers.isAlive(server)) continue;
      const there = new Set(others.at(server));
      for await (const members of servers.members(server)) for (const key of members) there.add(key);
      await inParallel(there, (key) => this.refresh(key));
    }
    this.#newsRead = newsRead;
    // If the lease was lost meanwhile, the next call begins again.
    if (this.#isLeaseLost) return;
    this.#isCurrent = true;
    if (this.#wasCurrent) onEvent({ event: "redis-back", peers: own.keys().length });
    this.#wasCurrent = true;
  }

  /** Writes what Redis lacks of our peers, and finds out what it has under uncertain names. */
  async #repair(): Promise<void> {
    const { own, entries, turns } = this.#options;
    await inParallel(own.unsynced(), (key) => turns.run(key, () => own.sync(key)));
    await inParallel([...this.#uncertain], async ([key, tokens]) => {
      for (const token of tokens) await entries.unregister(key, token);
      await this.refresh(key);
      // The entry may have been removed by the command without an answer. Then nobody has reported
      // it.
      this.#unreported.add(key);
      // Unless it has become uncertain again meanwhile.
      if (this.#uncertain.get(key) === tokens) this.#uncertain.delete(key);
    });
    await this.#report();
  }

  /** Checks some of our peers: a node of a cluster may have been replaced by an empty one. */
  async #checkSome(): Promise<void> {
    const { own, turns } = this.#options;
    const keys = own.keys();
    if (this.#unchecked.length === 0) this.#unchecked = keys;
    const some = this.#unchecked.splice(0, Math.ceil(keys.length / CHECK_ROUNDS));
    await inParallel(some, (key) => turns.run(key, () => own.check(key)));
  }

  async #keepLease(): Promise<void> {
    const { own, servers } = this.#options;
    if (this.#isLeaseLost || await servers.renew(own.server)) return;
    this.#isLeaseLost = true;
    this.#away("it has forgotten this server");
  }

  /** Checks and repairs our own peers, and forgets servers that have had no lease for some time. */
  async #lookAfterPeers(): Promise<void> {
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
        if (clock.now() - sinceMs >= SERVER_MISSED_MS) await this.#forgetServer(server);
      }
    }
  }

  /** Forgets a server that has gone, and removes from Redis what it has left behind. */
  async #forgetServer(gone: string): Promise<void> {
    const { others, servers, entries, turns, onEvent } = this.#options;
    const there = others.at(gone);
    if (there.length > 0) onEvent({ event: "server-gone", server: gone, peers: there.length });
    for (const key of there) await turns.run(key, () => others.drop(key));
    for await (const members of servers.members(gone)) {
      await inParallel(members, (key) => entries.remove(key, gone));
    }
    await servers.forget(gone);
    this.#missedMs.delete(gone);
  }
}

function reasonOf(thrown: unknown): string {
  return Failure.from(thrown, "internal", "Cannot follow the other servers").message;
}

/**
 * Does something for every item, several at a time.
 *
 * @throws the first error, after everything that has begun has ended.
 */
async function inParallel<T>(items: Iterable<T>, work: (item: T) => Promise<unknown>): Promise<void> {
  const waiting = items[Symbol.iterator]();
  const run = async (): Promise<void> => {
    for (let next = waiting.next(); next.done !== true; next = waiting.next()) await work(next.value);
  };
  const runs = await Promise.allSettled(Array.from({ length: REDIS_LOADING_MAX }, run));
  for (const each of runs) if (each.status === "rejected") throw each.reason;
}
