import { assert, assertEquals, assertThrows } from "@std/assert";
import { Failure } from "../../../../lib/core/failure.ts";
import { BATCH_FILES_MAX } from "../../../../lib/core/limits.ts";
import {
  batchesOf,
  changesIn,
  decodeListBatch,
  encodeListBatch,
  NO_CHANGE,
} from "../../../../lib/index/shared/list_batch.ts";

const ROOT = "ab".repeat(32);

Deno.test("a list batch is the same after encoding and decoding, short or deflated", () => {
  const short = {
    add: [{ name: "ção 🎓.txt", size: 3, root: undefined }, { name: "b", size: 2 ** 42, root: ROOT }],
    remove: ['"\u0000'],
    partials: [{ name: "p", size: 1, root: ROOT }],
    ended: [ROOT],
  };
  const add = Array.from(
    { length: BATCH_FILES_MAX },
    (_, number) => ({ name: `course/week ${number}.mp4`, size: number, root: undefined }),
  );
  for (const batch of [short, { ...NO_CHANGE, add }, NO_CHANGE]) {
    assertEquals(decodeListBatch(encodeListBatch(batch)), batch);
  }
  assertEquals([changesIn(short), changesIn(NO_CHANGE)], [5, 0]);
  assert(encodeListBatch({ ...NO_CHANGE, add }).length < 12 * BATCH_FILES_MAX, "alike names take little room");
});

Deno.test("decodeListBatch() rejects wrong bytes and bytes that would inflate without end", () => {
  const bomb = encodeListBatch({ ...NO_CHANGE, remove: ["0".repeat(16 * 1024 ** 2)] });
  const text = (written: string) => new TextEncoder().encode(written);
  for (
    const wrong of [
      bomb,
      text(""),
      text("x"),
      text("[1,2]"),
      text("[[[]],[],[],[]]"),
      text("{}"),
      text('[["a"],[],[],[]]'),
      text(`[[["a",${2 ** 60}]],[],[],[]]`),
      text('[[["a",0.5]],[],[],[]]'),
    ]
  ) {
    const failure = assertThrows(() => decodeListBatch(wrong), Failure);
    assertEquals(failure.code, "malformed");
  }
});

Deno.test("batchesOf() divides a change into batches, removals first", () => {
  const remove = Array.from({ length: BATCH_FILES_MAX + 1 }, (_, number) => `${number}`);
  const add = remove.map((name) => ({ name, size: 1 }));
  const batches = [...batchesOf({ add, remove })];
  assertEquals(batches.map((batch) => [batch.remove.length, batch.add.length]), [
    [BATCH_FILES_MAX, 0],
    [1, 0],
    [0, BATCH_FILES_MAX],
    [0, 1],
  ]);
  assertEquals(batches.flatMap((batch) => batch.remove), remove);
  assertEquals(batches.flatMap((batch) => batch.add), add);
  assertEquals([...batchesOf({ add: [], remove: [] })], []);
});
