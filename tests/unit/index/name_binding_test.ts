import { assertEquals } from "@std/assert";
import { NAMES_BOUND_MAX } from "../../../lib/core/limits.ts";
import { NameBinding } from "../../../lib/index/name_binding.ts";

Deno.test("NameBinding frees only names of the addresses that made up too many", () => {
  const binding = new NameBinding();
  binding.bind("ana", "id of ana", "192.168.1.5");
  binding.bind("rui", "id of rui", "192.168.1.6");
  const isAnothers = (...keys: string[]): boolean[] => keys.map((key) => binding.isOfAnother(key, "somebody"));
  for (let number = 0; number < NAMES_BOUND_MAX - 2; number++) {
    binding.bind(`${number}`, "eve", `10.0.0.${number % 11}`);
  }
  assertEquals(isAnothers("ana", "rui", "0", "10"), [true, true, true, true]);
  for (let number = 0; number < NAMES_BOUND_MAX; number++) {
    binding.bind(`more ${number}`, "eve", `10.0.0.${number % 11}`);
  }
  assertEquals(isAnothers("ana", "rui", "0", "10"), [true, true, false, false]);
  binding.bind("rui", "id of rui", "192.168.1.7");
  assertEquals(isAnothers("ana", "rui"), [true, true]);
});
