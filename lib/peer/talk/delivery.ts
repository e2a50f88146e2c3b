/**
 * Brings one peer what it is to be told: one message after the other over a kept connection, again and again until it is acknowledged. Called by
 * outbox.ts, one for each receiver; what to do after a failure is decided in talk_rules.ts.
 * @module
 */

import { backoffMs } from "../../core/flow/backoff.ts";
import { failedWith, Failure, type FailureCode } from "../../core/failure.ts";
import { TELL_AGAIN_FIRST_MS, TELL_AGAIN_LAST_MS, TELL_IDLE_MS, TELL_WAIT_MS } from "../../core/limits.ts";
import type { Slots } from "../../core/flow/slots.ts";
import { ask } from "../../net/caller.ts";
import type { PeerRow } from "../../protocol/shapes.ts";
import { Tell } from "../../protocol/talk.ts";
import type { KeptMessage } from "../../store/state/talk_store.ts";
import type { ReachedPeer } from "../find/contacts.ts";
import type { OutboxParts } from "./outbox.ts";
import { afterFailure, hasLostCount, nextNumber } from "./talk_rules.ts";

/** What became of one message. */
export type Outcome =
  | { readonly kind: "delivered"; readonly id: string }
  /** It waits; or it was given up, since the receiver does not want it. */
  | { readonly kind: "waiting" | "dropped"; readonly failure: Failure };

/** What a delivery needs beside what its outbox does. */
export interface DeliveryParts extends OutboxParts {
  /** Who tries at the same time. */
  readonly slots: Slots;
  /** Ends it. */
  readonly signal: AbortSignal;
}

const AGAIN = { firstMs: TELL_AGAIN_FIRST_MS, lastMs: TELL_AGAIN_LAST_MS };

/** The messages for one peer. */
export class Delivery {
  readonly #parts: DeliveryParts;
  /** The receiver's name, as it writes it. */
  #peer: string;
  #connected: ReachedPeer | undefined;
  /** The receiver's row at the index, when it was looked up for the latest message; used for one attempt to connect. */
  #listed: PeerRow | undefined;
  /** Who waits for what becomes of a message, by its row. */
  readonly #asking = new Map<number, (outcome: Outcome) => void>();
  /** Why the peer counts as away, as long as it does. */
  #away: Failure | undefined;
  /** The failure that the person was told of last, so that it is told once. */
  #held: FailureCode | undefined;
  /** Messages delivered of which the person was told that they wait. */
  #late = 0;
  #wake: () => void = () => {};

  constructor(peer: string, parts: DeliveryParts) {
    this.#parts = parts;
    this.#peer = peer;
  }

  /** Whom it has a connection to. */
  get connectedTo(): { peer: string; id: string } | undefined {
    if (this.#connected === undefined || this.#connected.connection.ended !== undefined) return undefined;
    return { peer: this.#peer, id: this.#connected.peer.id };
  }

  /**
   * Resolves to what becomes of a message that was stored. When the peer is away and not known to be back, that is to wait.
   *
   * @param options.listed The receiver's row, when the index was asked for it just now.
   */
  outcome(row: number, { isHere, listed }: { isHere: boolean; listed?: PeerRow | undefined }): Promise<Outcome> {
    if (this.#away !== undefined && !isHere) return Promise.resolve({ kind: "waiting", failure: this.#away });
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    this.#asking.set(row, resolve);
    this.#listed = listed;
    this.#wake();
    return promise;
  }

  /** Delivers until there has been nothing to tell for a while. Calls `onEnd` in the same moment in which it finds that nothing is left. */
  async run(onEnd: () => void): Promise<void> {
    const { signal } = this.#parts;
    const abort = (): void => this.#disconnect();
    signal.addEventListener("abort", abort);
    try {
      await this.#deliverAll();
    } finally {
      signal.removeEventListener("abort", abort);
      this.#disconnect();
      this.#settleAll({ kind: "waiting", failure: new Failure("closed", `Cannot tell ${this.#peer} now: closing`) });
      onEnd();
    }
  }

  async #deliverAll(): Promise<void> {
    const { random, signal, state } = this.#parts;
    let idle = false;
    for (let failures = 0; !signal.aborted;) {
      let message: KeptMessage | undefined;
      try {
        message = state.talk.nextWaiting(this.#peer);
      } catch (thrown) {
        // The disk cannot be read now; what waits there is sent when it can.
        this.#settleAll({ kind: "waiting", failure: Failure.from(thrown, "no-access", "Cannot read the messages") });
        await this.#pause(backoffMs(failures++, AGAIN, random));
        continue;
      }
      if (message === undefined) {
        if (idle) return;
        this.#tellLate();
        idle = !await this.#pause(TELL_IDLE_MS);
        continue;
      }
      idle = false;
      const failure = await this.#deliver(message);
      if (failure === undefined) {
        failures = 0;
        continue;
      }
      if (signal.aborted) return;
      this.#tellLate();
      this.#away = failure;
      this.#settleAll({ kind: "waiting", failure });
      await this.#pause(backoffMs(failures++, AGAIN, random));
      this.#away = undefined;
    }
  }

  /** Sends one message until it is acknowledged or given up. Shape: why it waits, if it does. */
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
        this.#held = undefined;
        this.#settle(row, { kind: "delivered", id });
        return undefined;
      } catch (thrown) {
        const failure = Failure.from(thrown, "closed", `Cannot tell ${this.#peer} anything`);
        this.#disconnect();
        if (signal.aborted) return failure;
        const step = afterFailure(failure, resends);
        if (step === "resend") continue;
        if (step === "hold") this.#tellHeld(failure);
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

  /** Waits, but not when there is more to do. Shape: whether there is. */
  async #pause(ms: number): Promise<boolean> {
    const { clock, signal } = this.#parts;
    const woken = Promise.withResolvers<boolean>();
    const over = new AbortController();
    this.#wake = () => woken.resolve(true);
    const late = clock.delay(ms, AbortSignal.any([signal, over.signal])).then(() => false, () => false);
    const isWoken = await Promise.race([woken.promise, late]);
    over.abort();
    this.#wake = () => {};
    return isWoken;
  }

  #settle(row: number, outcome: Outcome): void {
    const answer = this.#asking.get(row);
    this.#asking.delete(row);
    if (answer !== undefined) answer(outcome);
    else if (outcome.kind === "delivered") this.#late += 1;
  }

  #settleAll(outcome: Outcome): void {
    for (const row of [...this.#asking.keys()]) this.#settle(row, outcome);
  }

  #tellLate(): void {
    if (this.#late === 0) return;
    this.#parts.onEvent({ event: "delivered", peer: this.#peer, id: this.#latestId(), count: this.#late });
    this.#late = 0;
  }

  /** The id in the latest message; empty while the disk cannot be read. */
  #latestId(): string {
    try {
      return this.#parts.state.talk.latest(this.#peer)?.id ?? "";
    } catch (thrown) {
      if (!(thrown instanceof Failure)) throw thrown;
      return "";
    }
  }

  #tellHeld({ code, message, hint }: Failure): void {
    if (this.#held === code) return;
    this.#held = code;
    // Who asks hears it as an answer.
    if (this.#asking.size > 0) return;
    this.#parts.onEvent({ event: "undelivered", peer: this.#peer, why: message, hint, kept: true });
  }

  #drop({ row }: KeptMessage, failure: Failure): void {
    this.#parts.state.talk.setRefused(row);
    const { message, hint } = failure;
    if (this.#asking.has(row)) this.#settle(row, { kind: "dropped", failure });
    else this.#parts.onEvent({ event: "undelivered", peer: this.#peer, why: message, hint, kept: false });
  }
}
