import { assert, assertEquals } from "@std/assert";
import { PIECE_BYTES } from "../../../lib/core/content.ts";
import { PieceSet } from "../../../lib/core/piece_set.ts";

Deno.test("PieceSet counts each piece once, and none beyond the file", () => {
  const set = new PieceSet(10);
  for (const index of [0, 9, 9, 10, 80]) set.add(index);
  assertEquals([set.size, set.has(0), set.has(1), set.has(9), set.has(10)], [2, true, false, true, false]);
});

Deno.test("PieceSet survives the wire, and ignores bits beyond its pieces", () => {
  const set = new PieceSet(10);
  for (const index of [0, 3, 8]) set.add(index);
  assertEquals([...set.bits], [0b1001, 0b1]);
  assertEquals(new PieceSet(10, set.bits).bits, set.bits);
  assertEquals(new PieceSet(10, new Uint8Array([0xff, 0xff])).size, 10);
  assertEquals(new PieceSet(10, new Uint8Array(0)).size, 0);
});

Deno.test("PieceSet covers a range when it has every piece that the range touches", () => {
  const set = new PieceSet(4);
  set.addTouched({ start: PIECE_BYTES + 5, end: 3 * PIECE_BYTES });
  assertEquals(set.size, 2);
  assert(set.covers({ start: PIECE_BYTES, end: 3 * PIECE_BYTES }));
  assert(!set.covers({ start: PIECE_BYTES - 1, end: 2 * PIECE_BYTES }));
  assert(!set.covers({ start: PIECE_BYTES, end: 3 * PIECE_BYTES + 1 }));
  assert(set.covers({ start: 0, end: 0 }));
});

Deno.test("PieceSet counts the bytes of its pieces, also when the last one is shorter", () => {
  const size = 2 * PIECE_BYTES + 7;
  const set = new PieceSet(3);
  assertEquals(set.bytes(size), 0);
  set.add(1);
  assertEquals(set.bytes(size), PIECE_BYTES);
  set.add(2);
  assertEquals(set.bytes(size), PIECE_BYTES + 7);
  assertEquals(new PieceSet(0).bytes(0), 0);
});

const MISSING: readonly [here: readonly number[], countMax: number, ranges: readonly (readonly [number, number])[]][] =
  [
    [[], 9, [[0, 5]]],
    [[], 2, [[0, 2], [2, 4], [4, 5]]],
    [[0, 4], 9, [[1, 4]]],
    [[1, 2], 1, [[0, 1], [3, 4], [4, 5]]],
    [[0, 1, 2, 3], 9, [[4, 5]]],
    [[0, 1, 2, 3, 4], 9, []],
  ];

for (const [here, countMax, ranges] of MISSING) {
  Deno.test(`PieceSet lists what is missing beside ${here.join(" ") || "nothing"} in ranges of ${countMax}`, () => {
    const size = 4 * PIECE_BYTES + 7;
    const set = new PieceSet(5);
    for (const index of here) set.add(index);
    const expected = ranges.map(([first, end]) => {
      return { start: first * PIECE_BYTES, end: Math.min(end * PIECE_BYTES, size) };
    });
    assertEquals([...set.missing(size, countMax)], expected);
  });
}
