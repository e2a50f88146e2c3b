/**
 * Takes what other peers tell: each message once, in order, stored before it is acknowledged and shown. Called through talk.ts by host.ts.
 * @module
 */

import type { Clock } from "../../core/flow/clock.ts";
import { Failure } from "../../core/failure.ts";
import { TELLS_PER_SECOND_MAX } from "../../core/limits.ts";
import { AddressPaces } from "../../net/address_paces.ts";
import type { DataOf, ReplyOf } from "../../protocol/message.ts";
import type { Tell } from "../../protocol/talk.ts";
import type { State } from "../../store/state/state.ts";
import { judgeTold } from "./talk_rules.ts";
import type { Acquaintances, Caller, KeyStanding } from "../find/who.ts";

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
  readonly acquaintances: Acquaintances;
  readonly onEvent: (event: ToldEvent) => void;
}

/** The receiving side of messages. */
export class Mailbox {
  readonly #parts: MailboxParts;
  readonly #paces: AddressPaces;

  constructor(parts: MailboxParts) {
    this.#parts = parts;
    this.#paces = new AddressPaces(TELLS_PER_SECOND_MAX, parts.clock);
  }

  /** Takes one message, unless it was taken before. Shape: the acknowledgement. */
  async take(teller: Caller, { number, text }: DataOf<typeof Tell>): Promise<ReplyOf<typeof Tell>> {
    const { state, onEvent } = this.#parts;
    const { caller: id } = teller;
    await this.#paces.wait(id);
    const { name, isSure, key } = await this.#parts.acquaintances.who(teller);
    // From here on nothing waits, so that of two connections with the same message only one has the first.
    const before = state.talk.teller(id);
    if (judgeTold(before?.last, number) === "again") return { last: before?.last ?? number };
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
}
