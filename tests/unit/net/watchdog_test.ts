import { assertEquals } from "@std/assert";
import { Watchdog } from "../../../lib/net/watchdog.ts";

function waited(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

Deno.test("Watchdog calls back when nothing moves, not as long as something does", async () => {
  let stalls = 0;
  using watchdog = new Watchdog(100, () => stalls += 1);
  await waited(150);
  assertEquals(stalls, 0, "it watched before anything moved");
  for (let round = 0; round < 6; round++) {
    watchdog.moved();
    await waited(40);
  }
  assertEquals(stalls, 0);
  await waited(250);
  assertEquals(stalls, 1);
});

Deno.test("Watchdog stops when it is disposed of, and leaves no timer", async () => {
  let stalls = 0;
  {
    using watchdog = new Watchdog(20, () => stalls += 1);
    watchdog.moved();
  }
  await waited(60);
  assertEquals(stalls, 0);
});
