import { assertEquals } from "@std/assert";
import type { FailureCode } from "../../../../lib/core/failure.ts";
import { TELL_RESENDS_MAX } from "../../../../lib/core/limits.ts";
import {
  afterFailure,
  hasLostCount,
  judgeTold,
  nextNumber,
  type NextStep,
} from "../../../../lib/peer/talk/talk_rules.ts";

Deno.test("judgeTold() calls a message new when its number is higher than all before it", () => {
  const cases: [last: number | undefined, number: number, verdict: "new" | "again"][] = [
    [undefined, 1, "new"],
    [undefined, 1_795_000_000_000, "new"],
    [5, 6, "new"],
    [5, 9, "new"],
    [5, 5, "again"],
    [5, 4, "again"],
    [Number.MAX_SAFE_INTEGER, 5, "again"],
  ];
  for (const [last, number, verdict] of cases) assertEquals(judgeTold(last, number), verdict, `${last} ${number}`);
});

Deno.test("nextNumber() rises with the clock, and also when the clock stands still or goes back", () => {
  const cases: [last: number | undefined, now: number, number: number][] = [
    [undefined, 1000, 1000],
    [999, 1000, 1000],
    [1000, 1000, 1001],
    [5000, 1000, 5001],
  ];
  for (const [last, now, number] of cases) assertEquals(nextNumber(last, now), number, `${last} at ${now}`);
  assertEquals([hasLostCount(7, 7), hasLostCount(7, 8)], [false, true]);
});

Deno.test("messages arrive once and in order although messages, answers or state are lost", () => {
  /**
   * What is lost in each attempt, and before which messages one side loses its state. The clock of
   * the sender stands still.
   */
  const cases: [what: string, options: Parameters<typeof exchange>[0]][] = [
    ["nothing is lost", {}],
    ["every second message is lost", { losesMessage: (attempt) => attempt % 2 === 0 }],
    ["every second acknowledgement is lost", { losesReply: (attempt) => attempt % 2 === 0 }],
    ["two of three of both are lost", {
      losesMessage: (attempt) => attempt % 3 === 0,
      losesReply: (attempt) => attempt % 3 === 1,
    }],
    ["the receiver forgets", { receiverForgetsBefore: 4 }],
    ["the sender forgets", { senderForgetsBefore: 4 }],
    ["the sender forgets, and replies are lost", {
      senderForgetsBefore: 4,
      losesReply: (attempt) => attempt % 2 === 0,
    }],
  ];
  for (const [what, options] of cases) assertEquals(exchange(options), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], what);
});

/** Sends ten messages by the rules. Returns the messages that the receiver has shown. */
function exchange(options: {
  losesMessage?: (attempt: number) => boolean;
  losesReply?: (attempt: number) => boolean;
  senderForgetsBefore?: number;
  receiverForgetsBefore?: number;
}): number[] {
  const { losesMessage = () => false, losesReply = () => false } = options;
  const shown: number[] = [];
  let taken: number | undefined;
  let used: number | undefined;
  let attempt = 0;
  for (let message = 0; message < 10; message++) {
    if (message === options.senderForgetsBefore) used = undefined;
    if (message === options.receiverForgetsBefore) taken = undefined;
    let number = used = nextNumber(used, 100);
    for (let isDone = false; !isDone;) {
      attempt += 1;
      if (losesMessage(attempt)) continue;
      if (judgeTold(taken, number) === "new") shown.push(message);
      const last = taken = Math.max(taken ?? 0, number);
      if (losesReply(attempt)) continue;
      isDone = !hasLostCount(number, last);
      if (!isDone) number = used = nextNumber(last, 100);
    }
  }
  return shown;
}

Deno.test("afterFailure() decides as the table says", () => {
  const cases: [code: FailureCode, remote: boolean, resends: number, step: NextStep][] = [
    ["timeout", false, 0, "resend"],
    ["timeout", false, TELL_RESENDS_MAX - 1, "resend"],
    ["timeout", false, TELL_RESENDS_MAX, "wait"],
    ["closed", false, 0, "resend"],
    ["closed", false, TELL_RESENDS_MAX, "wait"],
    ["unreachable", false, 0, "wait"],
    ["index-unreachable", false, 0, "wait"],
    ["busy", true, 0, "wait"],
    ["internal", true, 0, "wait"],
    ["key-changed", false, 0, "hold"],
    ["wrong-key", false, 0, "hold"],
    ["refused", false, 0, "hold"],
    ["unsupported", true, 0, "hold"],
    ["refused", true, 0, "drop"],
    ["malformed", true, 0, "drop"],
    ["malformed", false, 0, "wait"],
    ["too-large", true, 0, "drop"],
  ];
  for (const [code, remote, resends, step] of cases) {
    assertEquals(afterFailure({ code, remote }, resends), step, `${code} ${remote} ${resends}`);
  }
});
