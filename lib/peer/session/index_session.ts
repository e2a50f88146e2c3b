/**
 * A peer's session with its index: joins, keeps the index's list true, and when the index is lost comes back by itself. Called by peer.ts.
 * @module
 */

import { type Address, formatAddress } from "../../core/address.ts";
import { type Clock, settlesWithin } from "../../core/flow/clock.ts";
import { failedWith, Failure } from "../../core/failure.ts";
import { BATCH_FILES_MAX, PING_EVERY_MS, REACHED_WAIT_MS, REPLY_WAIT_MS } from "../../core/limits.ts";
import type { Random } from "../../core/random.ts";
import { Caller } from "../../net/caller.ts";
import { batches } from "../../protocol/batch.ts";
import type { Request } from "../../protocol/message.ts";
import { Closing, Join, Leave, Partial, Ping, Probe, Reached, Update } from "../../protocol/presence.ts";
import type { IndexedFile } from "../../protocol/shapes.ts";
import type { PartialContent } from "../../transfer/content/content.ts";
import { reachIndex, type ReachOptions } from "./reach_index.ts";
import { indexOrder, isForGood, isLikelyOurs, returnWaitMs } from "./return_rules.ts";

/** What a session tells. */
export type SessionEvent =
  | { readonly event: "index-lost"; readonly why: string }
  | { readonly event: "index-back"; readonly index: Address }
  /** The index is there, but does not take us, or our list; it is tried again. */
  | { readonly event: "index-refused"; readonly why: string }
  | { readonly event: "unreachable"; readonly host: string; readonly port: number };

/** What a session needs. */
export interface IndexSessionOptions extends ReachOptions {
  readonly indexes: readonly Address[];
  readonly clock: Clock;
  readonly random: Random;
  readonly onEvent: (event: SessionEvent) => void;
}

/** How a peer joins, and what it lists. */
export interface Membership {
  /** Whether one serves without encryption. */
  readonly plain: boolean;
  /** The name to join with. Asked at every attempt, since it may have changed. */
  readonly name: () => string;
  /** Called when a name is taken: another name to try, or undefined to fail. */
  readonly onTaken: (suggestion: string | undefined) => string | undefined;
  /** The port at which others reach us. */
  readonly port: number;
  /** Every name that is shared. */
  readonly names: () => Iterable<string>;
  /** How many files are shared. */
  readonly size: () => number;
  /** What is being downloaded and served to others meanwhile. */
  readonly partials: () => Iterable<PartialContent>;
  /** A shared file, or undefined when it is no longer shared. */
  readonly file: (name: string) => IndexedFile | undefined;
}

/** A connection to one of several indexes, kept up as long as the session lasts. */
export class IndexSession implements AsyncDisposable {
  readonly #options: IndexSessionOptions;
  readonly #closing = new AbortController();
  #membership: Membership | undefined;
  #caller: Caller | undefined;
  #index: Address | undefined;
  #ended: Promise<Failure> = Promise.resolve(new Failure("closed", "Never connected"));
  #keeping: Promise<void> = Promise.resolve();
  #dirty = new Set<string>();
  #listing: Promise<void> | undefined;
  #pingTimer: ReturnType<typeof setInterval> | undefined;
  #joined = false;
  /** What the index says of the attempt to reach this peer: a list is only accepted of one that was reached. */
  #reach = Promise.withResolvers<boolean>();
  #reachable = false;
  /** The name it joined with last. */
  #hadName: string | undefined;

  private constructor(options: IndexSessionOptions) {
    this.#options = options;
  }

  /** Connects to one of the indexes that answer, without joining: enough to search. Fails: "index-unreachable", "no-member". */
  static async connect(options: IndexSessionOptions): Promise<IndexSession> {
    const session = new IndexSession(options);
    await session.#connect();
    return session;
  }

  /** The index it is connected to, or was last. */
  get index(): Address | undefined {
    return this.#index;
  }

  /**
   * Joins, lists every file, and from then on comes back by itself when the index is lost. Fails: "name-taken", "bad-name", and as the
   * connection does.
   */
  async join(membership: Membership): Promise<void> {
    this.#membership = membership;
    await this.#join();
    this.#keeping = this.#keep();
  }

  /** Asks the index. Fails: "index-unreachable" while it is away, and as the index says. */
  async call<D, R>(message: Request<D, R>, data: D): Promise<R> {
    const caller = this.#caller;
    if (caller === undefined || caller.connection.ended !== undefined) throw this.#away();
    try {
      return await caller.call(message, data);
    } catch (thrown) {
      throw caller.connection.ended === undefined ? thrown : this.#away();
    }
  }

  /** Says that files came, went or changed; the index is told soon. */
  changed(names: Iterable<string>): void {
    for (const name of names) this.#dirty.add(name);
    this.#listMore();
  }

  /** Says that parts of a content are here for others, or are so no longer. The index hears of it now or when it is back. */
  announce({ root, name, size }: PartialContent, here: boolean): void {
    if (this.#joined && this.#reachable) this.#caller?.call(Partial, { root, name, size, here }).catch(() => {});
  }

  /** Resolves when the index knows everything that was said before. */
  async listed(): Promise<void> {
    if (this.#joined) await Promise.race([this.#reach.promise, this.#ended]);
    while (this.#listing !== undefined) await this.#listing;
  }

  /** Says goodbye and ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Failure("closed", "The peer is closing"));
    clearInterval(this.#pingTimer);
    const caller = this.#caller;
    if (this.#joined) await caller?.call(Leave, {}).catch(() => {});
    caller?.connection.close();
    await Promise.all([this.#keeping, this.#ended, this.#listing]);
  }

  #away(): Failure {
    const where = this.#index === undefined ? "" : ` at ${formatAddress(this.#index)}`;
    return new Failure("index-unreachable", `The index${where} is away`, { hint: "trying to reach it again" });
  }

  async #connect(): Promise<void> {
    const { signal } = this.#closing;
    const indexes = indexOrder(this.#options.indexes, this.#index, this.#options.random);
    const { connection, index } = await reachIndex(indexes, this.#options, signal);
    if (signal.aborted) connection.close();
    signal.throwIfAborted();
    this.#use(new Caller(connection), index);
  }

  #use(caller: Caller, index: Address): void {
    this.#caller = caller;
    this.#index = index;
    this.#ended = caller.run((event, data) => this.#hear(event, data), { waitMs: PING_EVERY_MS + REPLY_WAIT_MS });
    clearInterval(this.#pingTimer);
    this.#pingTimer = setInterval(() => this.#ping(), PING_EVERY_MS);
  }

  #ping(): void {
    // A ping that is not answered needs nothing done: the silence ends the connection.
    this.#caller?.call(Ping, {}).catch(() => {});
  }

  #hear(event: string, data: unknown): void {
    if (event === Probe.event) this.#ping();
    if (event === Reached.event) this.#reach.resolve(Reached.data.check(data, event).reachable);
    if (event === Closing.event) {
      const { reason } = Closing.data.check(data, event);
      this.#caller?.connection.close(new Failure("closed", reason ?? "the index is closing"));
    }
  }

  /** Joins; `times` of a taken name are counted from one attempt to the next. */
  async #join(times = { taken: 0 }): Promise<void> {
    const membership = this.#membership;
    const caller = this.#caller;
    if (membership === undefined || caller === undefined) return;
    const reach = this.#reach = Promise.withResolvers<boolean>();
    this.#reachable = false;
    const { host } = await joinUnderSomeName(caller, membership, (thrown) => {
      if (failedWith(thrown, "name-taken")) times.taken += 1;
      return isLikelyOurs(thrown, { name: membership.name(), hadName: this.#hadName, times: times.taken });
    });
    this.#joined = true;
    this.#hadName = membership.name();
    const listing = reach.promise.then((reachable) => {
      // What an index says of an earlier session is of no use.
      if (this.#joined && this.#caller === caller) this.#onReached(membership, host, reachable);
    });
    // Most are reached at once, and then nobody sees this peer without an address.
    await settlesWithin(REACHED_WAIT_MS, listing);
  }

  #onReached(membership: Membership, host: string, reachable: boolean): void {
    this.#reachable = reachable;
    if (!reachable) return this.#options.onEvent({ event: "unreachable", host, port: membership.port });
    for (const partial of membership.partials()) this.announce(partial, true);
    this.#dirty = new Set(membership.names());
    this.#listMore();
  }

  /** Tells the index what changed, batch after batch, until nothing is left to tell. */
  #listMore(): void {
    // Who comes back lists everything anew: until then nothing has to be kept.
    if (!this.#joined || !this.#reachable) this.#dirty.clear();
    if (this.#listing !== undefined || this.#dirty.size === 0) return;
    const caller = this.#caller;
    this.#listing = this.#list().catch((thrown) => {
      // What was to be told is lost with the attempt. Coming back tells everything anew, unless the index said that it does not want it.
      if (thrown instanceof Failure && thrown.retry) caller?.connection.close(thrown);
      else this.#options.onEvent({ event: "index-refused", why: String(thrown.message) });
    }).finally(() => {
      this.#listing = undefined;
    });
  }

  async #list(): Promise<void> {
    const { clock, random } = this.#options;
    // Who loses the index meanwhile tells everything anew when it is back, be it here or in a new call.
    for (let refusals = 0; this.#joined && this.#reachable && this.#dirty.size > 0;) {
      const names = this.#dirty;
      this.#dirty = new Set();
      try {
        await this.#tell(names);
        refusals = 0;
      } catch (thrown) {
        if (!failedWith(thrown, "busy")) throw thrown;
        this.#dirty = this.#dirty.union(names);
        await clock.delay(returnWaitMs(++refusals, random), this.#closing.signal);
      }
    }
  }

  async #tell(names: Iterable<string>): Promise<void> {
    const { membership, caller } = { membership: this.#membership, caller: this.#caller };
    if (membership === undefined || caller === undefined) return;
    const add: IndexedFile[] = [];
    const remove: string[] = [];
    for (const name of names) {
      const file = membership.file(name);
      if (file === undefined) remove.push(name);
      else add.push(file);
    }
    for (const batch of batches(remove, BATCH_FILES_MAX)) await caller.call(Update, { add: [], remove: batch });
    for (const batch of batches(add, BATCH_FILES_MAX)) await caller.call(Update, { add: batch, remove: [] });
  }

  /** Comes back whenever the index is lost, until the session is closed. */
  async #keep(): Promise<void> {
    const { clock, random, onEvent } = this.#options;
    const { signal } = this.#closing;
    while (true) {
      const why = await this.#ended;
      this.#joined = false;
      if (signal.aborted) return;
      onEvent({ event: "index-lost", why: why.message });
      let refused = false;
      const times = { taken: 0 };
      for (let attempt = 0; !this.#joined; attempt++) {
        try {
          await clock.delay(returnWaitMs(attempt, random), signal);
          await this.#connect();
          await this.#join(times);
        } catch (thrown) {
          if (signal.aborted) return;
          this.#caller?.connection.close();
          if (refused || !isForGood(thrown)) continue;
          refused = true;
          onEvent({ event: "index-refused", why: thrown.message });
        }
      }
      if (this.#index !== undefined) onEvent({ event: "index-back", index: this.#index });
    }
  }
}

/** Joins, under other names where the membership has some; a name of which `isOurs` says that it is taken by ourselves is not given up. */
async function joinUnderSomeName(
  caller: Caller,
  membership: Membership,
  isOurs: (thrown: unknown) => boolean,
): Promise<{ host: string }> {
  const { name, onTaken, plain, size, port } = membership;
  while (true) {
    try {
      return await caller.call(Join, { name: name(), port, files: size(), plain });
    } catch (thrown) {
      if (isOurs(thrown)) throw new Failure("busy", "Cannot join: our own session at another index still has our name");
      if (!failedWith(thrown, "name-taken") || onTaken(thrown.suggestion) === undefined) throw thrown;
    }
  }
}
