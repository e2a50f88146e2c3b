import { assertEquals, assertLessOrEqual } from "@std/assert";
import { addressShare } from "../../../../lib/core/address.ts";
import { type Holder, Places, type PlacesOptions } from "../../../../lib/core/flow/places.ts";
import { randomBelow } from "../../../../lib/core/random.ts";
import { seededRandom } from "../../../support/seeded_random.ts";

const GRACE_MS = 1_000;

/** Fills places with numbered items, one each 10 ms, and then lets one more in. */
function oneMore(options: PlacesOptions, present: readonly Holder[], holder: Holder, nowMs = 10 * present.length) {
  const places = new Places<number>(options);
  present.forEach((each, item) => places.enter(item, each, 10 * item));
  const entered = places.enter(-1, holder, nowMs);
  return entered.given ? entered.displaced ?? "free" : "refused";
}

const [a, b, c] = ["10.0.0.1", "10.0.0.2", "10.0.0.3"].map((host) => ({ host })) as [Holder, Holder, Holder];
const key = (host: string, name: string): Holder => ({ host, key: name });

Deno.test("Places moves a place from the holder with most to one with fewer", () => {
  const strangers = { total: 4, first: "oldest", graceMs: GRACE_MS } as const;
  const known = { total: 4, first: "newest" } as const;
  const table: [string, PlacesOptions, Holder[], Holder, number | "free" | "refused", number?][] = [
    ["room", strangers, [a, a, a], b, "free"],
    ["one address has all: its oldest goes", strangers, [a, a, a, a], b, 0],
    ["the address with most, not the oldest of all", strangers, [b, a, a, a], c, 1],
    ["the address with most may not push out others", strangers, [b, a, a, a], a, "refused"],
    ["it may after a while, and pushes out its own", strangers, [b, a, a, a], a, 1, 2_000],
    ["two more than nothing are enough", strangers, [a, a, b, b], c, 0],
    ["one more is not enough", strangers, [a, a, b, c], b, "refused"],
    ["everybody has one: the oldest goes after a while", { ...strangers, total: 2 }, [a, b], c, 0, 2_000],
    ["the newest of proven callers goes", known, [a, a, a, a], b, 3],
    [
      "one key makes room for others of its address",
      known,
      [key("h", "x"), key("h", "x"), key("h", "x"), key("h", "y")],
      key("h", "z"),
      2,
    ],
    [
      "it makes no room for itself",
      known,
      [key("h", "x"), key("h", "x"), key("h", "x"), key("h", "y")],
      key("h", "x"),
      "refused",
    ],
    [
      "keys that are made up at one address push out no others",
      known,
      [key("h", "p"), key("h", "p"), key("e", "x"), key("e", "y")],
      key("e", "z"),
      "refused",
    ],
    [
      "a crowd behind one address pushes out nobody of it",
      known,
      ["p", "q", "r", "s"].map((each) => key("h", each)),
      key("h", "t"),
      "refused",
      1e9,
    ],
    [
      "addresses of one /64 are one",
      known,
      ["::1", "::2", "::3", "::4"].map((end) => ({ host: `2001:db8:0:1${end}` })),
      { host: "2001:db8:0:1::5" },
      "refused",
    ],
    [
      "addresses of another /64 are another",
      known,
      ["::1", "::2", "::3", "::4"].map((end) => ({ host: `2001:db8:0:1${end}` })),
      { host: "2001:db8:0:2::5" },
      3,
    ],
  ];
  for (const [what, options, present, holder, expected, nowMs] of table) {
    assertEquals(oneMore(options, present, holder, nowMs), expected, what);
  }
});

Deno.test("Places leaves everybody a fair share, whatever many others do", () => {
  const total = 64;
  const random = seededRandom(11);
  const places = new Places<number>({ total, first: "oldest", graceMs: GRACE_MS });
  const honest = [1, 2, 3].map((end) => ({ host: `10.0.1.${end}` }));
  honest.forEach((holder, at) => places.enter(at, holder, 0));
  for (let item = 100; item < 20_000; item++) {
    places.enter(item, { host: `10.0.0.${randomBelow(random, 8)}` }, item);
    if (random() < 0.1) places.leave(100 + randomBelow(random, item - 99));
    assertLessOrEqual(places.size, total);
  }
  assertEquals(honest.map((_, at) => places.has(at)), [true, true, true]);
});

Deno.test("Places frees a place once, however often it is left", () => {
  const places = new Places<string>({ total: 1, first: "oldest" });
  assertEquals(places.enter("one", a, 0), { given: true, displaced: undefined });
  assertEquals(places.enter("two", b, 9_999), { given: false });
  places.leave("one");
  places.leave("one");
  places.leave("two");
  assertEquals([places.size, places.enter("two", b, 0).given, [...places.items()]], [0, true, ["two"]]);
});

Deno.test("addressShare() is an IPv4 address however it is written, and the /64 of an IPv6 address", () => {
  const table: [string, string][] = [
    ["10.0.0.5", "10.0.0.5"],
    ["::ffff:10.0.0.5", "10.0.0.5"],
    ["::FFFF:0a00:0005", "10.0.0.5"],
    ["0:0:0:0:0:ffff:10.0.0.5", "10.0.0.5"],
    ["::1", "0:0:0:0/64"],
    ["2001:db8::1", "2001:db8:0:0/64"],
    ["2001:DB8:0:0:ffff:ffff:ffff:ffff", "2001:db8:0:0/64"],
    ["2001:db8:0:1::", "2001:db8:0:1/64"],
    ["fe80::1%eth0", "fe80:0:0:0/64"],
    ["odd:host", "odd:host"],
  ];
  for (const [host, share] of table) assertEquals(addressShare(host), share, host);
});
