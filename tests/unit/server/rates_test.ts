import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Clock, systemClock } from "../../../lib/core/flow/clock.ts";
import { Failure } from "../../../lib/core/failure.ts";
import { LocalIndex } from "../../../lib/index/local/local_index.ts";
import { IndexServer } from "../../../lib/server/index_server.ts";
import { parseRates, RATES, type Rates } from "../../../lib/server/rates.ts";
import { IndexClient } from "../../support/index_client.ts";

Deno.test("parseRates() reads any of the classes, and rejects everything else with a hint", () => {
  const good: [text: string, rates: Partial<Rates>][] = [
    ["proofs=50", { proofs: 50 }],
    ["questions=1000,requests=5", { questions: 1000, requests: 5 }],
    [" proofs = 1 , questions=9999999", { proofs: 1, questions: 9_999_999 }],
  ];
  for (const [text, rates] of good) assertEquals(parseRates(text), { ...RATES, ...rates }, text);
  const bad = [
    "",
    "proofs",
    "proofs=",
    "proofs=0",
    "proofs=-1",
    "proofs=1.5",
    "proof=1",
    "toString=1",
    "proofs=1,",
    "=1",
  ];
  for (const text of bad) {
    const failure = assertThrows(() => parseRates(text), Failure);
    assertEquals(failure.code, "usage", text);
    assert(failure.hint.includes("questions=200"), failure.hint);
  }
  assertThrows(() => parseRates("proofs=1,proofs=2"), Failure, "two rates for proofs");
});

Deno.test("an index paces the proofs of an address and the questions of a connection", async () => {
  const waits: number[] = [];
  // Nobody has to wait for real: the waits are what is looked at.
  const clock: Clock = { now: () => systemClock.now(), delay: (ms) => Promise.resolve(void waits.push(ms)) };
  await using index = new LocalIndex();
  const rates = { ...RATES, proofs: 2, questions: 1 };
  await using server = await IndexServer.listen({ host: "127.0.0.1", port: 0 }, {
    index,
    journal: () => {},
    rates,
    clock,
  });
  await using ana = await IndexClient.connect(server.address);
  assertEquals(waits, []);
  await ana.search("film");
  assertEquals(waits, [], "the first is answered at once");
  await ana.search("film");
  await ana.search("film");
  const [second = 0, third = 0] = waits;
  assert(second > 500 && third > 1500, `questions waited ${waits}`);
  waits.length = 0;
  await using _rui = await IndexClient.connect(server.address);
  await using _eva = await IndexClient.connect(server.address);
  assert(waits.some((ms) => ms > 400), `proofs waited ${waits}`);
});
