import { assertEquals, assertRejects } from "@std/assert";
import { Failure } from "../../../../lib/core/failure.ts";
import { FairQueue } from "../../../../lib/peer/serve/fair_queue.ts";

/** Asks for a slot as a peer, and records its places and its turn. */
function asks(queue: FairQueue, peer: string, log: string[]): { places: number[]; done: Promise<Disposable> } {
  const places: number[] = [];
  const done = queue.take({ key: peer, address: "10.0.0.1" }, (before) => {
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
  const queue = new FairQueue(2);
  const log: string[] = [];
  const [a, b, c] = ["a", "b", "c"].map((peer) => asks(queue, peer, log));
  await settle();
  assertEquals([log, queue.size, a?.places, c?.places], [["a", "b"], 1, [], [0]]);
  (await b?.done)?.[Symbol.dispose]();
  (await c?.done)?.[Symbol.dispose]();
  (await a?.done)?.[Symbol.dispose]();
  assertEquals(queue.size, 0);
});

Deno.test("FairQueue gives turns to peers one after the other, however many requests each has", async () => {
  const queue = new FairQueue(1);
  const log: string[] = [];
  const granted: Disposable[] = [];
  for (const peer of ["greedy", "greedy", "greedy", "greedy", "b", "c", "b"]) {
    void asks(queue, peer, log).done.then((slot) => granted.push(slot));
  }
  for (let served = 0; served < 7; served++) {
    await settle();
    granted.shift()?.[Symbol.dispose]();
  }
  assertEquals(log, ["greedy", "greedy", "b", "c", "greedy", "b", "greedy"]);
});

Deno.test("FairQueue reports to each peer its place, and again when the place changes", async () => {
  const queue = new FairQueue(1);
  const log: string[] = [];
  const first = asks(queue, "first", log);
  const waiting = ["a", "b", "c"].map((peer) => asks(queue, peer, log));
  await settle();
  assertEquals(waiting.map(({ places }) => places), [[0], [1], [2]]);
  (await first.done)[Symbol.dispose]();
  await settle();
  assertEquals(waiting.map(({ places }) => places), [[0], [1, 0], [2, 1]]);
  for (const { done } of waiting) (await done)[Symbol.dispose]();
});

Deno.test("FairQueue places a newcomer beside the peers with the fewest turns", async () => {
  const queue = new FairQueue(1);
  const log: string[] = [];
  const first = asks(queue, "a", log);
  const [second, third] = [asks(queue, "a", log), asks(queue, "a", log)];
  const newcomer = asks(queue, "new", log);
  await settle();
  (await first.done)[Symbol.dispose]();
  (await second.done)[Symbol.dispose]();
  (await newcomer.done)[Symbol.dispose]();
  (await third.done)[Symbol.dispose]();
  assertEquals(log, ["a", "a", "new", "a"]);
});

Deno.test("FairQueue forgets a peer whose place cannot be reported", async () => {
  const queue = new FairQueue(1);
  const slot = await queue.take({ key: "a", address: "10.0.0.1" }, () => Promise.resolve());
  const gone = assertRejects(
    () => queue.take({ key: "b", address: "10.0.0.1" }, () => Promise.reject(new Failure("closed", "gone"))),
    Failure,
  );
  assertEquals((await gone).code, "closed");
  assertEquals(queue.size, 0);
  slot[Symbol.dispose]();
  slot[Symbol.dispose]();
  (await queue.take({ key: "c", address: "10.0.0.1" }, () => Promise.resolve()))[Symbol.dispose]();
});
