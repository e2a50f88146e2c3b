/**
 * Sends messages to other peers, in order. A message is kept until it is acknowledged, also over
 * restarts. Called by the shell.
 * @module
 */

import { failedWith, Failure } from "../../core/failure.ts";
import { OUTBOX_MAX, OUTBOX_PER_PEER_MAX, TELL_BYTES_MAX, TELLING_MAX } from "../../core/limits.ts";
import { checkPeerName, peerNameKey } from "../../core/peer_name.ts";
import { formatSize } from "../../core/quantity.ts";
import { printable } from "../../core/printable.ts";
import { Slots } from "../../core/flow/slots.ts";
import { utf8Bytes } from "../../core/utf8.ts";
import type { PeerRow } from "../../protocol/shapes.ts";
import { toldText } from "../../protocol/talk.ts";
import type { KeptMessage } from "../../store/state/talk_store.ts";
import type { IndexQueries } from "../find/index_queries.ts";
import { Delivery, type DeliveryEvent, type DeliveryParts } from "./delivery.ts";
import { nextNumber } from "./talk_rules.ts";

export type { KeptMessage };

/** What an outbox reports, besides the results of {@linkcode Outbox.tell}. */
export type OutboxEvent = DeliveryEvent;

/** What an outbox needs. */
export interface OutboxParts extends Omit<DeliveryParts, "slots" | "signal"> {
  /** This peer's own name. */
  readonly self: () => string;
  readonly queries: Pick<IndexQueries, "lookUp">;
}

/** The result of telling a peer something. */
export interface Told {
  readonly peer: string;
  readonly id: string;
  /** Why the message waits; undefined when it has been delivered. */
  readonly waitsFor?: Failure | undefined;
}

/** A peer that a message is meant for. */
interface Receiver {
  readonly peer: string;
  readonly id: string;
  /** Whether the peer has joined. */
  readonly isHere: boolean;
  /** The peer's row, if the index was asked for it. */
  readonly listed?: PeerRow | undefined;
}

/** The sending side of messages. */
export class Outbox implements AsyncDisposable {
  readonly #parts: OutboxParts;
  readonly #slots = new Slots(TELLING_MAX);
  readonly #closing = new AbortController();
  /** The deliveries that are running, by the receiver's name. */
  readonly #deliveries = new Map<string, Delivery>();
  readonly #running = new Set<Promise<void>>();

  constructor(parts: OutboxParts) {
    this.#parts = parts;
  }

  /** Continues with the messages that an earlier run has not delivered. */
  start(): void {
    try {
      for (const { peer } of this.#parts.state.talk.waiting()) this.#deliveryTo(peer);
    } catch (thrown) {
      // The disk cannot be read now. The messages wait for the next start, or for the next message
      // to the same peer.
      if (!(thrown instanceof Failure)) throw thrown;
    }
  }

  /**
   * Tells a peer something. Resolves when the message is acknowledged, or as soon as it is known
   * that the peer is away. Then the message is delivered later.
   *
   * @throws {Failure} "not-found" for a peer that has not joined and is not known from before,
   * "key-changed", "too-large", "busy" when too many messages wait already, "bad-name", "usage".
   */
  async tell(name: string, text: string): Promise<Told> {
    checkText(text);
    const { state, self } = this.#parts;
    const wanted = checkPeerName(name);
    if (peerNameKey(wanted) === peerNameKey(self())) {
      throw new Failure("usage", "Cannot send a message to yourself", { hint: "see who is here with: peers" });
    }
    const { peer, id, isHere, listed } = await this.#find(wanted);
    this.#checkRoom(peer);
    const number = nextNumber(state.talk.lastNumber(peer), Date.now());
    const row = state.talk.putWaiting({ peer, id, number, at: Date.now(), text });
    const outcome = await this.#deliveryTo(peer).outcome(row, { isHere, listed });
    if (outcome.kind === "delivered") return { peer, id: outcome.id };
    const { kind, failure } = outcome;
    if (kind === "dropped") throw failure;
    if (failedWith(failure, "key-changed")) {
      throw failure.with({ hint: `${failure.hint}; the message is kept until then` });
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

  /** Stops all deliveries. Messages that wait are kept. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Failure("closed", "The peer is closing"));
    await Promise.all(this.#running);
  }

  /** Finds the receiver of a message: a peer that has joined, or one that is known from before. */
  async #find(wanted: string): Promise<Receiver> {
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
    // From now on the name belongs to this key. The message may wait, and another key that takes
    // the name meanwhile must not get it. An answer goes to the key that wrote.
    if (id !== undefined) state.people.rememberPeer(key, id);
    if (row !== undefined) return { peer: row.name, id: row.id, isHere: true, listed: row };
    if (id !== undefined) return { peer: latest?.peer ?? wanted, id, isHere: false };
    throw new Failure("not-found", `There is no peer "${printable(wanted)}" here, and no peer of that name is known`, {
      hint: "see who is here with: peers",
    });
  }

  #checkRoom(peer: string): void {
    const waiting = this.#parts.state.talk.waiting();
    const key = peerNameKey(peer);
    const forPeer = waiting.find((each) => peerNameKey(each.peer) === key)?.count ?? 0;
    const forAll = waiting.reduce((sum, { count }) => sum + count, 0);
    if (forPeer < OUTBOX_PER_PEER_MAX && forAll < OUTBOX_MAX) return;
    throw new Failure("busy", `Cannot store another message for ${peer}: too many wait already`, {
      hint: "try again when those have been delivered",
    });
  }

  #deliveryTo(peer: string): Delivery {
    const key = peerNameKey(peer);
    const running = this.#deliveries.get(key);
    if (running !== undefined) return running;
    const { state, clock, random, contacts, onEvent } = this.#parts;
    const [slots, { signal }] = [this.#slots, this.#closing];
    const delivery = new Delivery(peer, { state, clock, random, contacts, slots, signal, onEvent });
    this.#deliveries.set(key, delivery);
    const run = delivery.run(() => this.#deliveries.delete(key)).finally(() => this.#running.delete(run));
    this.#running.add(run);
    return delivery;
  }
}

/** @throws {Failure} "too-large"; "usage" when it is empty or no text. */
function checkText(text: string): void {
  const bytes = utf8Bytes(text);
  if (bytes > TELL_BYTES_MAX) {
    throw new Failure(
      "too-large",
      `The message is too long: ${formatSize(bytes)}, and the most is ${TELL_BYTES_MAX} bytes`,
      { hint: "share it as a file" },
    );
  }
  try {
    toldText.check(text, "text");
  } catch (cause) {
    throw new Failure("usage", "Cannot send the message: it is empty or no text", { cause });
  }
}
