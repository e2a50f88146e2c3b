import { assertEquals } from "@std/assert";
import { PIECE_BYTES } from "../../../lib/core/content.ts";
import { DEMANDED_CONTENTS_MAX } from "../../../lib/core/limits.ts";
import { Demand } from "../../../lib/peer/demand.ts";

const FILM = { root: "a".repeat(64), size: 5 * PIECE_BYTES };

Deno.test("Demand counts the peers that ask now, and knows what was given away until no peer asks any more", () => {
  let nowMs = 0;
  const demand = new Demand({ now: () => nowMs, delay: () => Promise.resolve() });
  assertEquals(demand.note(FILM, "a").asking, 1);
  demand.note(FILM, "a").given.add(3);
  nowMs = 6_000;
  const second = demand.note(FILM, "b");
  assertEquals([second.asking, second.given.has(3)], [2, true]);
  nowMs = 12_000;
  assertEquals(demand.note(FILM, "b").asking, 1);
  nowMs = 60_000;
  const later = demand.note(FILM, "c");
  assertEquals([later.asking, later.given.size], [1, 0]);
});

Deno.test("Demand remembers a bounded number of contents, those asked for last", () => {
  const demand = new Demand({ now: () => 0, delay: () => Promise.resolve() });
  demand.note(FILM, "a").given.add(1);
  for (let number = 0; number < DEMANDED_CONTENTS_MAX; number++) {
    demand.note({ root: String(number).padStart(64, "0"), size: 1 }, "a");
  }
  assertEquals(demand.note(FILM, "a").given.size, 0);
});
