import { assertEquals } from "@std/assert";
import { randomBelow } from "../../../../lib/core/random.ts";
import { IdSet } from "../../../../lib/index/local/id_set.ts";
import { seededRandom } from "../../../support/seeded_random.ts";

Deno.test("IdSet has the numbers that were added and not removed, few or many, close together or far apart", () => {
  for (const [numbers, spread] of [[10, 100], [2_000, 3_000], [2_000, 1_000_000], [300, 2 ** 32 - 1]] as const) {
    const random = seededRandom(numbers + spread);
    const set = new IdSet();
    const expected = new Set<number>();
    for (let at = 0; at < numbers * 3; at++) {
      const id = randomBelow(random, spread);
      if (at % 3 === 2) {
        const [known = id] = expected;
        set.delete(known);
        expected.delete(known);
      } else {
        set.add(id);
        expected.add(id);
      }
      assertEquals(set.has(id), expected.has(id));
    }
    assertEquals(set.size, expected.size);
    assertEquals(IdSet.intersection([set.copy()], Infinity), [...expected].sort((a, b) => a - b));
  }
});

Deno.test("IdSet becomes an array again when one number far away would make it mostly zeros", () => {
  const ids = Array.from({ length: 1_000 }, (_, id) => id);
  const set = IdSet.from(ids);
  set.add(4_000_000_000);
  assertEquals(IdSet.intersection([set], Infinity), [...ids, 4_000_000_000]);
  set.delete(4_000_000_000);
  assertEquals(IdSet.intersection([set], Infinity), ids);
});

Deno.test("IdSet intersection() returns the first common numbers in order, whatever the form of each set", () => {
  const random = seededRandom(5);
  const some = (count: number, below: number): number[] => [
    ...new Set(Array.from({ length: count }, () => randomBelow(random, below))),
  ];
  for (const sizes of [[50, 60], [5_000, 9_000], [50, 9_000], [5_000, 6_000, 100], [300, 8_000, 9_000]]) {
    const all = sizes.map((size) => some(size, 10_000));
    const sets = all.map((ids) => {
      const set = new IdSet();
      for (const id of ids) set.add(id);
      return set;
    });
    const [first = [], ...others] = all;
    const expected = first.filter((id) => others.every((ids) => ids.includes(id))).sort((a, b) => a - b);
    assertEquals(IdSet.intersection(sets, Infinity), expected);
    assertEquals(IdSet.intersection(sets, 7), expected.slice(0, 7));
  }
});

Deno.test("IdSet intersection() asks a choice about each common number, unless the choice skips its group", () => {
  for (const sizes of [[100, 200], [5_000, 9_000], [100, 9_000]]) {
    const sets = sizes.map((size) => IdSet.from(Array.from({ length: size }, (_, at) => at)));
    const asked: number[] = [];
    const choice = {
      skips: (group: number) => group % 2 === 1,
      takes: (id: number) => asked.push(id) > 0 && id % 3 === 0,
    };
    const common = Array.from({ length: sizes[0] ?? 0 }, (_, at) => at).filter((id) => (id >> 5) % 2 === 0);
    const taken = common.filter((id) => id % 3 === 0);
    assertEquals(IdSet.intersection(sets, Infinity, choice), taken);
    assertEquals(asked, common);
    assertEquals(IdSet.intersection(sets, 5, choice), taken.slice(0, 5));
  }
});
