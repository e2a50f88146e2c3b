/**
 * The decisions that make each message arrive once and in order, as pure functions. Called by
 * outbox.ts, delivery.ts and mailbox.ts. The protocol is in lib/protocol/talk.ts.
 * @module
 */

import type { Failure, FailureCode } from "../../core/failure.ts";
import { TELL_RESENDS_MAX } from "../../core/limits.ts";

/**
 * Decides whether a message is new to its receiver. A gap in the numbers is no loss: it stands for
 * messages that the sender has given up, or that arrived before the receiver lost its own state.
 *
 * @param last The highest number that the receiver has accepted from this sender.
 */
export function judgeTold(last: number | undefined, number: number): "new" | "again" {
  return last === undefined || number > last ? "new" : "again";
}

/**
 * Chooses the number of a sender's next message to one receiver.
 *
 * @param last The highest number that the sender has used, or that the receiver has reported.
 */
export function nextNumber(last: number | undefined, nowMs: number): number {
  return Math.max(nowMs, (last ?? 0) + 1);
}

/**
 * Decides whether an acknowledgement shows that the sender has lost count: the receiver had
 * accepted a higher number before, so it has ignored this message.
 */
export function hasLostCount(number: number, last: number): boolean {
  return last > number;
}

/** What a sender does with a message that was not acknowledged. */
export type NextStep =
  /** It sends the message again at once. */
  | "resend"
  /** It keeps the message until the receiver is back. */
  | "wait"
  /**
   * It keeps the message and informs the person, because something has to be done before the
   * message can be delivered.
   */
  | "hold"
  /** It gives the message up, since the receiver will never accept it. */
  | "drop";

/** Failures of one attempt, which the next attempt may not meet. */
const PASSING: readonly FailureCode[] = ["timeout", "closed"];
/** Failures that last until a person does something. */
const STANDING: readonly FailureCode[] = ["key-changed", "no-member", "refused", "unsupported", "wrong-key"];
/** Failures by which the receiver refuses the message itself. */
const FINAL: readonly FailureCode[] = ["malformed", "refused", "too-large"];

/**
 * Decides what a sender does after a failure.
 *
 * @param resends How often this message has been sent again already.
 */
export function afterFailure({ code, remote }: Pick<Failure, "code" | "remote">, resends: number): NextStep {
  if (remote && FINAL.includes(code)) return "drop";
  if (PASSING.includes(code) && resends < TELL_RESENDS_MAX) return "resend";
  return STANDING.includes(code) ? "hold" : "wait";
}
