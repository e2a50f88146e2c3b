/**
 * A peer's session with the index, from the start of its connection to the end. A peer is present
 * as long as its connection is. Made by index_server.ts; session_answers.ts has the answers to a
 * peer's questions.
 *
 * The session believes the address that it observes, never one that the peer claims. It lists the
 * files of a peer only after it has reached the peer's announced port at that address. It tries
 * that as soon as JOIN has been answered, and once more a while later.
 * @module
 */

import { formatAddress, isAddress } from "../core/address.ts";
import { type Clock, settlesWithin } from "../core/flow/clock.ts";
import { Failure } from "../core/failure.ts";
import { DIAL_BACK_AGAIN_MS, DIAL_BACK_WAIT_MS, LISTED_PAUSE_MS, PROBE_WAIT_MS } from "../core/limits.ts";
import { Pace } from "../core/flow/pace.ts";
import { checkPeerName, peerNameKey } from "../core/peer_name.ts";
import type { IndexedPeer, ListChange, SearchIndex } from "../index/search_index.ts";
import { greet } from "../net/caller.ts";
import type { Connection } from "../net/connection.ts";
import type { Dial } from "../net/dial.ts";
import type { PublicIdentity } from "../net/identity.ts";
import { encodeNews } from "../protocol/envelope.ts";
import type { DataOf, ReplyOf } from "../protocol/message.ts";
import { type Join, type Partial, Probe, Reached, type Update } from "../protocol/presence.ts";
import type { DialBacks } from "./dial_backs.ts";
import type { Journal } from "./journal.ts";
import { type Viewpoint, viewpointOf } from "./peer_ref.ts";
import type { Rates } from "./rates.ts";

/** What all sessions of one index share. */
export interface SessionParts {
  readonly index: SearchIndex;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly dial: Dial;
  readonly dialBacks: DialBacks;
  /** Joined sessions by `peerNameKey`. */
  readonly joined: Map<string, Session>;
  readonly rates: Rates;
}

/** What a peer announces about itself, and has proven. */
interface Announced {
  readonly port: number;
  readonly identity: PublicIdentity;
}

/** The session of one connection. */
export class Session {
  readonly parts: SessionParts;
  readonly #connection: Connection;
  readonly #ended = Promise.withResolvers<void>();
  readonly #questions: Pace;
  #heardMs: number;
  /** When the pace let the current request start. */
  #startedMs = 0;
  /** Resolves at the next sign of life, while somebody waits for one. */
  #sign: PromiseWithResolvers<void> | undefined;
  #peer: IndexedPeer | undefined;
  /** The dial-back of this peer. `leaving` ends it when the peer leaves. */
  #reaching: { readonly done: Promise<void>; readonly leaving: AbortController } | undefined;
  /**
   * The identity that the caller has proven, until it joins. A proof serves for one join, since
   * proofs are paced.
   */
  #identity: PublicIdentity | undefined;
  #unwritten = { added: 0, removed: 0, files: 0 };
  #writeTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(parts: SessionParts, connection: Connection) {
    this.parts = parts;
    this.#connection = connection;
    this.#heardMs = parts.clock.now();
    this.#questions = new Pace(parts.rates.questions, parts.clock);
  }

  /**
   * The name of this session in the journal: that of its peer, or an address before the peer has
   * joined.
   */
  get label(): string {
    return this.#peer?.name ?? formatAddress(this.#connection.remote);
  }

  /** Where the peer of this session stands, which decides the addresses that it is given. */
  get viewpoint(): Viewpoint {
    return viewpointOf(this.#connection);
  }

  /** Notes that something arrived. */
  heard(): void {
    this.#heardMs = this.parts.clock.now();
    this.#sign?.resolve();
    this.#sign = undefined;
  }

  /** The time since the pace let the current request start. */
  get tookMs(): number {
    return this.parts.clock.now() - Math.max(this.#startedMs, this.#heardMs);
  }

  /** Asks the other side for a sign of life, and reports whether one came. */
  async isAlive(): Promise<boolean> {
    const askedMs = this.parts.clock.now();
    const sign = this.#sign ??= Promise.withResolvers();
    this.#connection.send(encodeNews(Probe, {})).catch(() => {});
    await settlesWithin(PROBE_WAIT_MS, Promise.race([sign.promise, this.#ended.promise]));
    return this.#heardMs > askedMs;
  }

  /**
   * Ends the session of a peer that has joined at another server, and leaves the name to that
   * server.
   */
  lost(): void {
    const peer = this.#forget();
    if (peer !== undefined) this.parts.journal({ event: "left", peer: peer.name, why: "joined at another server" });
    this.#connection.close(new Failure("closed", "its peer joined at another server"));
  }

  /** Waits until the pace of this connection allows another question. */
  async question(): Promise<void> {
    await this.#questions.take(1);
    this.#startedMs = this.parts.clock.now();
  }

  /**
   * Asks the index. All other peers wait meanwhile, so the time counts against the pace of this
   * connection.
   *
   * @returns The answer of `ask`.
   */
  async ask<T>(ask: (index: SearchIndex) => Promise<T>): Promise<T> {
    const { clock, index } = this.parts;
    const startMs = clock.now();
    const answer = await ask(index);
    this.#questions.charge(clock.now() - startMs);
    return answer;
  }

  /** Notes the identity that the caller has proven. */
  proven(identity: PublicIdentity): void {
    this.#identity ??= identity;
  }

  /** Ends the session: frees the name at once, and removes the peer's files. */
  async end(why: string): Promise<void> {
    this.#connection.close();
    await this.#leave(why);
    await this.#reaching?.done;
    this.#ended.resolve();
  }

  /** Answers JOIN. */
  async join({ plain, port, files, name: wanted }: DataOf<typeof Join>): Promise<ReplyOf<typeof Join>> {
    if (this.#peer !== undefined) {
      throw new Failure("refused", `Cannot join: this connection is ${this.#peer.name} already`);
    }
    const identity = this.#identity;
    if (identity === undefined) throw new Failure("unproven", "Cannot join: prove your identity first");
    const name = checkPeerName(wanted);
    if (isAddress(peerNameKey(name))) throw new Failure("bad-name", `Cannot use "${name}" as a name: it is an address`);
    const { index, joined } = this.parts;
    await index.checkName(name, identity.id);
    await this.#replaceOwnSilentSession(name, identity.id);
    const { host } = this.#connection.remote;
    const certificate = identity.certificate.toHex();
    const peer = { name, id: identity.id, certificate, plain, host, port: undefined };
    await index.join(peer);
    this.#peer = peer;
    this.#identity = undefined;
    joined.set(peerNameKey(name), this);
    const leaving = new AbortController();
    const done = this.#reach(peer, { port, files, identity }, leaving.signal);
    this.#reaching = { done, leaving };
    return { name, host };
  }

  /** Answers UPDATE. */
  async update(change: ListChange): Promise<ReplyOf<typeof Update>> {
    const peer = this.#joinedPeer();
    if (peer.port === undefined) {
      throw new Failure("unreachable", "Cannot list files: the index has not reached you", {
        hint: "open the peer's port in its machine's firewall and join again",
      });
    }
    const files = await this.parts.index.update(peer.name, change);
    this.#unwritten = {
      added: this.#unwritten.added + change.add.length,
      removed: this.#unwritten.removed + change.remove.length,
      files,
    };
    this.#writeTimer ??= setTimeout(() => this.#writeListed(), LISTED_PAUSE_MS);
    return { files };
  }

  /** Answers PARTIAL. */
  async partial({ here, ...file }: DataOf<typeof Partial>): Promise<ReplyOf<typeof Partial>> {
    const peer = this.#joinedPeer();
    if (peer.port !== undefined) await this.parts.index.partial(peer.name, file, here);
    return {};
  }

  /** Answers LEAVE. */
  async leave(): Promise<void> {
    this.#joinedPeer();
    await this.#leave("said goodbye");
  }

  #joinedPeer(): IndexedPeer {
    if (this.#peer === undefined) throw new Failure("not-joined", "Cannot do that: this connection has not joined");
    return this.#peer;
  }

  /**
   * Removes the session from the joined ones.
   *
   * @returns Its peer, if it had joined.
   */
  #forget(): IndexedPeer | undefined {
    const peer = this.#peer;
    if (peer === undefined) return undefined;
    this.#writeListed();
    this.#peer = undefined;
    this.#reaching?.leaving.abort("the peer has left");
    this.parts.joined.delete(peerNameKey(peer.name));
    return peer;
  }

  async #leave(why: string): Promise<void> {
    const peer = this.#forget();
    if (peer === undefined) return;
    this.parts.journal({ event: "left", peer: peer.name, why });
    await this.parts.index.leave(peer.name);
  }

  /**
   * Gives a peer that crashed or slept its name back. If a session with the same key holds the
   * name, and shows no sign of life, that session ends. A session with another key keeps the name,
   * and so does a live one.
   */
  async #replaceOwnSilentSession(name: string, id: string): Promise<void> {
    const holder = this.parts.joined.get(peerNameKey(name));
    if (holder === undefined || holder.#peer?.id !== id || await holder.isAlive()) return;
    holder.#connection.close(new Failure("timeout", "its own peer came back"));
    await holder.#ended.promise;
  }

  /**
   * Dials a joined peer back, and reports the result to the index, to the journal and to the peer.
   * One of both machines may just have been busy, so it tries once more after a while.
   */
  async #reach(
    peer: IndexedPeer,
    { files, ...announced }: Announced & { readonly files: number },
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, journal } = this.parts;
    const from = { host: peer.host, port: announced.port };
    const reachable = await this.#tryToReach(peer, announced, signal);
    journal({ event: "joined", peer: peer.name, from, files, reachable });
    if (!signal.aborted) await this.#connection.send(encodeNews(Reached, { reachable })).catch(() => {});
    if (reachable || signal.aborted) return;
    await clock.delay(DIAL_BACK_AGAIN_MS, signal).catch(() => {});
    if (signal.aborted || !await this.#tryToReach(peer, announced, signal)) return;
    journal({ event: "reached", peer: peer.name, from });
    await this.#connection.send(encodeNews(Reached, { reachable: true })).catch(() => {});
  }

  /** Dials a joined peer back when there is a place for that. @returns Whether it answered. */
  async #tryToReach(peer: IndexedPeer, { port, identity }: Announced, signal: AbortSignal): Promise<boolean> {
    const { dialBacks, index } = this.parts;
    const { name, host, plain } = peer;
    const answers = await dialBacks.run(
      { host, key: identity.id },
      (ended) => this.#dialBack(name, port, plain ? undefined : identity, ended),
      signal,
    );
    if (answers && this.#peer === peer) {
      await index.reached(name, port).catch(() => {});
      if (this.#peer === peer) this.#peer = { ...peer, port };
    }
    return answers && !signal.aborted;
  }

  /** Whether the peer of this name answers at a port of the observed host. */
  async #dialBack(
    name: string,
    port: number,
    identity: PublicIdentity | undefined,
    signal: AbortSignal,
  ): Promise<boolean> {
    try {
      const waitMs = DIAL_BACK_WAIT_MS;
      const { host } = this.#connection.remote;
      using connection = await this.parts.dial({ host, port }, { waitMs, signal, identity });
      using _ended = connection.closeOn(signal);
      return await greet(connection, { waitMs }) === name;
    } catch {
      return false;
    }
  }

  #writeListed(): void {
    clearTimeout(this.#writeTimer);
    if (this.#writeTimer === undefined) return;
    this.#writeTimer = undefined;
    this.parts.journal({ event: "listed", peer: this.label, ...this.#unwritten });
    this.#unwritten = { added: 0, removed: 0, files: 0 };
  }
}
