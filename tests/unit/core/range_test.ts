import { assertEquals } from "@std/assert";
import { addRange, type Range } from "../../../lib/core/range.ts";

/** Ranges as text, `0-4 6-9`, so that a table reads at a glance. */
function ranges(text: string): Range[] {
  return text.split(" ").filter((each) => each !== "").map((each) => {
    const [start = 0, end = 0] = each.split("-").map(Number);
    return { start, end };
  });
}

const CASES: [before: string, range: string, added: string][] = [
  ["", "0-4", "0-4"],
  ["0-4", "", "0-4"],
  ["0-4", "4-6", "0-6"],
  ["4-6", "0-4", "0-6"],
  ["0-4", "5-6", "0-4 5-6"],
  ["0-4", "1-2", "0-4"],
  ["0-4", "0-4", "0-4"],
  ["0-4", "0-9", "0-9"],
  ["0-4 6-9", "4-6", "0-9"],
  ["0-4 6-9", "3-7", "0-9"],
  ["0-4 6-9 12-13", "2-20", "0-20"],
  ["0-4 6-9", "20-21", "0-4 6-9 20-21"],
];

Deno.test("addRange() keeps a sorted disjoint list", () => {
  for (const [before, range, added] of CASES) {
    const [one = { start: 0, end: 0 }] = ranges(range);
    assertEquals(addRange(ranges(before), one), ranges(added), `${before} + ${range}`);
  }
});
