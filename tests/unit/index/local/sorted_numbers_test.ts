import { assert, assertEquals, assertLess } from "@std/assert";
import { randomBelow } from "../../../../lib/core/random.ts";
import { SortedNumbers } from "../../../../lib/index/local/sorted_numbers.ts";
import { externalBytes } from "../../../support/memory.ts";
import { seededRandom } from "../../../support/seeded_random.ts";

/** All numbers of a list. */
function all(list: SortedNumbers): number[] {
  return list.part(() => false, () => true, Infinity);
}

Deno.test("SortedNumbers keeps its order while numbers come and go", () => {
  const random = seededRandom(7);
  const list = new SortedNumbers((one, other) => one < other);
  const expected = new Set<number>();
  for (let step = 0; step < 20_000; step++) {
    const number = randomBelow(random, 6_000);
    // The list grows to several blocks, then shrinks again.
    if (expected.has(number) && random() < (step < 10_000 ? 0.3 : 0.95)) {
      list.delete(number);
      expected.delete(number);
    } else if (!expected.has(number) && step < 10_000) {
      list.add(number);
      expected.add(number);
    }
    if (step % 500 > 0) continue;
    const sorted = [...expected].sort((a, b) => a - b);
    assertEquals(all(list), sorted);
    const within = sorted.filter((each) => each >= number && each < number + 900);
    assertEquals(list.part((each) => each < number, (each) => each < number + 900, Infinity), within);
    assertEquals(list.part((each) => each < number, (each) => each < number + 900, 7), within.slice(0, 7));
  }
});

Deno.test("SortedNumbers takes numbers in rising and in falling order", () => {
  const rising = Array.from({ length: 3_000 }, (_, number) => number);
  for (const order of [rising, rising.toReversed()]) {
    const list = new SortedNumbers((one, other) => one < other);
    for (const number of order) list.add(number);
    assertEquals(all(list), rising);
    for (const number of order) list.delete(number);
    assertEquals(all(list), []);
    list.add(1);
    assertEquals(all(list), [1]);
  }
});

Deno.test("SortedNumbers never compares a removed number, not even in an empty block between full ones", () => {
  const removed = new Set<number>();
  const list = new SortedNumbers((one, other) => {
    assert(!removed.has(one) && !removed.has(other), `${one} and ${other} are compared`);
    return one < other;
  });
  const isInGap = (number: number): boolean => number >= 1_000 && number < 2_000;
  const numbers = Array.from({ length: 3_000 }, (_, number) => number);
  const even = numbers.filter((number) => number % 2 === 0);
  const odd = numbers.filter((number) => number % 2 === 1 && !isInGap(number));
  for (const number of [...even, ...odd]) list.add(number);
  for (const number of even.filter(isInGap)) {
    list.delete(number);
    removed.add(number);
  }
  assertEquals(all(list), numbers.filter((number) => !isInGap(number)));
  list.add(1_500.5);
  list.delete(2_500);
});

Deno.test("SortedNumbers uses the order of its caller", () => {
  const names = ["c", "a", "b"];
  const list = new SortedNumbers((one, other) => (names[one] ?? "") < (names[other] ?? ""));
  for (const id of names.keys()) list.add(id);
  assertEquals(all(list), [1, 2, 0]);
});

Deno.test("SortedNumbers ignores the removal of a number that is not in the list", () => {
  const list = new SortedNumbers((one, other) => one < other);
  list.delete(1);
  list.add(2);
  for (const absent of [1, 3]) list.delete(absent);
  assertEquals(all(list), [2]);
});

Deno.test("SortedNumbers gives memory back when most numbers are removed", () => {
  const list = new SortedNumbers((one, other) => one < other);
  const before = externalBytes();
  for (let number = 0; number < 200_000; number++) list.add(number);
  for (let number = 0; number < 200_000; number++) if (number % 100 > 0) list.delete(number);
  assertEquals(all(list).length, 2_000);
  assertLess(externalBytes() - before, 200_000);
});
