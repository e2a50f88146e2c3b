/**
 * Receives messages from other peers: each message once, in order, and stored before it is
 * acknowledged and reported. Made by peer.ts.
 * @module
 */

import type { Clock } from "../../core/flow/clock.ts";
import { Failure } from "../../core/failure.ts";
import { TELLS_PER_SECOND_MAX } from "../../core/limits.ts";
import { CallerPaces } from "../../net/caller_paces.ts";
import { type Route, route } from "../../net/answerer.ts";
import type { DataOf, ReplyOf } from "../../protocol/message.ts";
import { Tell } from "../../protocol/talk.ts";
import type { State } from "../../store/state/state.ts";
import type { Acquaintances, Caller, KeyStanding } from "../find/who.ts";
import type { Visit } from "../serve/visit.ts";
import { judgeTold } from "./talk_rules.ts";

/** A message has arrived. */
export interface ToldEvent {
  readonly event: "told";
  readonly peer: string;
  readonly id: string;
  /** What is known of the key under that name. */
  readonly key: KeyStanding;
  readonly text: string;
  /** When it arrived: milliseconds since 1970. */
  readonly at: number;
}

/** What a mailbox needs. */
export interface MailboxParts {
  readonly state: State;
  readonly clock: Clock;
  readonly acquaintances: Acquaintances;
  readonly onEvent: (event: ToldEvent) => void;
}

/** The receiving side of messages. */
export class Mailbox {
  readonly #parts: MailboxParts;
  readonly #paces: CallerPaces;

  constructor(parts: MailboxParts) {
    this.#parts = parts;
    this.#paces = new CallerPaces(TELLS_PER_SECOND_MAX, parts.clock);
  }

  /** The request by which another peer sends a message. */
  routes(): readonly Route<Visit>[] {
    return [route(Tell, async (visit: Visit, message) => ({ data: await this.#accept(visit, message) }))];
  }

  /**
   * Stores a message and reports it, unless it was accepted before.
   *
   * @returns The acknowledgement.
   */
  async #accept(sender: Caller, { number, text }: DataOf<typeof Tell>): Promise<ReplyOf<typeof Tell>> {
    const { state, onEvent } = this.#parts;
    const { caller: id } = sender;
    await this.#paces.wait(id);
    const { name, isSure, key } = await this.#parts.acquaintances.who(sender);
    // Nothing waits from here on, so a message that arrives over two connections is new on only one
    // of them.
    const before = state.talk.teller(id);
    if (judgeTold(before?.last, number) === "again") return { last: before?.last ?? number };
    const at = Date.now();
    this.#store({ peer: name, id, number, at, text }, isSure);
    onEvent({ event: "told", peer: name, id, key, text, at });
    return { last: number };
  }

  /**
   * Stores a message.
   *
   * @throws {Failure} The failure of the disk, without the path: it is sent to the other peer.
   */
  #store(message: Parameters<State["talk"]["putReceived"]>[0], isSure: boolean): void {
    try {
      this.#parts.state.talk.putReceived(message, isSure);
    } catch (thrown) {
      if (!(thrown instanceof Failure)) throw thrown;
      throw thrown.with({ message: "Cannot store the message", hint: "it is sent again later" });
    }
  }
}
