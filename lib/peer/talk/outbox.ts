/**
 * Sends messages to other peers, in order. A message is kept until it is acknowledged, also over
 * restarts. Called by the shell.
 * @module
 */

import type { Clock } from "../../core/flow/clock.ts";
import { failedWith, Failure } from "../../core/failure.ts";
import { OUTBOX_MAX, OUTBOX_PER_PEER_MAX, TELL_BYTES_MAX, TELLING_MAX } from "../../core/limits.ts";
import { checkPeerName, peerNameKey } from "../../core/peer_name.ts";
import { formatSize } from "../../core/quantity.ts";
import { printable } from "../../core/printable.ts";
import type { Random } from "../../core/random.ts";
import { Slots } from "../../core/flow/slots.ts";
import { utf8Bytes } from "../../protocol/field.ts";
import type { PeerRow } from "../../protocol/shapes.ts";
import { toldText } from "../../protocol/talk.ts";
import type { State } from "../../store/state/state.ts";
import type { KeptMessage } from "../../store/state/talk_store.ts";
import type { Contacts } from "../find/contacts.ts";
import type { IndexQueries } from "../find/index_queries.ts";
import { Delivery } from "./delivery.ts";
import { nextNumber } from "./talk_rules.ts";

export type { KeptMessage };

/** What the outbox tells, beside the answers to who tells something. */
export type OutboxEvent =
  /** So many messages that had to wait have reached the peer. */
  | { readonly event: "delivered"; readonly peer: string; readonly id: string; readonly count: number }
  /**
   * Messages do not reach the peer, and that will not change by itself; or (not `kept`) one was
   * given up.
   */
  | {
    readonly event: "undelivered";
    readonly peer: string;
    readonly why: string;
    readonly hint: string;
    readonly kept: boolean;
  };

/** What the outbox needs. */
export interface OutboxParts {
  readonly state: State;
  readonly clock: Clock;
  readonly random: Random;
  /** This peer's own name. */
  readonly self: () => string;
  readonly queries: Pick<IndexQueries, "lookUp">;
  readonly contacts: Pick<Contacts, "reach" | "reachRow">;
  readonly onEvent: (event: OutboxEvent) => void;
}

/** What became of a message that was told: it is there, or it waits, and why. */
export interface Told {
  readonly peer: string;
  readonly id: string;
  readonly waitsFor?: Failure;
}

/** The sending side of messages. */
export class Outbox implements AsyncDisposable {
  readonly #parts: OutboxParts;
  readonly #slots = new Slots(TELLING_MAX);
  readonly #closing = new AbortController();
  /** Who is being told something, or was a moment ago, by the key of the name. */
  readonly #deliveries = new Map<string, Delivery>();
  readonly #running = new Set<Promise<void>>();

  constructor(parts: OutboxParts) {
    this.#parts = parts;
  }

  /** Goes on with what an earlier run did not deliver. */
  start(): void {
    try {
      for (const { peer } of this.#parts.state.talk.waiting()) this.#deliveryTo(peer);
    } catch (thrown) {
      // A disk that cannot be read now keeps what waits for the next start, or for the next message
      // to the same peer.
      if (!(thrown instanceof Failure)) throw thrown;
    }
  }

  /**
   * Tells a peer something. Resolves when it is acknowledged, or as soon as it is known that the
   * peer is away: then it is delivered later. Fails: "not-found" for a peer that is neither here
   * nor known, "key-changed", "too-large", "busy" when too much waits already, "bad-name", "usage".
   */
  async tell(name: string, text: string): Promise<Told> {
    checkText(text);
    const { state, self } = this.#parts;
    const wanted = checkPeerName(name);
    if (peerNameKey(wanted) === peerNameKey(self())) {
      throw new Failure("usage", "Cannot tell yourself anything", { hint: "see who is here with: peers" });
    }
    const { peer, id, isHere, row: listed } = await this.#find(wanted);
    this.#checkRoom(peer);
    const number = nextNumber(state.talk.lastNumber(peer), Date.now());
    const row = state.talk.putWaiting({ peer, id, number, at: Date.now(), text });
    const outcome = await this.#deliveryTo(peer).outcome(row, { isHere, listed });
    if (outcome.kind === "delivered") return { peer, id: outcome.id };
    const { kind, failure } = outcome;
    if (kind === "dropped") throw failure;
    if (failedWith(failure, "key-changed")) {
      throw new Failure("key-changed", failure.message, { hint: `${failure.hint}; the message is kept until then` });
    }
    return { peer, id, waitsFor: failure };
  }

  /**
   * The last messages that were sent or received, oldest first; with `peer`, only those to and from
   * that peer.
   */
  history(options: { readonly peer?: string | undefined; readonly limit: number }): KeptMessage[] {
    return this.#parts.state.talk.history(options);
  }

  /** Stops telling. What waits is kept. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Failure("closed", "The peer is closing"));
    await Promise.all(this.#running);
  }

  /**
   * The peer that a name means: one that has joined, with its row if the index was asked for it, or
   * one that is known from before.
   */
  async #find(wanted: string): Promise<{ peer: string; id: string; isHere: boolean; row?: PeerRow }> {
    const { state, queries } = this.#parts;
    const key = peerNameKey(wanted);
    const connected = this.#deliveries.get(key)?.connectedTo;
    if (connected !== undefined) return { ...connected, isHere: true };
    const row = await queries.lookUp(wanted).catch((thrown) => {
      if (failedWith(thrown, "index-unreachable")) return undefined;
      throw thrown;
    });
    const latest = state.talk.latest(wanted);
    const id = state.people.knownPeer(key) ?? latest?.id ?? row?.id;
    // The name is first used now, if it was not before: it has to be the same peer when the message
    // can go, and an answer goes to who wrote.
    if (id !== undefined) state.people.rememberPeer(key, id);
    if (row !== undefined) return { peer: row.name, id: row.id, isHere: true, row };
    if (id !== undefined) return { peer: latest?.peer ?? wanted, id, isHere: false };
    throw new Failure("not-found", `There is no peer "${printable(wanted)}" here, and none is known from before`, {
      hint: "see who is here with: peers",
    });
  }

  #checkRoom(peer: string): void {
    const waiting = this.#parts.state.talk.waiting();
    const key = peerNameKey(peer);
    const forPeer = waiting.find((each) => peerNameKey(each.peer) === key)?.count ?? 0;
    const forAll = waiting.reduce((sum, { count }) => sum + count, 0);
    if (forPeer < OUTBOX_PER_PEER_MAX && forAll < OUTBOX_MAX) return;
    throw new Failure("busy", `Cannot keep another message for ${peer}: too many wait already`, {
      hint: "tell it when those have been delivered",
    });
  }

  #deliveryTo(peer: string): Delivery {
    const key = peerNameKey(peer);
    const there = this.#deliveries.get(key);
    if (there !== undefined) return there;
    const delivery = new Delivery(peer, { ...this.#parts, slots: this.#slots, signal: this.#closing.signal });
    this.#deliveries.set(key, delivery);
    const running = delivery.run(() => this.#deliveries.delete(key)).finally(() => this.#running.delete(running));
    this.#running.add(running);
    return delivery;
  }
}

/** Fails: "too-large", "usage" for what is no text. */
function checkText(text: string): void {
  const bytes = utf8Bytes(text);
  if (bytes > TELL_BYTES_MAX) {
    throw new Failure(
      "too-large",
      `Cannot tell so much at once: ${formatSize(bytes)}, where ${TELL_BYTES_MAX} bytes are the most`,
      {
        hint: "share it as a file",
      },
    );
  }
  try {
    toldText.check(text, "text");
  } catch (cause) {
    throw new Failure("usage", "Cannot tell that: it is empty or no text", { cause });
  }
}
