/**
 * Delivers messages to one peer: one after the other over a connection that is kept, and each again
 * until it is acknowledged. Made by outbox.ts, one for each receiver. talk_rules.ts decides what to
 * do after a failure. lib/README.md, "Delivery of messages", draws the states.
 * @module
 */

import { backoffMs } from "../../core/flow/backoff.ts";
import { Bell } from "../../core/flow/bell.ts";
import type { Clock } from "../../core/flow/clock.ts";
import { failedWith, Failure, type FailureCode } from "../../core/failure.ts";
import { TELL_AGAIN_FIRST_MS, TELL_AGAIN_LAST_MS, TELL_IDLE_MS, TELL_WAIT_MS } from "../../core/limits.ts";
import { onAbort } from "../../core/flow/on_abort.ts";
import type { Slots } from "../../core/flow/slots.ts";
import type { Random } from "../../core/random.ts";
import { ask } from "../../net/caller.ts";
import type { PeerRow } from "../../protocol/shapes.ts";
import { Tell } from "../../protocol/talk.ts";
import type { State } from "../../store/state/state.ts";
import type { KeptMessage } from "../../store/state/talk_store.ts";
import type { Contacts, ReachedPeer } from "../find/contacts.ts";
import { afterFailure, hasLostCount, nextNumber } from "./talk_rules.ts";

/** The outcome of one message. */
export type Outcome =
  | { readonly kind: "delivered"; readonly id: string }
  /** The message is kept and waits; or it was given up, since the receiver refuses it. */
  | { readonly kind: "waiting" | "dropped"; readonly failure: Failure };

/** What a delivery reports when nobody waits for the outcome of a message. */
export type DeliveryEvent =
  /** This many messages that had to wait have reached the peer. */
  | { readonly event: "delivered"; readonly peer: string; readonly id: string; readonly count: number }
  /**
   * Messages do not reach the peer until a person does something; or (not `kept`) one message was
   * given up.
   */
  | {
    readonly event: "undelivered";
    readonly peer: string;
    readonly why: string;
    readonly hint: string;
    readonly kept: boolean;
  };

/** What a delivery needs. */
export interface DeliveryParts {
  readonly state: State;
  readonly clock: Clock;
  readonly random: Random;
  readonly contacts: Pick<Contacts, "reach" | "reachRow">;
  /** One slot is taken for each message that is being sent, by all deliveries of this peer. */
  readonly slots: Slots;
  /** Aborted when the peer closes. */
  readonly signal: AbortSignal;
  readonly onEvent: (event: DeliveryEvent) => void;
}

/** What a delivery does now. */
type DeliveryState =
  /** It sends the messages that wait, one after the other. */
  | { readonly kind: "sending" }
  /** No message waits. The connection is kept for some time. */
  | { readonly kind: "idle" }
  /** The messages could not be read from the disk. It tries again after some time. */
  | { readonly kind: "unreadable" }
  /** The peer could not be reached. It tries again after some time. */
  | { readonly kind: "away"; readonly why: Failure };

const SENDING: DeliveryState = { kind: "sending" };
const AGAIN = { firstMs: TELL_AGAIN_FIRST_MS, lastMs: TELL_AGAIN_LAST_MS };

/** The messages for one peer. */
export class Delivery {
  readonly #parts: DeliveryParts;
  /** The receiver's name, as the receiver writes it. */
  #peer: string;
  #state: DeliveryState = SENDING;
  /** Rung when the state changes to "sending" while the delivery rests. */
  readonly #bell: Bell;
  #connected: ReachedPeer | undefined;
  /**
   * The receiver's row at the index, when it was looked up for the latest message; used for one
   * attempt to connect.
   */
  #listed: PeerRow | undefined;
  /** Those that wait for the outcome of a message, by its row. */
  readonly #waiters = new Map<number, (outcome: Outcome) => void>();
  /** The code of the failure that was reported last, so that it is reported once. */
  #reportedCode: FailureCode | undefined;
  /** How many messages were delivered after their senders had been informed that they wait. */
  #lateCount = 0;

  constructor(peer: string, parts: DeliveryParts) {
    this.#parts = parts;
    this.#peer = peer;
    this.#bell = new Bell(parts.clock);
  }

  /** The peer that the connection leads to; undefined when there is no connection. */
  get connectedTo(): { peer: string; id: string } | undefined {
    if (this.#connected === undefined || this.#connected.connection.ended !== undefined) return undefined;
    return { peer: this.#peer, id: this.#connected.peer.id };
  }

  /**
   * Waits for the outcome of a message that has been stored. While the peer is away, the outcome is
   * that the message waits.
   *
   * @param options.isHere Whether the peer is known to have joined, also when it was away a moment
   * ago.
   * @param options.listed The receiver's row, when the index was asked for it just now.
   */
  async outcome(
    row: number,
    { isHere, listed }: { readonly isHere: boolean; readonly listed?: PeerRow | undefined },
  ): Promise<Outcome> {
    if (this.#state.kind === "away" && !isHere) return { kind: "waiting", failure: this.#state.why };
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    this.#waiters.set(row, resolve);
    this.#listed = listed;
    if (this.#state.kind !== "sending") {
      this.#state = SENDING;
      this.#bell.ring();
    }
    return await promise;
  }

  /**
   * Delivers messages until none has been waiting for some time.
   *
   * @param onEnd Called at the end, in the same moment in which no message is left.
   */
  async run(onEnd: () => void): Promise<void> {
    const { random, signal } = this.#parts;
    using _stopping = onAbort(signal, () => {
      this.#disconnect();
      this.#bell.ring();
    });
    try {
      for (let failures = 0; !signal.aborted;) {
        this.#state = SENDING;
        const message = this.#next();
        if (message === undefined) {
          this.#reportLate();
          await this.#rest({ kind: "idle" }, TELL_IDLE_MS);
          // No message has ended the rest.
          if (this.#state.kind === "idle") return;
          continue;
        }
        const failure = message instanceof Failure ? message : await this.#deliver(message);
        if (failure === undefined) {
          failures = 0;
          continue;
        }
        if (signal.aborted) return;
        if (failure !== message) this.#reportLate();
        this.#settleAll({ kind: "waiting", failure });
        const state = failure === message ? { kind: "unreadable" as const } : { kind: "away" as const, why: failure };
        await this.#rest(state, backoffMs(failures++, AGAIN, random));
      }
    } finally {
      this.#disconnect();
      this.#settleAll({
        kind: "waiting",
        failure: new Failure("closed", `Cannot send to ${this.#peer} now: this peer is closing`),
      });
      onEnd();
    }
  }

  /** Rests in a state until the time is over, or {@linkcode outcome} changes the state. */
  async #rest(state: DeliveryState, ms: number): Promise<void> {
    this.#state = state;
    await this.#bell.wait(ms);
  }

  /** Reads the next message that waits; or the failure of the disk. */
  #next(): KeptMessage | Failure | undefined {
    try {
      return this.#parts.state.talk.nextWaiting(this.#peer);
    } catch (thrown) {
      return Failure.from(thrown, "no-access", "Cannot read the messages");
    }
  }

  /**
   * Sends one message until it is acknowledged or given up.
   *
   * @returns The reason why the message waits, if it does.
   */
  async #deliver(message: KeptMessage): Promise<Failure | undefined> {
    const { signal, slots, state } = this.#parts;
    for (let resends = 0;; resends++) {
      try {
        using _slot = await slots.take(signal);
        const { connection, peer: { id } } = await this.#connect();
        const { row, number, text } = message;
        const { data } = await ask(connection, Tell, { number, text }, { waitMs: TELL_WAIT_MS });
        if (hasLostCount(number, data.last)) {
          state.talk.renumber(this.#peer, nextNumber(data.last, Date.now()));
          return undefined;
        }
        state.talk.setDelivered(row, id);
        this.#reportedCode = undefined;
        this.#settle(row, { kind: "delivered", id });
        return undefined;
      } catch (thrown) {
        const failure = Failure.from(thrown, "closed", `Cannot send a message to ${this.#peer}`);
        this.#disconnect();
        if (signal.aborted) return failure;
        const step = afterFailure(failure, resends);
        if (step === "resend") continue;
        if (step === "hold") this.#reportHeld(failure);
        if (step !== "drop") return failure;
        this.#drop(message, failure);
        return undefined;
      }
    }
  }

  async #connect(): Promise<ReachedPeer> {
    if (this.#connected !== undefined && this.#connected.connection.ended === undefined) return this.#connected;
    const { contacts, signal } = this.#parts;
    const listed = this.#listed;
    // A row says where the peer was a moment ago. The next attempt asks the index again.
    this.#listed = undefined;
    try {
      const reached =
        await (listed === undefined ? contacts.reach(this.#peer, signal) : contacts.reachRow(listed, signal));
      this.#peer = reached.peer.name;
      return this.#connected = reached;
    } catch (thrown) {
      if (failedWith(thrown, "not-found")) throw new Failure("unreachable", `${this.#peer} is away`);
      throw thrown;
    }
  }

  #disconnect(): void {
    this.#connected?.connection.close();
    this.#connected = undefined;
  }

  #settle(row: number, outcome: Outcome): void {
    const resolve = this.#waiters.get(row);
    this.#waiters.delete(row);
    if (resolve !== undefined) resolve(outcome);
    else if (outcome.kind === "delivered") this.#lateCount += 1;
  }

  #settleAll(outcome: Outcome): void {
    for (const row of [...this.#waiters.keys()]) this.#settle(row, outcome);
  }

  #reportLate(): void {
    if (this.#lateCount === 0) return;
    this.#parts.onEvent({ event: "delivered", peer: this.#peer, id: this.#latestId(), count: this.#lateCount });
    this.#lateCount = 0;
  }

  /** The id in the latest message; empty when the disk cannot be read. */
  #latestId(): string {
    try {
      return this.#parts.state.talk.latest(this.#peer)?.id ?? "";
    } catch (thrown) {
      if (!(thrown instanceof Failure)) throw thrown;
      return "";
    }
  }

  #reportHeld({ code, message, hint }: Failure): void {
    if (this.#reportedCode === code) return;
    this.#reportedCode = code;
    // Those that wait for an outcome get the failure as the outcome.
    if (this.#waiters.size > 0) return;
    this.#parts.onEvent({ event: "undelivered", peer: this.#peer, why: message, hint, kept: true });
  }

  #drop({ row }: KeptMessage, failure: Failure): void {
    this.#parts.state.talk.setRefused(row);
    const { message, hint } = failure;
    if (this.#waiters.has(row)) this.#settle(row, { kind: "dropped", failure });
    else this.#parts.onEvent({ event: "undelivered", peer: this.#peer, why: message, hint, kept: false });
  }
}
