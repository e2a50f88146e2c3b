/**
 * What people tell each other: received by mailbox.ts, sent by outbox.ts, remembered in the state. Called by host.ts for what comes and by the
 * shell for the rest.
 * @module
 */

import type { DataOf, ReplyOf } from "../../protocol/message.ts";
import type { Tell } from "../../protocol/talk.ts";
import type { KeptMessage } from "../../store/state/talk_store.ts";
import { Mailbox, type MailboxParts, type ToldEvent } from "./mailbox.ts";
import { Outbox, type OutboxEvent, type OutboxParts, type Told } from "./outbox.ts";
import type { Caller } from "../find/who.ts";

export type { KeptMessage };

/** What talk tells. */
export type TalkEvent = ToldEvent | OutboxEvent;

/** What talk needs. */
export type TalkParts = Omit<MailboxParts, "onEvent"> & Omit<OutboxParts, "onEvent"> & {
  readonly onEvent: (event: TalkEvent) => void;
};

/** Messages of one peer. */
export class Talk implements AsyncDisposable {
  readonly #parts: TalkParts;
  readonly #mailbox: Mailbox;
  readonly #outbox: Outbox;

  constructor(parts: TalkParts) {
    this.#parts = parts;
    this.#mailbox = new Mailbox(parts);
    this.#outbox = new Outbox(parts);
  }

  /** Goes on with what an earlier run did not deliver. */
  start(): void {
    this.#outbox.start();
  }

  /** Tells a peer something; see {@linkcode Outbox.tell}. */
  tell(peer: string, text: string): Promise<Told> {
    return this.#outbox.tell(peer, text);
  }

  /** Takes what a peer tells; see {@linkcode Mailbox.take}. */
  take(teller: Caller, message: DataOf<typeof Tell>): Promise<ReplyOf<typeof Tell>> {
    return this.#mailbox.take(teller, message);
  }

  /** The last messages, with one peer or with all, oldest first. */
  history(options: { peer?: string; limit: number }): KeptMessage[] {
    return this.#parts.state.talk.history(options);
  }

  /** Stops telling; what waits is kept. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#outbox[Symbol.asyncDispose]();
  }
}
