import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { seededRandom } from "../../../../lib/core/random.ts";
import { openingWidth } from "../../../../lib/transfer/opening.ts";
import { type Candidate, changePlaces, type Placed } from "../../../../lib/transfer/plan/places.ts";

const PLACES = { placesMax: 2, random: () => 0.999 };

/**
 * A source with a place in words: `a` has just got it. `@4000` nothing came from it for 4,000 ms, `%300` but 300 KB of a piece, `#2` it is its second
 * turn, `w` it says that we wait, `x` it is not asked any more.
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

/** One without: `#1` it had one turn, `+` it has delivered before. */
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
  ["free places are given away", "", "a b c", "+a +b"],
  ["no more than there are", "a", "b c", "+b"],
  ["to those first that delivered before", "", "a b c+", "+c +a"],
  ["and to those last that had a place already", "", "a#1+ b c", "+b +c"],
  ["one that is not asked any more leaves", "ax b", "", "-a"],
  ["and another comes for it", "ax b", "c", "+c -a"],
  ["one that gives something stays", "a@900 b@900", "c", ""],
  ["one that gives nothing leaves when others are there", "a@4000 b", "c", "+c -a"],
  ["but not when nobody is", "a@4000 b", "", ""],
  ["nor for one that had its turn while it had not", "a@4000 b", "c#2", ""],
  ["the second turn is longer", "a@4000#2 b", "c#1", ""],
  ["and ends, too", "a@7000#2 b", "c#1", "+c -a"],
  ["one whose piece is coming stays", "a@4000%900 b", "c", ""],
  ["but not for long", "a@11000%2000 b", "c", "+c -a"],
  ["one that drips leaves", "a@4000%1 b", "c", "+c -a"],
  ["those that let us wait keep their turn, and their places are given to others", "aw@9000 bw@9000", "c d e", "+c +d"],
  ["not without end", "aw@9000 bw@9000 c d", "e f", "+e +f -a -b"],
];

Deno.test("changePlaces() does what the table says", () => {
  const wrong = CASES.flatMap(([situation, inPlace, others, expected]) => {
    const { leave, enter } = changePlaces(words(inPlace).map(placed), words(others).map(candidate), PLACES);
    const change = [...enter.map((id) => `+${id}`), ...leave.map((id) => `-${id}`)].join(" ");
    return change === expected ? [] : [`${situation}: ${change} instead of ${expected}`];
  });
  assertEquals(wrong, []);
});

Deno.test("changePlaces() gives everybody a turn, in another order for everybody", () => {
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

Deno.test("openingWidth() doubles with time, later for long lists", () => {
  assertEquals([0, 499, 501, 1_001, 1_501, 2_001].map((ms) => openingWidth(1, ms)), [1, 1, 2, 4, 8, 16]);
  assertEquals(openingWidth(4 * 1024 ** 4, 10_000), 1);
});
