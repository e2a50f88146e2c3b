import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import { Failure } from "../../../../lib/core/failure.ts";
import { BATCH_FILES_MAX } from "../../../../lib/core/limits.ts";
import { ListRoom, nameBytes } from "../../../../lib/index/local/list_room.ts";
import type { IndexedPeer } from "../../../../lib/index/search_index.ts";
import { LocalIndex } from "../../../../lib/index/local/local_index.ts";

const EMPTY = { nameBytes: 0, nodes: 0, copies: 0 };

function peer(name: string, host: string): IndexedPeer {
  return { name, id: "1d".repeat(32), certificate: "ce", plain: false, host, port: 4000 };
}

/**
 * Lists names of a peer, a batch at a time, until the index rejects one.
 *
 * @returns How many names it accepted.
 */
async function fill(index: LocalIndex, name: string, countMax = Infinity): Promise<number> {
  let listed = 0;
  while (listed < countMax) {
    const add = Array.from(
      { length: 100 },
      (_, at) => ({ name: `${name} ${listed + at} ${"x".repeat(100)}`, size: 1 }),
    );
    try {
      listed = await index.update(name, { add, remove: [] });
    } catch (thrown) {
      assert(thrown instanceof Failure && thrown.code === "too-large", String(thrown));
      return listed;
    }
  }
  return listed;
}

Deno.test("ListRoom gives one address nearly all memory, and leaves some for the next", () => {
  const name = "a name of a file.mp4";
  const room = new ListRoom(100 * nameBytes(name));
  const names = (count: number): string[] => Array.from({ length: count }, () => name);
  assertEquals(room.reserve("10.0.0.1", names(89), EMPTY), undefined);
  assert(room.reserve("10.0.0.1", names(88), EMPTY) !== undefined);
  assertEquals(room.reserve("10.0.0.2", names(11), EMPTY), undefined);
  assert(room.reserve("10.0.0.2", names(10), EMPTY) !== undefined);
});

Deno.test("ListRoom counts reserved memory until it is released", () => {
  const room = new ListRoom(100 * nameBytes("x"));
  const names = Array.from({ length: 60 }, () => "x");
  {
    using first = room.reserve("10.0.0.1", names, EMPTY);
    assert(first !== undefined);
    assertEquals(room.reserve("10.0.0.2", names, EMPTY), undefined);
  }
  assert(room.reserve("10.0.0.2", names, EMPTY) !== undefined);
});

Deno.test("ListRoom counts all addresses of one /64 as one address", () => {
  const room = new ListRoom(100 * nameBytes("x"));
  for (let end = 1; end <= 80; end++) room.note(`2001:db8:0:1::${end}`, nameBytes("x"));
  const load = { ...EMPTY, nameBytes: 80 * nameBytes("x") };
  assertEquals(room.reserve("2001:db8:0:1::ffff", Array.from({ length: 10 }, () => "x"), load), undefined);
  assert(room.reserve("2001:db8:0:2::1", Array.from({ length: 10 }, () => "x"), load) !== undefined);
});

Deno.test("LocalIndex rejects names of an address that fills its memory, and accepts those of others", async () => {
  await using index = new LocalIndex({ listBytesMax: 2_000_000 });
  for (const key of ["eve 1", "eve 2", "eve 3"]) await index.join(peer(key, "10.0.0.66"));
  const taken = [await fill(index, "eve 1"), await fill(index, "eve 2"), await fill(index, "eve 3")];
  assert((taken[0] ?? 0) > 1_000, String(taken));
  // Further peers of the same address get no more.
  assertLess((taken[1] ?? 0) + (taken[2] ?? 0), 200);
  const change = { add: [{ name: `eve 1 0 ${"x".repeat(100)}`, size: 9, root: "ab".repeat(32) }], remove: [] };
  assertEquals(await index.update("eve 1", change), taken[0]);
  await index.join(peer("ana", "10.0.0.7"));
  assertEquals(await fill(index, "ana", 100), 100);
  const refused = await assertRejects(() => index.update("eve 2", { add: batch("eve 2"), remove: [] }), Failure);
  assert(refused.hint !== "" && refused.message.includes("no more room"), refused.message);
  await index.leave("eve 1");
  assertLess(1_000, await fill(index, "eve 3"));
});

function batch(name: string): { name: string; size: number }[] {
  return Array.from({ length: BATCH_FILES_MAX }, (_, at) => ({ name: `more of ${name} ${at}`, size: 1 }));
}
