import { assert, assertEquals } from "@std/assert";
import { type Address, formatAddress } from "../../../../lib/core/address.ts";
import { Failure } from "../../../../lib/core/failure.ts";
import { OWN_NAME_TAKEN_MAX, RECONNECT_LAST_MS, RECONNECT_SPREAD_MS } from "../../../../lib/core/limits.ts";
import { indexOrder, isForGood, isLikelyOurs, returnWaitMs } from "../../../../lib/peer/session/return_rules.ts";
import { seededRandom } from "../../../support/seeded_random.ts";

const [A, B, C]: [Address, Address, Address] = [
  { host: "10.0.0.1", port: 1099 },
  { host: "10.0.0.2", port: 1099 },
  { host: "10.0.0.2", port: 1100 },
];

function orders(lost: Address | undefined): Set<string> {
  const random = seededRandom(7);
  const names = new Map([[formatAddress(A), "a"], [formatAddress(B), "b"], [formatAddress(C), "c"]]);
  return new Set(
    Array.from(
      { length: 300 },
      () => indexOrder([A, B, C], lost, random).map((each) => names.get(formatAddress(each))).join(""),
    ),
  );
}

Deno.test("indexOrder() returns every order at random, with the lost index last", () => {
  assertEquals(orders(undefined), new Set(["abc", "acb", "bac", "bca", "cab", "cba"]));
  assertEquals(orders({ ...B }), new Set(["acb", "cab"]));
  assertEquals(orders({ host: "10.0.0.9", port: 1 }).size, 6);
  assertEquals(indexOrder([A], A, () => 0), [A]);
  assertEquals(indexOrder([], A, () => 0), []);
});

Deno.test("returnWaitMs() spreads ten thousand peers evenly over a few seconds", () => {
  const random = seededRandom(3);
  const waits = Array.from({ length: 10_000 }, () => returnWaitMs(0, random));
  assert(waits.every((ms) => ms >= 0 && ms < RECONNECT_SPREAD_MS));
  const perSlot = new Map<number, number>();
  for (const ms of waits) perSlot.set(Math.floor(ms / 100), (perSlot.get(Math.floor(ms / 100)) ?? 0) + 1);
  const expected = 10_000 / (RECONNECT_SPREAD_MS / 100);
  assertEquals(perSlot.size, RECONNECT_SPREAD_MS / 100);
  assert(Math.max(...perSlot.values()) < 1.5 * expected, `${Math.max(...perSlot.values())} in 100 ms`);
});

Deno.test("returnWaitMs() grows from a short second wait to the longest", () => {
  assertEquals([1, 2, 3, 4, 5, 6, 99].map((attempt) => returnWaitMs(attempt, () => 0)), [
    500,
    1000,
    2000,
    4000,
    RECONNECT_LAST_MS / 2,
    RECONNECT_LAST_MS / 2,
    RECONNECT_LAST_MS / 2,
  ]);
});

Deno.test("isForGood() and isLikelyOurs() decide what a refusal means to a peer that comes back", () => {
  const taken = new Failure("name-taken", "x");
  const last = OWN_NAME_TAKEN_MAX;
  const cases: [
    thrown: unknown,
    name: string,
    hadName: string | undefined,
    times: number,
    ours: boolean,
    good: boolean,
  ][] = [
    [taken, "ana", "ana", 1, true, true],
    [taken, "ana", "ana", last, true, true],
    [taken, "ana", "ana", last + 1, false, true],
    [taken, "ana", undefined, 1, false, true],
    [taken, "ana-2", "ana", 1, false, true],
    [new Failure("busy", "x"), "ana", "ana", 0, false, false],
    [new Failure("index-unreachable", "x"), "ana", "ana", 0, false, false],
    [new Failure("timeout", "x"), "ana", "ana", 0, false, false],
    [new Failure("no-member", "x"), "ana", "ana", 0, false, true],
    [new Failure("bad-name", "x"), "ana", "ana", 0, false, true],
    [new TypeError("a bug"), "ana", "ana", 0, false, false],
  ];
  for (const [thrown, name, hadName, times, ours, good] of cases) {
    const told = `${thrown} ${name} ${hadName} ${times}`;
    assertEquals([isLikelyOurs(thrown, { name, hadName, times }), isForGood(thrown)], [ours, good], told);
  }
});
