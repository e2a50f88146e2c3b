import { assertEquals } from "@std/assert";
import { PIECE_BYTES } from "../../../../lib/core/content.ts";
import { DEMANDED_CONTENTS_MAX } from "../../../../lib/core/limits.ts";
import { Demand } from "../../../../lib/peer/serve/demand.ts";

const FILM = { root: "a".repeat(64), size: 5 * PIECE_BYTES };

/** Sends one piece of the film to a peer. */
function give(demand: Demand, peer: string, index: number): void {
  using promised = demand.promise(FILM, peer, { start: index * PIECE_BYTES, end: (index + 1) * PIECE_BYTES });
  promised.sent(PIECE_BYTES);
}

Deno.test("Demand counts the peers that ask now, and remembers the pieces it has sent until no peer asks", () => {
  let nowMs = 0;
  const demand = new Demand({ now: () => nowMs, delay: () => Promise.resolve() });
  assertEquals(demand.note(FILM, "a").asking, 1);
  give(demand, "a", 3);
  nowMs = 6_000;
  const second = demand.note(FILM, "b");
  assertEquals([second.asking, second.given.has(3)], [2, true]);
  nowMs = 12_000;
  assertEquals(demand.note(FILM, "b").asking, 1);
  nowMs = 60_000;
  const later = demand.note(FILM, "c");
  assertEquals([later.asking, later.given.size], [1, 0]);
});

Deno.test("Demand remembers a bounded number of contents, the latest ones", () => {
  const demand = new Demand({ now: () => 0, delay: () => Promise.resolve() });
  give(demand, "a", 1);
  for (let number = 0; number < DEMANDED_CONTENTS_MAX; number++) {
    demand.note({ root: String(number).padStart(64, "0"), size: 1 }, "a");
  }
  assertEquals(demand.note(FILM, "a").given.size, 0);
});

Deno.test("Demand forgets a peer sooner when its last connection has ended", () => {
  let nowMs = 0;
  const demand = new Demand({ now: () => nowMs, delay: () => Promise.resolve() });
  give(demand, "a", 3);
  demand.left("a");
  nowMs = 900;
  assertEquals(demand.note(FILM, "a").given.has(3), true);
  demand.left("a");
  nowMs = 2_000;
  assertEquals(demand.note(FILM, "b").given.has(3), false);
});

Deno.test("Demand promises a piece to one peer at a time, and withdraws the promise of what was not sent", () => {
  const demand = new Demand({ now: () => 0, delay: () => Promise.resolve() });
  const given = (): number[] => {
    const { given } = demand.note(FILM, "b");
    return Array.from({ length: given.count }, (_, index) => index).filter((index) => given.has(index));
  };
  const inLine = demand.promise(FILM, "a", { start: 0, end: 2 * PIECE_BYTES });
  const underWay = demand.promise(FILM, "c", { start: 2 * PIECE_BYTES, end: FILM.size });
  assertEquals(given(), [0, 1, 2, 3, 4]);
  inLine[Symbol.dispose]();
  assertEquals(given(), [2, 3, 4]);
  underWay.sent(2 * PIECE_BYTES - 1);
  underWay[Symbol.dispose]();
  assertEquals(given(), [2]);
});
