import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Clock } from "../../../lib/core/flow/clock.ts";
import { Failure } from "../../../lib/core/failure.ts";
import {
  DIALECT_FILES_IN_ALL_MAX,
  DIALECT_FILES_MAX,
  DIALECT_PEERS_MAX,
  DIALECT_SILENCE_MS_MAX,
} from "../../../lib/core/limits.ts";
import { LocalIndex } from "../../../lib/index/local/local_index.ts";
import { ClassroomPeers } from "../../../lib/server/classroom_peers.ts";
import type { JournalEvent } from "../../../lib/server/journal.ts";
import { eventually } from "../../support/wait.ts";

/** Places for peers, in tests that fill them. */
const PEERS_MAX = 64;
const ADDRESS = { host: "10.0.0.5", port: 8776 };

/** A clock that a test moves. */
class HandClock implements Clock {
  #ms = 0;
  readonly #waiting = new Map<() => void, number>();

  now(): number {
    return this.#ms;
  }

  delay(ms: number, signal?: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.set(resolve, this.#ms + ms);
    signal?.addEventListener("abort", () => reject(signal.reason));
    return promise;
  }

  move(ms: number): void {
    this.#ms += ms;
    for (const [wake, atMs] of this.#waiting) {
      if (atMs > this.#ms) continue;
      this.#waiting.delete(wake);
      wake();
    }
  }
}

function start(peersMax = DIALECT_PEERS_MAX) {
  const index = new LocalIndex();
  const clock = new HandClock();
  const events: JournalEvent[] = [];
  const peers = new ClassroomPeers({ index, clock, peersMax, journal: (event) => events.push(event) });
  return {
    index,
    clock,
    events,
    peers,
    names: async () => (await index.peers({ limit: 100, offset: 0 })).peers.map(({ name }) => name),
    async [Symbol.asyncDispose]() {
      peers[Symbol.dispose]();
      await index[Symbol.asyncDispose]();
    },
  };
}

Deno.test("ClassroomPeers lists a peer under its address; JOIN replaces its list, UPDATE adds to it", async () => {
  await using room = start();
  const { peers, index } = room;
  await peers.join(ADDRESS, "json", ["a.mp4", "b.mp4"]);
  const row = await index.peer("10.0.0.5:8776");
  assertEquals([row?.host, row?.port, row?.plain, row?.dialect, row?.files, row?.bytes], [
    "10.0.0.5",
    8776,
    true,
    "json",
    2,
    0,
  ]);
  await peers.add(ADDRESS, "json", ["b.mp4", "c.mp4"]);
  assertEquals(peers.holders("c.mp4"), [ADDRESS]);
  assertEquals((await index.peer("10.0.0.5:8776"))?.files, 3);
  await peers.join(ADDRESS, "json", ["c.mp4", "d.mp4"]);
  assertEquals([peers.holders("a.mp4"), peers.holders("d.mp4")], [[], [ADDRESS]]);
  assertEquals(await index.copy("10.0.0.5:8776", "a.mp4"), undefined);
  await peers.leave(ADDRESS, "said goodbye");
  assertEquals(await index.counts(), { peers: 0, files: 0, bytes: 0 });
  assertEquals(room.events.map(({ event }) => event), ["joined", "listed", "left"]);
});

Deno.test("ClassroomPeers removes a peer after half an hour without a sign of life, and not earlier", async () => {
  await using room = start();
  const { clock, peers, names } = room;
  const [ana, rui, eva] = [ADDRESS, { host: "10.0.0.6", port: 1 }, { host: "10.0.0.7", port: 1 }];
  await peers.join(ana, "json", ["a.mp4"]);
  await peers.join(rui, "words", ["b.mp4"]);
  await peers.join(eva, "words", ["c.mp4"]);
  clock.move(DIALECT_SILENCE_MS_MAX - 1);
  peers.heard(rui.host, undefined);
  peers.heard(eva.host, 99);
  assertEquals((await names()).length, 3);
  clock.move(1);
  await eventually("two are removed", async () => (await names()).length === 1);
  assertEquals(await names(), ["10.0.0.6:1"]);
  assertEquals(peers.holders("a.mp4"), []);
  clock.move(DIALECT_SILENCE_MS_MAX - 2);
  await peers.add(rui, "words", ["d.mp4"]);
  clock.move(2);
  assertEquals((await names()).length, 1);
  clock.move(DIALECT_SILENCE_MS_MAX);
  await eventually("all are removed", async () => (await names()).length === 0);
  assertEquals(room.events.filter(({ event }) => event === "left").length, 3);
  // A removed peer that sends a request again starts with an empty list.
  await peers.add(rui, "words", ["e.mp4"]);
  assertEquals([await names(), peers.holders("d.mp4")], [["10.0.0.6:1"], []]);
});

Deno.test("ClassroomPeers bounds the files of each peer, the files of all peers, and the peers", async () => {
  await using room = start();
  const { peers } = room;
  const many = Array.from({ length: DIALECT_FILES_MAX }, (_, number) => `${number}.mp4`);
  await peers.join(ADDRESS, "json", many);
  const failure = await assertRejects(() => peers.add(ADDRESS, "json", ["one more.mp4"]), Failure);
  assertEquals(failure.code, "too-large");
  // One address gets nearly all files, and another address still gets some.
  let listed = 1;
  for (; listed <= DIALECT_FILES_IN_ALL_MAX / DIALECT_FILES_MAX; listed++) {
    const refused = await peers.join({ host: ADDRESS.host, port: listed }, "json", many).catch((thrown) => thrown);
    if (refused !== undefined) {
      assertEquals(refused.code, "busy");
      break;
    }
  }
  assert(listed > 30 && listed < DIALECT_FILES_IN_ALL_MAX / DIALECT_FILES_MAX, String(listed));
  await peers.join({ host: "10.3.1.1", port: 1 }, "json", many);
  // A list that becomes shorter makes room.
  await peers.join(ADDRESS, "json", ["a.mp4"]);
  await peers.join({ host: ADDRESS.host, port: listed }, "json", ["a.mp4"]);
});

Deno.test("ClassroomPeers that are full drop the most silent peer of the address with the most peers", async () => {
  await using room = start(PEERS_MAX);
  const { peers, names } = room;
  const other = { host: "10.0.0.9", port: 1 };
  await peers.join(other, "words", ["b.mp4"]);
  for (let port = 1; port < 2 * PEERS_MAX; port++) await peers.join({ host: ADDRESS.host, port }, "json", []);
  assertEquals([peers.size, peers.holders("b.mp4")], [PEERS_MAX, [other]]);
  peers.heard(ADDRESS.host, PEERS_MAX + 1);
  await peers.join({ host: "10.0.0.10", port: 1 }, "words", []);
  const left = await names();
  assertEquals(left.length, PEERS_MAX);
  assert(left.includes(`10.0.0.5:${PEERS_MAX + 1}`), "it sent a sign of life");
  assert(!left.includes(`10.0.0.5:${PEERS_MAX + 2}`), "it was silent for the longest time");
});

Deno.test("ClassroomPeers lists one peer when one address joins twice at once", async () => {
  await using room = start(PEERS_MAX);
  const { peers, names } = room;
  for (let port = 1; port <= PEERS_MAX; port++) {
    await peers.join({ host: ADDRESS.host, port }, "json", []);
  }
  await Promise.all([peers.join(ADDRESS, "json", ["a"]), peers.join(ADDRESS, "json", ["b"])]);
  assertEquals([peers.size, (await names()).length], [PEERS_MAX, PEERS_MAX]);
  assertEquals(peers.holders("b"), [ADDRESS]);
  await peers.leave(ADDRESS, "said goodbye");
  assert(!(await names()).includes("10.0.0.5:8776"));
});

Deno.test("ClassroomPeers leaves no peer behind in the index when peers leave while they join", async () => {
  await using room = start(PEERS_MAX);
  const { peers, names } = room;
  for (let port = 1; port <= PEERS_MAX; port++) {
    await peers.join({ host: ADDRESS.host, port }, "json", ["a"]);
  }
  await Promise.allSettled([peers.join(ADDRESS, "json", ["a"]), peers.leave(ADDRESS, "said goodbye")]);
  assertEquals([peers.size, (await names()).includes("10.0.0.5:8776")], [PEERS_MAX - 1, false]);
  const crowd = Array.from(
    { length: 3 * PEERS_MAX },
    (_, at) => ({ host: ADDRESS.host, port: 1_000 + at }),
  );
  await Promise.allSettled(crowd.map((address) => peers.join(address, "words", ["b"])));
  assertEquals([peers.size, (await names()).length], [PEERS_MAX, PEERS_MAX]);
  await peers.join(ADDRESS, "json", ["c"]);
  assertEquals(peers.holders("c"), [ADDRESS]);
});

Deno.test("ClassroomPeers makes the changes of one peer in order, over any connections", async () => {
  await using room = start();
  const { peers, index } = room;
  await Promise.all([
    peers.join(ADDRESS, "json", ["a"]),
    peers.add(ADDRESS, "json", ["b"]),
    peers.join(ADDRESS, "json", ["c", "d"]),
    peers.add(ADDRESS, "json", ["e"]),
  ]);
  assertEquals((await index.peer("10.0.0.5:8776"))?.files, 3);
  assertEquals(["a", "b", "c", "d", "e"].filter((name) => peers.holders(name).length > 0), ["c", "d", "e"]);
});
