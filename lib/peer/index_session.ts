/**
 * A peer's session with its index: joins, keeps the index's list true, and when the index is lost comes back by itself. Called by peer.ts.
 * @module
 */

import { type Address, formatAddress } from "../core/address.ts";
import { backoffMs } from "../core/backoff.ts";
import type { Clock } from "../core/clock.ts";
import { failedWith, Failure } from "../core/failure.ts";
import {
  BATCH_FILES_MAX,
  PING_EVERY_MS,
  RECONNECT_FIRST_MS,
  RECONNECT_LAST_MS,
  REPLY_WAIT_MS,
} from "../core/limits.ts";
import type { Random } from "../core/random.ts";
import { Caller, greet } from "../net/caller.ts";
import type { Dial } from "../net/dial.ts";
import type { Identity } from "../net/identity.ts";
import type { Room } from "../net/room_key.ts";
import { batches } from "../protocol/batch.ts";
import type { Request } from "../protocol/message.ts";
import { Closing, Join, Leave, Partial, Ping, Probe, Update } from "../protocol/presence.ts";
import type { IndexedFile } from "../protocol/shapes.ts";
import type { PartialContent } from "../transfer/download.ts";

/** What a session tells. */
export type SessionEvent =
  | { readonly event: "index-lost"; readonly why: string }
  | { readonly event: "index-back"; readonly index: Address }
  /** The index is there, but does not take us, or our list; it is tried again. */
  | { readonly event: "index-refused"; readonly why: string }
  | { readonly event: "unreachable"; readonly host: string; readonly port: number };

/** What a session needs. */
export interface IndexSessionOptions {
  readonly indexes: readonly Address[];
  readonly dial: Dial;
  /** The key that one proves at the index. */
  readonly identity: Identity;
  readonly room: Room | undefined;
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

  private constructor(options: IndexSessionOptions) {
    this.#options = options;
  }

  /** Connects to the first index that answers, without joining: enough to search. Fails: "index-unreachable". */
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
    if (this.#joined) this.#caller?.call(Partial, { root, name, size, here }).catch(() => {});
  }

  /** Resolves when the index knows everything that was said before. */
  async listed(): Promise<void> {
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
    const { indexes, dial } = this.#options;
    let failure: Failure | undefined;
    for (const index of indexes) {
      try {
        const { identity, room } = this.#options;
        const { signal } = this.#closing;
        const encrypted = room === undefined ? {} : { identity: room.identity };
        const connection = await dial(index, { failure: "index-unreachable", signal, ...encrypted });
        this.#closing.signal.addEventListener("abort", () => this.#joined || connection.close(), { once: true });
        try {
          await greet(connection, { identity, ...(room === undefined ? {} : { roomKey: room.key }) });
        } catch (thrown) {
          connection.close();
          throw thrown;
        }
        this.#use(new Caller(connection), index);
        return;
      } catch (thrown) {
        this.#closing.signal.throwIfAborted();
        failure = this.#told(Failure.from(thrown, "index-unreachable", "Cannot talk to the index"), index);
        if (failedWith(failure, "no-member")) throw failure;
      }
    }
    throw new Failure("index-unreachable", failure?.message ?? "No index was named", {
      cause: failure,
      ...(failure?.hint === undefined || !failedWith(failure, "malformed", "closed") ? {} : { hint: failure.hint }),
    });
  }

  /** A failure to talk to an index as the person is to hear it: most often the room key is missing or wrong. */
  #told(failure: Failure, index: Address): Failure {
    const where = formatAddress(index);
    if (failedWith(failure, "wrong-key", "no-member")) {
      return new Failure("no-member", `The index at ${where} has another room key, or none`, { cause: failure });
    }
    if (this.#options.room === undefined && failedWith(failure, "malformed", "closed")) {
      return new Failure(failure.code, `Cannot talk to the index at ${where}: ${failure.message}`, {
        cause: failure,
        hint: "if the room has a key, name its file with --room-key-file FILE",
      });
    }
    return failure;
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
    if (event === Closing.event) {
      const { reason } = Closing.data.check(data, event);
      this.#caller?.connection.close(new Failure("closed", reason ?? "the index is closing"));
    }
  }

  async #join(): Promise<void> {
    const membership = this.#membership;
    const caller = this.#caller;
    if (membership === undefined || caller === undefined) return;
    const joined = await joinUnderSomeName(caller, membership);
    this.#joined = true;
    if (!joined.reachable) {
      this.#dirty.clear();
      this.#options.onEvent({ event: "unreachable", host: joined.host, port: membership.port });
      return;
    }
    for (const partial of membership.partials()) this.announce(partial, true);
    this.#dirty = new Set(membership.names());
    this.#listMore();
  }

  /** Tells the index what changed, batch after batch, until nothing is left to tell. */
  #listMore(): void {
    if (!this.#joined || this.#listing !== undefined || this.#dirty.size === 0) return;
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
    const { membership, caller } = { membership: this.#membership, caller: this.#caller };
    if (membership === undefined || caller === undefined) return;
    while (this.#dirty.size > 0) {
      const names = this.#dirty;
      this.#dirty = new Set();
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
      for (let attempt = 0; !this.#joined; attempt++) {
        try {
          await clock.delay(
            backoffMs(attempt, { firstMs: RECONNECT_FIRST_MS, lastMs: RECONNECT_LAST_MS }, random),
            signal,
          );
          await this.#connect();
          await this.#join();
        } catch (thrown) {
          if (signal.aborted) return;
          this.#caller?.connection.close();
          if (refused || !(thrown instanceof Failure) || thrown.retry) continue;
          refused = true;
          onEvent({ event: "index-refused", why: thrown.message });
        }
      }
      if (this.#index !== undefined) onEvent({ event: "index-back", index: this.#index });
    }
  }
}

async function joinUnderSomeName(
  caller: Caller,
  membership: Membership,
): Promise<{ host: string; reachable: boolean }> {
  const { name, onTaken, plain, size, port } = membership;
  while (true) {
    try {
      return await caller.call(Join, { name: name(), port, files: size(), plain });
    } catch (thrown) {
      if (!failedWith(thrown, "name-taken") || onTaken(thrown.suggestion) === undefined) throw thrown;
    }
  }
}
