/**
 * A peer's session with its index: joins, keeps the index's list of its files up to date, and
 * reconnects when the index is lost. Called by peer.ts and guest.ts. The states are drawn in
 * lib/README.md, "A session with an index".
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

/** What a session reports. */
export type SessionEvent =
  | { readonly event: "index-lost"; readonly why: string }
  | { readonly event: "index-back"; readonly index: Address }
  /** The index answers, but accepts neither this peer nor its list. The session keeps trying. */
  | { readonly event: "index-refused"; readonly why: string }
  /** The index could not connect to this peer at this address, so others cannot either. */
  | { readonly event: "unreachable"; readonly host: string; readonly port: number }
  /** The index has connected to this peer after all. */
  | { readonly event: "reachable" };

/** What a session needs. */
export interface IndexSessionOptions extends ReachOptions {
  readonly indexes: readonly Address[];
  readonly clock: Clock;
  readonly random: Random;
  readonly onEvent: (event: SessionEvent) => void;
}

/** How a peer joins, and what it lists. */
export interface Membership {
  /** Whether the peer serves without encryption. */
  readonly plain: boolean;
  /** The name to join with. Called at every attempt, because the name may change. */
  readonly name: () => string;
  /** Called when the name is taken. Returns another name to try, or undefined to fail. */
  readonly onTaken: (suggestion: string | undefined) => string | undefined;
  /** The port at which other peers connect to this one. */
  readonly port: number;
  /** Every name that is shared. */
  readonly names: () => Iterable<string>;
  /** How many files are shared. */
  readonly size: () => number;
  /** Unfinished downloads that are served to others already. */
  readonly partials: () => Iterable<PartialContent>;
  /** A shared file, or undefined when it is no longer shared. */
  readonly file: (name: string) => IndexedFile | undefined;
}

/** How far a session has come with the index that it is connected to. */
type Standing =
  /** Not joined: it may ask, and that is all. */
  | "guest"
  /**
   * Joined under a name. The index has not connected to the peer, so it accepts no list of files.
   */
  | "joined"
  /** Joined, and the index could not connect to the peer. It may still succeed. */
  | "unreachable"
  /** The index has connected to the peer. Its files are listed. */
  | "reachable";

/**
 * A connection to one of several indexes. It is made again whenever it is lost, as long as the
 * session lasts.
 */
export class IndexSession implements AsyncDisposable {
  readonly #options: IndexSessionOptions;
  readonly #closing = new AbortController();
  #membership: Membership | undefined;
  #caller: Caller | undefined;
  #index: Address | undefined;
  #ended: Promise<Failure> = Promise.resolve(new Failure("closed", "Never connected"));
  #keeping: Promise<void> = Promise.resolve();
  /** Names of files that the index has to be informed about. */
  #dirty = new Set<string>();
  #listing: Promise<void> | undefined;
  #pingTimer: ReturnType<typeof setInterval> | undefined;
  #standing: Standing = "guest";
  /** Resolves when the index reports whether it could connect to this peer. */
  #reach = Promise.withResolvers<boolean>();
  /** The name it joined with last. */
  #hadName: string | undefined;
  /** How many times in a row the name was taken. */
  #timesTaken = 0;

  private constructor(options: IndexSessionOptions) {
    this.#options = options;
  }

  /**
   * Connects to one of the indexes that answer, without joining. That is enough to search.
   *
   * @throws {Failure} "index-unreachable", "no-member".
   */
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
   * Joins and lists every file. From then on the session joins again whenever the index was lost.
   *
   * @throws {Failure} "name-taken", "bad-name", and whatever ends the connection.
   */
  async join(membership: Membership): Promise<void> {
    this.#membership = membership;
    await this.#join();
    this.#keeping = this.#keep();
  }

  /**
   * Asks the index.
   *
   * @throws {Failure} "index-unreachable" while it is lost, and whatever the index answers.
   */
  async call<D, R>(message: Request<D, R>, data: D): Promise<R> {
    const caller = this.#caller;
    if (caller === undefined || caller.connection.ended !== undefined) throw this.#away();
    try {
      return await caller.call(message, data);
    } catch (thrown) {
      throw caller.connection.ended === undefined ? thrown : this.#away();
    }
  }

  /** Notes that files were added, removed or changed. The index gets the changes soon. */
  changed(names: Iterable<string>): void {
    for (const name of names) this.#dirty.add(name);
    this.#listMore();
  }

  /**
   * Reports that this peer serves the pieces of an unfinished download, or no longer does. After a
   * loss the index gets it when it is back.
   */
  announce({ root, name, size }: PartialContent, here: boolean): void {
    if (this.#standing === "reachable") this.#caller?.call(Partial, { root, name, size, here }).catch(() => {});
  }

  /** Resolves when the index lists every change that was noted before the call. */
  async listed(): Promise<void> {
    if (this.#standing !== "guest") await Promise.race([this.#reach.promise, this.#ended]);
    while (this.#listing !== undefined) await this.#listing;
  }

  /** Leaves the index and ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Failure("closed", "The peer is closing"));
    clearInterval(this.#pingTimer);
    const caller = this.#caller;
    if (this.#standing !== "guest") await caller?.call(Leave, {}).catch(() => {});
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
    // An unanswered ping is not handled here: the silence ends the connection.
    this.#caller?.call(Ping, {}).catch(() => {});
  }

  #hear(event: string, data: unknown): void {
    if (event === Probe.event) this.#ping();
    if (event === Reached.event) this.#hearReached(Reached.data.check(data, event).reachable);
    if (event === Closing.event) {
      const { reason } = Closing.data.check(data, event);
      this.#caller?.connection.close(new Failure("closed", reason ?? "the index is closing"));
    }
  }

  #hearReached(reachable: boolean): void {
    this.#reach.resolve(reachable);
    const membership = this.#membership;
    if (!reachable || this.#standing !== "unreachable" || membership === undefined) return;
    this.#options.onEvent({ event: "reachable" });
    this.#beginListing(membership);
  }

  async #join(): Promise<void> {
    const membership = this.#membership;
    const caller = this.#caller;
    if (membership === undefined || caller === undefined) return;
    const reach = this.#reach = Promise.withResolvers<boolean>();
    const { host } = await joinUnderSomeName(caller, membership, (thrown) => {
      if (failedWith(thrown, "name-taken")) this.#timesTaken += 1;
      return isLikelyOurs(thrown, { name: membership.name(), hadName: this.#hadName, times: this.#timesTaken });
    });
    this.#standing = "joined";
    this.#hadName = membership.name();
    this.#timesTaken = 0;
    const listing = reach.promise.then((reachable) => {
      // A report about an earlier connection is not about this one.
      if (this.#standing === "joined" && this.#caller === caller) this.#onReached(membership, host, reachable);
    });
    // The index reaches most peers at once, and then no other peer sees this one without an
    // address.
    await settlesWithin(REACHED_WAIT_MS, listing);
  }

  #onReached(membership: Membership, host: string, reachable: boolean): void {
    if (reachable) return this.#beginListing(membership);
    this.#standing = "unreachable";
    this.#options.onEvent({ event: "unreachable", host, port: membership.port });
  }

  #beginListing(membership: Membership): void {
    this.#standing = "reachable";
    for (const partial of membership.partials()) this.announce(partial, true);
    this.#dirty = new Set(membership.names());
    this.#listMore();
  }

  /** Sends the index what has changed, batch after batch, until nothing is left. */
  #listMore(): void {
    // A peer that becomes reachable lists everything again, so until then no change has to be kept.
    if (this.#standing !== "reachable") this.#dirty.clear();
    if (this.#listing !== undefined || this.#dirty.size === 0) return;
    const caller = this.#caller;
    this.#listing = this.#list().catch((thrown) => {
      // The changes of this attempt are lost. A new connection sends everything again, unless the
      // index has refused the list for good.
      if (thrown instanceof Failure && thrown.retry) caller?.connection.close(thrown);
      else this.#options.onEvent({ event: "index-refused", why: String(thrown.message) });
    }).finally(() => {
      this.#listing = undefined;
    });
  }

  async #list(): Promise<void> {
    const { clock, random } = this.#options;
    // When the index is lost meanwhile, everything is sent again once it is back, by this loop or
    // by a new one.
    for (let refusals = 0; this.#standing === "reachable" && this.#dirty.size > 0;) {
      const names = this.#dirty;
      this.#dirty = new Set();
      try {
        await this.#update(names);
        refusals = 0;
      } catch (thrown) {
        if (!failedWith(thrown, "busy")) throw thrown;
        this.#dirty = this.#dirty.union(names);
        await clock.delay(returnWaitMs(++refusals, random), this.#closing.signal);
      }
    }
  }

  async #update(names: Iterable<string>): Promise<void> {
    const membership = this.#membership;
    const caller = this.#caller;
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

  /** Joins again whenever the index was lost, until the session is closed. */
  async #keep(): Promise<void> {
    const { clock, random, onEvent } = this.#options;
    const { signal } = this.#closing;
    while (true) {
      const why = await this.#ended;
      this.#standing = "guest";
      if (signal.aborted) return;
      onEvent({ event: "index-lost", why: why.message });
      let refused = false;
      for (let attempt = 0; this.#standing === "guest"; attempt++) {
        try {
          await clock.delay(returnWaitMs(attempt, random), signal);
          await this.#connect();
          await this.#join();
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

/**
 * Joins, under another name when the first is taken and the membership offers one.
 *
 * @param isOurs Whether the name is taken by an earlier session of this peer. Then it is not given
 * up.
 */
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
