import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { openingWidth } from "../../../../lib/transfer/opening.ts";
import { type Candidate, changePlaces, type Placed } from "../../../../lib/transfer/plan/places.ts";
import { seededRandom } from "../../../support/seeded_random.ts";

const PLACES = { placesMax: 2, random: () => 0.999 };

/**
 * A source with a place in short: `a` has just got it.
 *
 * - `@4000` gave nothing for 4,000 ms, `%300` has sent 300 KB of a piece since then
 * - `#2` has its second turn, `w` lets us wait, `x` is over
 */
function placed(text: string): Placed {
  const value = (regexp: RegExp): number | undefined => {
    const found = regexp.exec(text.slice(1))?.[1];
    return found === undefined ? undefined : Number(found);
  };
  return {
    id: text.charAt(0),
    turns: value(/#(\d+)/) ?? 1,
    isOver: text.includes("x"),
    isWaiting: text.includes("w"),
    sinceMs: value(/@(\d+)/) ?? 0,
    sinceBytes: (value(/%(\d+)/) ?? 0) * 1000,
  };
}

/** A source without a place in short: `#1` had one turn, `+` has delivered before. */
function candidate(text: string): Candidate {
  return {
    id: text.charAt(0),
    turns: Number(/#(\d+)/.exec(text)?.[1] ?? 0),
    hasDelivered: text.endsWith("+"),
  };
}

function words(text: string): string[] {
  return text.split(" ").filter((each) => each !== "");
}

const CASES: [situation: string, placed: string, candidates: string, change: string][] = [
  ["free places are given to sources", "", "a b c", "+a +b"],
  ["only free places are given", "a", "b c", "+b"],
  ["a source that has delivered comes first", "", "a b c+", "+c +a"],
  ["a source that had a place comes last", "", "a#1+ b c", "+b +c"],
  ["a source that is over leaves", "ax b", "", "-a"],
  ["another source takes the place of one that is over", "ax b", "c", "+c -a"],
  ["a source that gives pieces stays", "a@900 b@900", "c", ""],
  ["a source that gives nothing leaves when another has no place", "a@4000 b", "c", "+c -a"],
  ["a source that gives nothing stays when there is no other", "a@4000 b", "", ""],
  ["it also stays when the other had more turns", "a@4000 b", "c#2", ""],
  ["a second turn is longer", "a@4000#2 b", "c#1", ""],
  ["a second turn ends", "a@7000#2 b", "c#1", "+c -a"],
  ["a source that is sending a piece stays", "a@4000%900 b", "c", ""],
  ["a source that is sending too slowly leaves after some time", "a@11000%2000 b", "c", "+c -a"],
  ["a source that drips leaves", "a@4000%1 b", "c", "+c -a"],
  ["sources that let us wait stay, and other sources get places as well", "aw@9000 bw@9000", "c d e", "+c +d"],
  [
    "sources that let us wait leave when there are twice as many as places",
    "aw@9000 bw@9000 c d",
    "e f",
    "+e +f -a -b",
  ],
];

Deno.test("changePlaces() does what the table says", () => {
  const wrong = CASES.flatMap(([situation, inPlace, others, expected]) => {
    const { leave, enter } = changePlaces(words(inPlace).map(placed), words(others).map(candidate), PLACES);
    const change = [...enter.map((id) => `+${id}`), ...leave.map((id) => `-${id}`)].join(" ");
    return change === expected ? [] : [`${situation}: ${change} instead of ${expected}`];
  });
  assertEquals(wrong, []);
});

Deno.test("changePlaces() gives every source a turn, in another order for each download", () => {
  const orders = new Set<string>();
  for (let seed = 0; seed < 20; seed++) {
    const random = seededRandom(seed);
    const turns = new Map(Array.from({ length: 40 }, (_, number) => [`${number}`, 0]));
    let inPlace: string[] = [];
    for (let round = 0; round < 20; round++) {
      const change = changePlaces(
        inPlace.map((id) => ({ ...placed("a@60000"), id, turns: turns.get(id) ?? 0 })),
        [...turns].filter(([id]) => !inPlace.includes(id)).map(([id, had]) => ({
          id,
          turns: had,
          hasDelivered: false,
        })),
        { placesMax: 16, random },
      );
      inPlace = [...inPlace.filter((id) => !change.leave.includes(id)), ...change.enter];
      assertLessOrEqual(inPlace.length, 16);
      for (const id of change.enter) turns.set(id, (turns.get(id) ?? 0) + 1);
      if (round === 0) orders.add(inPlace.join());
    }
    assert([...turns.values()].every((had) => had > 0), JSON.stringify([...turns]));
  }
  assertEquals(orders.size, 20);
});

Deno.test("openingWidth() doubles with time, and later for long lists", () => {
  assertEquals([0, 499, 501, 1_001, 1_501, 2_001].map((ms) => openingWidth(1, ms)), [1, 1, 2, 4, 8, 16]);
  assertEquals(openingWidth(4 * 1024 ** 4, 10_000), 1);
});
