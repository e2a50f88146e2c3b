import { assertEquals } from "@std/assert";
import { Watchdog } from "../../../lib/net/watchdog.ts";
import { eventually } from "../../support/wait.ts";

function waited(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

Deno.test("Watchdog calls back when nothing moves, not as long as something does", async () => {
  let stalls = 0;
  using watchdog = new Watchdog(500, () => stalls += 1);
  await waited(600);
  assertEquals(stalls, 0, "it watched before anything moved");
  for (let round = 0; round < 15; round++) {
    watchdog.moved();
    await waited(40);
  }
  assertEquals(stalls, 0);
  await eventually("a stall", () => stalls > 0);
  await waited(600);
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
