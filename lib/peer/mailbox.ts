/**
 * Takes what other peers tell: each message once, in order, stored before it is acknowledged and shown. Called through talk.ts by host.ts.
 * @module
 */

import { type Clock, settlesWithin } from "../core/clock.ts";
import { Failure } from "../core/failure.ts";
import { TELLER_NAME_WAIT_MS, TELLS_PER_SECOND_MAX } from "../core/limits.ts";
import { peerNameKey, UNKNOWN_NAME } from "../core/peer_name.ts";
import { AddressPaces } from "../net/address_paces.ts";
import type { DataOf, ReplyOf } from "../protocol/message.ts";
import type { Tell } from "../protocol/talk.ts";
import type { State } from "../store/state.ts";
import { judgeKey, judgeTold, type KeyStanding } from "./talk_rules.ts";

/** Who tells something, over one connection. */
export interface TellingPeer {
  /** The id that was proven. */
  readonly caller: string;
  /** The name it gives itself. */
  readonly claimedName: string | undefined;
}

/** A message has come. */
export interface ToldEvent {
  readonly event: "told";
  readonly peer: string;
  readonly id: string;
  /** How far the name is to be believed. */
  readonly key: KeyStanding;
  readonly text: string;
  /** When it came: milliseconds since 1970. */
  readonly at: number;
}

/** What the mailbox needs. */
export interface MailboxParts {
  readonly state: State;
  readonly clock: Clock;
  /** The name that a key has at the index, if it is the one that is claimed. */
  readonly nameOf: (claimed: string | undefined, id: string) => Promise<string | undefined>;
  readonly onEvent: (event: ToldEvent) => void;
}

/** The receiving side of messages. */
export class Mailbox {
  readonly #parts: MailboxParts;
  readonly #paces: AddressPaces;
  /** The names that the index has confirmed, by connection. */
  readonly #names = new WeakMap<TellingPeer, string>();

  constructor(parts: MailboxParts) {
    this.#parts = parts;
    this.#paces = new AddressPaces(TELLS_PER_SECOND_MAX, parts.clock);
  }

  /** Takes one message, unless it was taken before. Shape: the acknowledgement. */
  async take(teller: TellingPeer, { number, text }: DataOf<typeof Tell>): Promise<ReplyOf<typeof Tell>> {
    const { state, onEvent } = this.#parts;
    const { caller: id } = teller;
    await this.#paces.wait(id);
    const { name, isSure } = await this.#nameOf(teller);
    // From here on nothing waits, so that of two connections with the same message only one has the first.
    const before = state.talk.teller(id);
    if (judgeTold(before?.last, number) === "again") return { last: before?.last ?? number };
    const key = judgeKey({ id, name, isSure }, { known: state.knownPeer(peerNameKey(name)), told: before?.name });
    const at = Date.now();
    this.#store({ peer: name, id, number, at, text }, isSure);
    onEvent({ event: "told", peer: name, id, key, text, at });
    return { last: number };
  }

  /** Stores a message. Fails: as the disk does, without a word about where that is. */
  #store(message: Parameters<State["talk"]["putReceived"]>[0], isSure: boolean): void {
    try {
      this.#parts.state.talk.putReceived(message, isSure);
    } catch (cause) {
      if (!(cause instanceof Failure)) throw cause;
      throw new Failure(cause.code, "Cannot keep the message", { cause, hint: "it is sent again later" });
    }
  }

  /** The name the teller has at the index; while that is away, the one under which it has told something before. */
  async #nameOf(teller: TellingPeer): Promise<{ name: string; isSure: boolean }> {
    const { caller: id, claimedName } = teller;
    const confirmed = this.#names.get(teller);
    if (confirmed !== undefined) return { name: confirmed, isSure: true };
    const asked = this.#parts.nameOf(claimedName, id);
    const name = await settlesWithin(TELLER_NAME_WAIT_MS, asked) ? await asked : undefined;
    const told = this.#parts.state.talk.teller(id)?.name;
    if (name === undefined) return { name: told ?? UNKNOWN_NAME, isSure: told !== undefined };
    this.#names.set(teller, name);
    return { name, isSure: true };
  }
}
