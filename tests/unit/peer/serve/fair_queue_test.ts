import { assertEquals, assertRejects } from "@std/assert";
import { Failure } from "../../../../lib/core/failure.ts";
import { FairQueue } from "../../../../lib/peer/serve/fair_queue.ts";

/** Asks for a slot as a peer, and records its places and its turn. */
function asks(line: FairQueue, peer: string, log: string[]): { places: number[]; done: Promise<Disposable> } {
  const places: number[] = [];
  const done = line.take({ key: peer, address: "10.0.0.1" }, (before) => {
    places.push(before);
    return Promise.resolve();
  });
  done.then(() => log.push(peer), () => {});
  return { places, done };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

Deno.test("FairQueue gives free slots at once", async () => {
  const line = new FairQueue(2);
  const log: string[] = [];
  const [a, b, c] = ["a", "b", "c"].map((peer) => asks(line, peer, log));
  await settle();
  assertEquals([log, line.size, a?.places, c?.places], [["a", "b"], 1, [], [0]]);
  (await b?.done)?.[Symbol.dispose]();
  (await c?.done)?.[Symbol.dispose]();
  (await a?.done)?.[Symbol.dispose]();
  assertEquals(line.size, 0);
});

Deno.test("FairQueue gives turns to peers one after the other, however many requests each has", async () => {
  const line = new FairQueue(1);
  const log: string[] = [];
  const granted: Disposable[] = [];
  for (const peer of ["greedy", "greedy", "greedy", "greedy", "b", "c", "b"]) {
    void asks(line, peer, log).done.then((slot) => granted.push(slot));
  }
  for (let served = 0; served < 7; served++) {
    await settle();
    granted.shift()?.[Symbol.dispose]();
  }
  assertEquals(log, ["greedy", "greedy", "b", "c", "greedy", "b", "greedy"]);
});

Deno.test("FairQueue reports to each peer its place, and again when the place changes", async () => {
  const line = new FairQueue(1);
  const log: string[] = [];
  const first = asks(line, "first", log);
  const waiting = ["a", "b", "c"].map((peer) => asks(line, peer, log));
  await settle();
  assertEquals(waiting.map(({ places }) => places), [[0], [1], [2]]);
  (await first.done)[Symbol.dispose]();
  await settle();
  assertEquals(waiting.map(({ places }) => places), [[0], [1, 0], [2, 1]]);
  for (const { done } of waiting) (await done)[Symbol.dispose]();
});

Deno.test("FairQueue places a newcomer beside the peers with the fewest turns", async () => {
  const line = new FairQueue(1);
  const log: string[] = [];
  const first = asks(line, "a", log);
  const [second, third] = [asks(line, "a", log), asks(line, "a", log)];
  const newcomer = asks(line, "new", log);
  await settle();
  (await first.done)[Symbol.dispose]();
  (await second.done)[Symbol.dispose]();
  (await newcomer.done)[Symbol.dispose]();
  (await third.done)[Symbol.dispose]();
  assertEquals(log, ["a", "a", "new", "a"]);
});

Deno.test("FairQueue forgets a peer whose place cannot be reported", async () => {
  const line = new FairQueue(1);
  const slot = await line.take({ key: "a", address: "10.0.0.1" }, () => Promise.resolve());
  const gone = assertRejects(
    () => line.take({ key: "b", address: "10.0.0.1" }, () => Promise.reject(new Failure("closed", "gone"))),
    Failure,
  );
  assertEquals((await gone).code, "closed");
  assertEquals(line.size, 0);
  slot[Symbol.dispose]();
  slot[Symbol.dispose]();
  (await line.take({ key: "c", address: "10.0.0.1" }, () => Promise.resolve()))[Symbol.dispose]();
});
