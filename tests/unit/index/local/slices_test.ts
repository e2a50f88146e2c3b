import { assertEquals, assertLess } from "@std/assert";
import { nextTurn } from "../../../../lib/core/flow/clock.ts";
import { Slices } from "../../../../lib/index/local/slices.ts";
import { LocalIndex } from "../../../../lib/index/local/local_index.ts";

Deno.test("thirty lists that change at once delay other work no longer than one list", async () => {
  await using index = new LocalIndex();
  const names = Array.from({ length: 30 }, (_, number) => `peer ${number}`);
  const row = { id: "1d", certificate: "ce", plain: false, host: "10.0.0.5", port: 4000 };
  for (const name of names) await index.join({ ...row, name });
  let [turns, isChanging] = [0, true];
  const turning = (async () => {
    for (; isChanging; turns++) await nextTurn();
  })();
  const startMs = performance.now();
  await Promise.all(names.map((name) => {
    const add = Array.from({ length: 1_000 }, (_, number) => ({ name: `${number} of ${name}.bin`, size: number }));
    return index.update(name, { add, remove: [] });
  }));
  const tookMs = performance.now() - startMs;
  isChanging = false;
  await turning;
  assertEquals((await index.counts()).files, 30_000);
  assertLess(tookMs / turns, 50);
});

Deno.test("Slices gives every waiting caller a slice", async () => {
  const slices = new Slices(1);
  const done: string[] = [];
  const work = async (name: string, items: number): Promise<void> => {
    for (let item = 0; item < items; item++) {
      while (slices.isOver) await slices.next();
      for (const endMs = performance.now() + 2; performance.now() < endMs;);
    }
    done.push(name);
  };
  await Promise.all([work("long", 40), work("short", 2), work("shorter", 1)]);
  assertEquals(done.at(-1), "long");
  await nextTurn();
  await nextTurn();
  assertEquals(slices.isOver, false);
});
