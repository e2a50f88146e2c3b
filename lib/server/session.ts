/**
 * One peer's session with the index: from its connection to its end. Presence is the connection.
 *
 * The session believes the address it observes, never one that is claimed; it lists a peer's files only after it reached the announced
 * port there once, which it tries as soon as JOIN is answered. Peers on the index's own machine come over loopback, which is of no use to others: they are given the address at
 * which the asking peer itself reached the index.
 * @module
 */

import { formatAddress, isAddress, isLoopback } from "../core/address.ts";
import { type Clock, settlesWithin } from "../core/flow/clock.ts";
import { Failure } from "../core/failure.ts";
import { DIAL_BACK_WAIT_MS, LISTED_PAUSE_MS, PAGE_ROWS_MAX, PROBE_WAIT_MS } from "../core/limits.ts";
import { Pace } from "../core/flow/pace.ts";
import { checkPeerName, peerNameKey } from "../core/peer_name.ts";
import type { FoundCopy, IndexedPeer, ListChange, SearchIndex } from "../index/search_index.ts";
import { greet } from "../net/caller.ts";
import type { Connection } from "../net/connection.ts";
import type { Dial } from "../net/dial.ts";
import type { PublicIdentity } from "../net/identity.ts";
import { fitting } from "../protocol/batch.ts";
import { encodeNews } from "../protocol/envelope.ts";
import type { DataOf, ReplyOf } from "../protocol/message.ts";
import { type Join, type Partial, type Peers, Probe, Reached, type Update } from "../protocol/presence.ts";
import type { DownloadRequest, Find, FolderFiles, Search } from "../protocol/search.ts";
import type { Hit, PeerRef } from "../protocol/shapes.ts";
import type { DialBacks } from "./dial_backs.ts";
import type { Journal } from "./journal.ts";
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

/** One connection's session. */
export class Session {
  readonly #parts: SessionParts;
  readonly #connection: Connection;
  readonly #ended = Promise.withResolvers<void>();
  readonly #questions: Pace;
  #heardMs: number;
  /** When the turn of the request under way came. */
  #startedMs = 0;
  /** The sign of life that somebody waits for. */
  #sign: PromiseWithResolvers<void> | undefined;
  #peer: IndexedPeer | undefined;
  /** The dial-back of this peer, and what ends it when the peer leaves. */
  #reaching: { readonly done: Promise<void>; readonly leaving: AbortController } | undefined;
  /** Who has proven to call, until it joins: proofs are bounded, and so joins are, too. */
  #identity: PublicIdentity | undefined;
  #unwritten = { added: 0, removed: 0, files: 0 };
  #writeTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(parts: SessionParts, connection: Connection) {
    this.#parts = parts;
    this.#connection = connection;
    this.#heardMs = parts.clock.now();
    this.#questions = new Pace(parts.rates.questions, parts.clock);
  }

  /** What the journal calls this session: the peer's name, or before it has one its address. */
  get label(): string {
    return this.#peer?.name ?? formatAddress(this.#connection.remote);
  }

  /** Notes that something arrived. */
  heard(): void {
    this.#heardMs = this.#parts.clock.now();
    this.#sign?.resolve();
    this.#sign = undefined;
  }

  /** How long the request under way took, from its turn on. */
  get tookMs(): number {
    return this.#parts.clock.now() - Math.max(this.#startedMs, this.#heardMs);
  }

  /** Whether the other side shows a sign of life when it is asked for one. */
  async isAlive(): Promise<boolean> {
    const askedMs = this.#parts.clock.now();
    const sign = this.#sign ??= Promise.withResolvers();
    this.#connection.send(encodeNews(Probe, {})).catch(() => {});
    await settlesWithin(PROBE_WAIT_MS, Promise.race([sign.promise, this.#ended.promise]));
    return this.#heardMs > askedMs;
  }

  /** Ends the session of a peer that has joined elsewhere, where its name is kept. */
  lost(): void {
    const peer = this.#forget();
    if (peer !== undefined) this.#parts.journal({ event: "left", peer: peer.name, why: "joined at another server" });
    this.#connection.close(new Failure("closed", "its peer joined at another server"));
  }

  /** Waits until this connection may ask again: who asks without pause does not keep others waiting. */
  async question(): Promise<void> {
    await this.#questions.take(1);
    this.#startedMs = this.#parts.clock.now();
  }

  /** Asks the index, which keeps all others waiting meanwhile: so long this connection waits before it asks again. */
  async #ask<T>(ask: (index: SearchIndex) => Promise<T>): Promise<T> {
    const { clock, index } = this.#parts;
    const startMs = clock.now();
    const answer = await ask(index);
    this.#questions.charge(clock.now() - startMs);
    return answer;
  }

  /** Notes who has proven to call. */
  proven(identity: PublicIdentity): void {
    this.#identity ??= identity;
  }

  /** Ends the session: frees the name at once, forgets the files. */
  async end(why: string): Promise<void> {
    this.#connection.close();
    await this.#leave(why);
    await this.#reaching?.done;
    this.#ended.resolve();
  }

  async join(data: DataOf<typeof Join>): Promise<ReplyOf<typeof Join>> {
    if (this.#peer !== undefined) {
      throw new Failure("refused", `Cannot join: this connection is ${this.#peer.name} already`);
    }
    const identity = this.#identity;
    if (identity === undefined) throw new Failure("unproven", "Cannot join: prove who you are first");
    const name = checkPeerName(data.name);
    if (isAddress(peerNameKey(name))) throw new Failure("bad-name", `Cannot use "${name}" as a name: it is an address`);
    await this.#parts.index.checkName(name, identity.id);
    await this.#replaceOwnSilentSession(name, identity.id);
    const { host } = this.#connection.remote;
    const { plain, port, files } = data;
    const certificate = identity.certificate.toHex();
    const peer = { name, id: identity.id, certificate, plain, host, port: undefined };
    await this.#parts.index.join(peer);
    this.#peer = peer;
    this.#identity = undefined;
    this.#parts.joined.set(peerNameKey(name), this);
    const leaving = new AbortController();
    const done = this.#reach(peer, { port, files, identity }, leaving.signal);
    this.#reaching = { done, leaving };
    return { name, host };
  }

  async update(change: ListChange): Promise<ReplyOf<typeof Update>> {
    const peer = this.#joinedPeer();
    if (peer.port === undefined) {
      throw new Failure("unreachable", "Cannot list files: the index has not reached you", {
        hint: "open the peer's port in this machine's firewall and join again",
      });
    }
    const files = await this.#parts.index.update(peer.name, change);
    this.#unwritten = {
      added: this.#unwritten.added + change.add.length,
      removed: this.#unwritten.removed + change.remove.length,
      files,
    };
    this.#writeTimer ??= setTimeout(() => this.#writeListed(), LISTED_PAUSE_MS);
    return { files };
  }

  async search(query: DataOf<typeof Search>): Promise<ReplyOf<typeof Search>> {
    const found = await this.#ask((index) => index.search(query));
    const hits = found.hits.map((hit) => ({ ...hit, peers: hit.peers.map((peer) => this.#refOf(peer)) }));
    this.#parts.journal({ event: "searched", peer: this.label, query: query.query, hits: hits.length });
    const sent = fitting(hits);
    const old = this.#parts.index.isCurrent ? {} : { old: true };
    return { hits: sent, more: found.more || sent.length < hits.length, ...old };
  }

  async find(data: DataOf<typeof Find>): Promise<ReplyOf<typeof Find>> {
    const found = await this.#ask((index) => index.find(data, data));
    const holders = found.copies.map((copy) => ({
      peer: this.#refOf(copy.peer),
      name: copy.name,
      size: copy.size,
      partial: copy.partial,
    }));
    const sent = fitting(holders);
    return { holders: sent, more: found.more || sent.length < holders.length };
  }

  async folder({ prefix, after, limit }: DataOf<typeof FolderFiles>): Promise<ReplyOf<typeof FolderFiles>> {
    const found = await this.#ask((index) => index.folder(prefix, after, limit));
    const hits = found.hits.slice(0, PAGE_ROWS_MAX).map((hit) => {
      return { ...hit, peers: hit.peers.map((peer) => this.#refOf(peer)) };
    });
    const sent = wholeNames(fitting(hits), found.hits.length);
    return { hits: sent, more: found.more || sent.length < found.hits.length };
  }

  async partial({ here, ...file }: DataOf<typeof Partial>): Promise<ReplyOf<typeof Partial>> {
    const peer = this.#joinedPeer();
    if (peer.port !== undefined) await this.#parts.index.partial(peer.name, file, here);
    return {};
  }

  async peers({ name, ...page }: DataOf<typeof Peers>): Promise<ReplyOf<typeof Peers>> {
    const { index } = this.#parts;
    const found = name === undefined
      ? await index.peers(page)
      : { peers: [await index.peer(name)].filter((peer) => peer !== undefined), more: false };
    const peers = found.peers.map(({ port, ...peer }) => {
      return { ...peer, host: this.#hostFor(peer.host), ...(port === undefined ? {} : { port }) };
    });
    const sent = fitting(peers);
    return { peers: sent, more: found.more || sent.length < peers.length };
  }

  async downloadRequest(data: DataOf<typeof DownloadRequest>): Promise<ReplyOf<typeof DownloadRequest>> {
    const copy = await this.#parts.index.copy(data.peer, data.name);
    this.#parts.journal({
      event: "asked",
      peer: this.label,
      owner: data.peer,
      file: data.name,
      found: copy !== undefined,
    });
    if (copy === undefined) throw new Failure("not-found", `"${data.peer}" does not list "${data.name}"`);
    return { peer: this.#refOf(copy.peer), size: copy.size, ...(copy.root === undefined ? {} : { root: copy.root }) };
  }

  async leave(): Promise<void> {
    this.#joinedPeer();
    await this.#leave("said goodbye");
  }

  #joinedPeer(): IndexedPeer {
    if (this.#peer === undefined) throw new Failure("not-joined", "Cannot do that: this connection has not joined");
    return this.#peer;
  }

  /** Takes the peer off the list of sessions. Shape: who it was, if it had joined. */
  #forget(): IndexedPeer | undefined {
    const peer = this.#peer;
    if (peer === undefined) return undefined;
    this.#writeListed();
    this.#peer = undefined;
    this.#reaching?.leaving.abort("the peer has left");
    this.#parts.joined.delete(peerNameKey(peer.name));
    return peer;
  }

  async #leave(why: string): Promise<void> {
    const peer = this.#forget();
    if (peer === undefined) return;
    this.#parts.journal({ event: "left", peer: peer.name, why });
    await this.#parts.index.leave(peer.name);
  }

  /**
   * Lets a peer that crashed or slept have its name back: the session that holds it is asked for a sign of life, if the same key opened
   * it. A session of somebody else, and one that lives, keeps the name.
   */
  async #replaceOwnSilentSession(name: string, id: string): Promise<void> {
    const holder = this.#parts.joined.get(peerNameKey(name));
    if (holder === undefined || holder.#peer?.id !== id || await holder.isAlive()) return;
    holder.#connection.close(new Failure("timeout", "its own peer came back"));
    await holder.#ended.promise;
  }

  /** Dials a peer back that has joined, and says what came of it: to the index, to the journal and to the peer. */
  async #reach(
    peer: IndexedPeer,
    { port, files, identity }: { readonly port: number; readonly files: number; readonly identity: PublicIdentity },
    signal: AbortSignal,
  ): Promise<void> {
    const { dialBacks, index, journal } = this.#parts;
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
    const reachable = answers && !signal.aborted;
    journal({ event: "joined", peer: name, from: { host, port }, files, reachable });
    if (!signal.aborted) await this.#connection.send(encodeNews(Reached, { reachable })).catch(() => {});
  }

  async #dialBack(
    name: string,
    port: number,
    identity: PublicIdentity | undefined,
    signal: AbortSignal,
  ): Promise<boolean> {
    try {
      const waitMs = DIAL_BACK_WAIT_MS;
      const { host } = this.#connection.remote;
      const encrypted = identity === undefined ? {} : { identity };
      using connection = await this.#parts.dial({ host, port }, { waitMs, signal, ...encrypted });
      using _ended = connection.closeOn(signal);
      return await greet(connection, { waitMs }) === name;
    } catch {
      return false;
    }
  }

  /** A peer with the address at which the peer of this session reaches it. */
  #refOf(peer: FoundCopy["peer"]): PeerRef {
    if (peer.port === undefined) throw new TypeError(`Cannot give out ${peer.name}: it was never reached`);
    const { name, id, port, plain, dialect } = peer;
    const host = this.#hostFor(peer.host);
    return { name, id, host, port, plain, ...(dialect === undefined ? {} : { dialect }) };
  }

  #hostFor(host: string): string {
    return hostFor(this.#connection, host);
  }

  #writeListed(): void {
    clearTimeout(this.#writeTimer);
    if (this.#writeTimer === undefined) return;
    this.#writeTimer = undefined;
    this.#parts.journal({ event: "listed", peer: this.label, ...this.#unwritten });
    this.#unwritten = { added: 0, removed: 0, files: 0 };
  }
}

/** At which host whoever is at the other end of a connection reaches a peer that the index observed at `host`. */
export function hostFor({ local, remote }: Pick<Connection, "local" | "remote">, host: string): string {
  return isLoopback(host) && !isLoopback(remote.host) ? local.host : host;
}

/** The hits of a folder that are sent of `count`: all of a name or none, since the next page begins after the last name of this one. */
function wholeNames(hits: readonly Hit[], count: number): readonly Hit[] {
  const last = hits.at(-1)?.name;
  const first = hits.findIndex(({ name }) => name === last);
  return hits.length === count || first === 0 ? hits : hits.slice(0, first);
}
