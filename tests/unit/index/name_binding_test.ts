import { assertEquals } from "@std/assert";
import { NAMES_BOUND_PER_ADDRESS_MAX } from "../../../lib/core/limits.ts";
import { NameBinding } from "../../../lib/index/name_binding.ts";

Deno.test("who makes up names pushes out those of the same address, and no others", () => {
  const binding = new NameBinding();
  binding.bind("ana", "id of ana", "192.168.1.5");
  binding.bind("neighbour", "id of neighbour", "192.168.1.9");
  for (let number = 0; number < NAMES_BOUND_PER_ADDRESS_MAX; number++) binding.bind(`${number}`, "eve", "192.168.1.9");
  const isAnothers = ["ana", "neighbour", "0"].map((key) => binding.isOfAnother(key, "somebody"));
  assertEquals(isAnothers, [true, false, true]);
  binding.bind("again", "eve", "192.168.1.9");
  assertEquals(["ana", "0", "1"].map((key) => binding.isOfAnother(key, "somebody")), [true, false, true]);
});
