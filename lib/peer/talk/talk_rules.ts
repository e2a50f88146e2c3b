/**
 * How messages come once and in order, as decisions over plain values. Called by outbox.ts and mailbox.ts; the protocol is in
 * lib/protocol/talk.ts.
 * @module
 */

import type { Failure, FailureCode } from "../../core/failure.ts";
import { TELL_RESENDS_MAX } from "../../core/limits.ts";

/**
 * What a receiver does with a message. `last` is the highest number it has taken from this sender. A gap is no loss: in it are messages that the
 * sender has given up, or that came before the receiver lost its own memory.
 */
export function judgeTold(last: number | undefined, number: number): "new" | "again" {
  return last === undefined || number > last ? "new" : "again";
}

/** The number of a sender's next message to one receiver. `last` is the highest it has used, or learnt from the receiver. */
export function nextNumber(last: number | undefined, nowMs: number): number {
  return Math.max(nowMs, (last ?? 0) + 1);
}

/** Whether an acknowledgement shows that the sender has lost count: a higher number was taken before, so this message was ignored. */
export function hasLostCount(number: number, last: number): boolean {
  return last > number;
}

/** What a sender does when a message was not acknowledged. */
export type NextStep =
  /** Send it again at once. */
  | "resend"
  /** Keep it until the receiver is back. */
  | "wait"
  /** The same, but the person has to know: it will not be delivered before somebody does something. */
  | "hold"
  /** Give it up: the receiver will never take it. */
  | "drop";

/** Failures of one attempt only. */
const PASSING: readonly FailureCode[] = ["timeout", "closed"];
/** Failures that somebody has to do something about. */
const STANDING: readonly FailureCode[] = ["key-changed", "no-member", "refused", "unsupported", "wrong-key"];
/** Answers to the message itself. */
const FINAL: readonly FailureCode[] = ["malformed", "refused", "too-large"];

/** Decides what comes after a failure. `resends` counts how often this message was sent again already. */
export function afterFailure({ code, remote }: Pick<Failure, "code" | "remote">, resends: number): NextStep {
  if (remote && FINAL.includes(code)) return "drop";
  if (PASSING.includes(code) && resends < TELL_RESENDS_MAX) return "resend";
  return STANDING.includes(code) ? "hold" : "wait";
}
