import { assertEquals, assertLess, assertMatch, assertThrows } from "@std/assert";
import { Failure } from "../../../lib/core/failure.ts";
import { checkPeerName, freePeerName, peerNameKey } from "../../../lib/core/peer_name.ts";
import { seededRandom } from "../../../lib/core/random.ts";

Deno.test("checkPeerName() tidies what people type", () => {
  assertEquals(checkPeerName("  Ana   Lúcia "), "Ana Lúcia");
  assertEquals(checkPeerName("ine\u0302s"), "in\u00eas");
  assertEquals(checkPeerName("学"), "学");
});

Deno.test("checkPeerName() refuses what cannot be read out loud", () => {
  for (const name of ["", "   ", "---", "a\nb", "a\u001b[31m", "a\u202eb", "a\u200db", "x".repeat(65), "\u0301"]) {
    assertEquals(assertThrows(() => checkPeerName(name), Failure).code, "bad-name", JSON.stringify(name));
  }
});

Deno.test("freePeerName() counts up and fits", async () => {
  const taken = new Set(["ana", "ana-2"].map(peerNameKey));
  assertEquals(await freePeerName("Ana", (key) => taken.has(key)), "Ana-3");
  const long = "ã".repeat(32);
  assertEquals(await freePeerName(long, () => false), "ã".repeat(31) + "-2");
});

Deno.test("freePeerName() asks some hundred times, however many names somebody has taken in order", async () => {
  let asked = 0;
  const isTaken = (key: string): boolean => (asked += 1) > 0 && Number(key.slice("ana-".length)) <= 100_000;
  const free = await freePeerName("Ana", isTaken, seededRandom(1));
  assertMatch(free, /^Ana-\d{6,9}$/);
  assertLess(asked, 110);
});
