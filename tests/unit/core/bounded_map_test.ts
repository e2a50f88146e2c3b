import { assertEquals } from "@std/assert";
import { BoundedMap } from "../../../lib/core/bounded_map.ts";

Deno.test("BoundedMap forgets the entry that was set longest ago", () => {
  const map = new BoundedMap<string, number>(3);
  for (const [value, key] of ["a", "b", "c", "a", "d"].entries()) map.set(key, value);
  assertEquals([...map.values()], [2, 3, 4]);
  assertEquals([map.size, map.has("b"), map.get("a"), map.get("b")], [3, false, 3, undefined]);
});

Deno.test("BoundedMap has room again when a key is deleted", () => {
  const map = new BoundedMap<string, number>(2);
  for (const key of ["a", "b"]) map.set(key, 1);
  map.delete("b");
  map.set("c", 1);
  assertEquals([map.has("a"), map.has("c")], [true, true]);
  map.clear();
  assertEquals(map.size, 0);
});
