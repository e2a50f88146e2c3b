import { assertEquals } from "@std/assert";
import { type DownloadState, plan, type PlannedSource, type Step } from "../../../lib/transfer/plan.ts";

const HOLE = { start: 10, end: 20 };
const LATER = { start: 30, end: 40 };

/** `a` is fresh, `a1` last failed in round 1, `-a` may not be asked any more. */
function sources(text: string): PlannedSource[] {
  return text.split(" ").filter((each) => each !== "").map((each) => {
    const [, dropped, id = "", round] = /^(-?)([a-z])(\d?)$/.exec(each) ?? [];
    return { id, usable: dropped === "", failedInRound: round === "" ? undefined : Number(round) };
  });
}

const CASES: [situation: string, sources: string, round: number, missing: DownloadState["missing"], step: Step][] = [
  ["nothing is missing", "a", 0, [], { kind: "done" }],
  ["nothing is missing and nobody has it", "", 0, [], { kind: "done" }],
  ["one source", "a", 0, [HOLE, LATER], { kind: "fetch", source: "a", range: HOLE }],
  ["the first of several", "a b", 0, [HOLE], { kind: "fetch", source: "a", range: HOLE }],
  ["the second when the first failed in this round", "a0 b", 0, [HOLE], { kind: "fetch", source: "b", range: HOLE }],
  ["the first again in the next round", "a0 b0", 1, [HOLE], { kind: "fetch", source: "a", range: HOLE }],
  ["not one that sent wrong bytes", "-a b", 0, [HOLE], { kind: "fetch", source: "b", range: HOLE }],
  ["wait when all failed in this round", "a0 b0", 0, [HOLE], { kind: "wait", round: 1 }],
  ["wait when all usable ones failed", "a1 -b", 1, [HOLE], { kind: "wait", round: 2 }],
  ["fail when enough rounds were in vain", "a3 b3", 3, [HOLE], { kind: "fail" }],
  ["fail when nobody has it", "", 0, [HOLE], { kind: "fail" }],
  ["fail when nobody is usable", "-a -b0", 0, [HOLE], { kind: "fail" }],
];

Deno.test("plan() decides by what is missing, who may be asked and how often all failed", () => {
  for (const [situation, text, round, missing, step] of CASES) {
    assertEquals(plan({ missing, sources: sources(text), round, roundsMax: 4 }), step, situation);
  }
});
