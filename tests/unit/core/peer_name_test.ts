import { assertEquals, assertLess, assertMatch, assertThrows } from "@std/assert";
import { Failure } from "../../../lib/core/failure.ts";
import { checkPeerName, freePeerName, peerNameKey, shownPeerName } from "../../../lib/core/peer_name.ts";
import { seededRandom } from "../../support/seeded_random.ts";

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

Deno.test("checkPeerName() refuses characters that show nothing, wherever they stand", () => {
  const blanks = ["\u3164", "\u2800", "\u115f", "\u1160", "\u2065", "\uffa0", "\u00ad", "\u034f", "\u17b4", "\u180e"];
  const others = [
    "\u200b",
    "\u200c",
    "\u2060",
    "\ufe00",
    "\ufeff",
    "\ufff0",
    "\ufffc",
    "\u{1d159}",
    "\u{e0001}",
    "\u{e0100}",
  ];
  for (const blank of [...blanks, ...others]) {
    for (const name of [`ana${blank}`, `${blank}ana`, `a${blank}na`]) {
      assertEquals(assertThrows(() => checkPeerName(name), Failure).code, "bad-name", JSON.stringify(name));
      assertEquals(peerNameKey(name), "ana");
    }
  }
  assertEquals(peerNameKey(checkPeerName("ana ❤\ufe0f")), peerNameKey("ana ❤"), "an emoji's sign makes no other name");
});

Deno.test("peerNameKey() is the same for names that differ only in letters that look alike", () => {
  for (const alike of ["аna", "АNA", "ANΑ", "ΑΝΑ", "аnа"]) assertEquals(peerNameKey(alike), "ana", alike);
  assertEquals(peerNameKey("асе"), peerNameKey("Ace"));
  for (const [a, b] of [["ana", "anna"], ["ива", "иво"], ["学", "字"], ["λ", "l"]] as const) {
    assertEquals(peerNameKey(a) === peerNameKey(b), false, `${a} ${b}`);
  }
});

Deno.test("shownPeerName() marks a name in which a word mixes alphabets", () => {
  for (const mixed of ["аna", "Mаria Lima", "pαulo", "bob Зoя", "ан\u0430n", "שaלום"]) {
    assertEquals(shownPeerName(mixed), `${mixed} (mixed alphabets)`);
  }
  for (
    const plain of [
      "ana",
      "Ана",
      "Ana Ана",
      "ana-2",
      "東京太郎",
      "さくらサクラ桜",
      "Tokyo学",
      "한글이름",
      "अना",
      "O'Brien 7",
      "🎓 ana",
    ]
  ) {
    assertEquals(shownPeerName(plain), plain);
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
