import { assert, assertEquals } from "@std/assert";
import { Failure } from "../../../../lib/core/failure.ts";
import type { Source } from "../../../../lib/transfer/content/source.ts";
import type { SmallFile } from "../../../../lib/transfer/small/small_file.ts";
import { type Asker, SmallPlan } from "../../../../lib/transfer/small/small_plan.ts";

const FAILURE = new Failure("closed", "it closed");

function source(peer: string): Source {
  return { peer, id: peer, address: { host: "127.0.0.1", port: 1 }, plain: true, name: `${peer}'s` };
}

function fileOf(name: string, size: number, peers: readonly string[]): SmallFile {
  return { name, size, peers: [], sources: peers.map(source), moreHolders: false };
}

/** A plan of `count` files that all these peers have. */
function planOf(count: number, ...peers: string[]): SmallPlan {
  return new SmallPlan(Array.from({ length: count }, (_, number) => {
    return fileOf(`${number}`, 1, peers);
  }));
}

function takeAll(plan: SmallPlan, asker: Asker, nowMs: number): number[] {
  const taken: number[] = [];
  for (let index; (index = plan.take(asker, nowMs)) !== undefined;) taken.push(index);
  return taken;
}

Deno.test("SmallPlan asks one peer for each file at first, and peers begin at different ends", () => {
  const plan = planOf(6, "a", "b");
  const [a, b] = [plan.begin("a", 0), plan.begin("b", 0)];
  assertEquals([plan.take(a, 0), plan.take(b, 0), plan.take(a, 0)], [0, 5, 1]);
  assertEquals(takeAll(plan, b, 0), [4, 3, 2]);
  assertEquals([plan.hasFor("a", 0), plan.hasFor("b", 0)], [false, false]);
});

Deno.test("SmallPlan asks a second peer when the first is late, and a third when both are", () => {
  const plan = planOf(3, "a", "b", "c");
  const [a, b, c] = [plan.begin("a", 0), plan.begin("b", 0), plan.begin("c", 0)];
  assertEquals(takeAll(plan, a, 0), [0, 1, 2]);
  assert(plan.arrived(a, 900));
  assertEquals(takeAll(plan, b, 1_500), [], "it gave something 600 ms ago");
  assertEquals(takeAll(plan, b, 2_000), [1, 2]);
  assertEquals(takeAll(plan, c, 2_500), [], "the second is in time");
  assertEquals(takeAll(plan, c, 3_000), [1, 2]);
  assertEquals(takeAll(plan, a, 9_000), [], "nobody is asked twice for the same");
  assert(plan.arrived(c, 3_100));
  assert(!plan.arrived(b, 3_200), "the first copy counts");
  assert(!plan.isDone);
  assert(plan.arrived(c, 3_300));
  assert(plan.isDone);
});

Deno.test("SmallPlan asks again for the files of a connection that ended, but not a peer that refused", () => {
  const plan = planOf(2, "a", "b");
  const a = plan.begin("a", 0);
  takeAll(plan, a, 0);
  plan.refused(a, FAILURE);
  plan.end(a, FAILURE);
  assertEquals(takeAll(plan, plan.begin("a", 0), 0), [1]);
  assertEquals(takeAll(plan, plan.begin("b", 0), 0), [0]);
});

Deno.test("SmallPlan names the files that need further holders, and asks those that are found", () => {
  const plan = planOf(2, "a");
  const a = plan.begin("a", 0);
  plan.take(a, 0);
  assertEquals([...plan.troubled(0)], []);
  assertEquals([...plan.troubled(1_000)], [0]);
  plan.addSources(0, [source("b"), source("a")]);
  const b = plan.begin("b", 1_000);
  assertEquals(takeAll(plan, b, 1_000), [0]);
  assertEquals([[...plan.troubled(1_000)], plan.nameAt(0, "b")], [[], "b's"]);
  assertEquals(Array.from(plan.rest(), ({ file, askedOf }) => [file.name, askedOf]), [["0", ["a", "b"]], ["1", []]]);
});

/**
 * A connection with files that it was asked for, and an idle peer that may take some of them over.
 */
interface TakeOver {
  /**
   * How long the peer of the connection needed for each of its first files. Default: it gave none.
   */
  readonly askedEachMs?: number;
  /** How many more files it was then asked for. */
  readonly asked: number;
  /** Time since its last file, or since it was asked. */
  readonly waitedMs?: number;
  /** How long the idle peer needed for each of its files. Default: it gave none. */
  readonly idleEachMs?: number;
  /** The size of each file that may be taken over. The first files have one byte. */
  readonly size?: number;
  /** How long our own rate limit takes for a file. */
  readonly extraMs?: number;
}

/** How many files each peer gives first. */
const BEFORE = 8;

/** The files that the idle peer takes over, counted from the next file of the connection. */
function takenOver(
  { askedEachMs, asked: count, waitedMs = 0, idleEachMs, size = 1, extraMs = 0 }: TakeOver,
): number[] {
  const files = [
    ...Array(BEFORE).fill(fileOf("", 1, ["asked"])),
    ...Array(count).fill(fileOf("", size, ["asked", "idle"])),
    ...Array(BEFORE).fill(fileOf("", 1, ["idle"])),
  ];
  const plan = new SmallPlan(files, { extraMs });
  let nowMs = 0;
  const give = (peer: string, eachMs: number | undefined): Asker => {
    const asker = plan.begin(peer, nowMs);
    for (let given = 0; given < BEFORE; given++) {
      plan.take(asker, nowMs);
      if (eachMs === undefined) plan.refused(asker, FAILURE);
      else plan.arrived(asker, nowMs += eachMs);
    }
    return asker;
  };
  const idle = give("idle", idleEachMs);
  const asked = give("asked", askedEachMs);
  assertEquals(takeAll(plan, asked, nowMs).length, count);
  return takeAll(plan, idle, nowMs + waitedMs).map((index) => index - BEFORE);
}

const TAKE_OVERS: readonly [what: string, situation: TakeOver, taken: readonly number[]][] = [
  ["nothing from a peer that is as fast", { askedEachMs: 10, asked: 32, idleEachMs: 10 }, []],
  ["nothing from a peer that is three times as slow", { askedEachMs: 900, asked: 5, idleEachMs: 300 }, []],
  ["nothing when that saves too little time", { askedEachMs: 40, asked: 5, idleEachMs: 1 }, []],
  [
    "everything from a peer that gives each file just before it is late",
    { askedEachMs: 900, asked: 3, idleEachMs: 10 },
    [
      2,
      1,
      0,
    ],
  ],
  ["the last files from a peer that is soon done with the first", { askedEachMs: 100, asked: 5, idleEachMs: 10 }, [
    4,
    3,
    2,
  ]],
  ["nothing from a peer that was just asked for the first time", { asked: 4, idleEachMs: 10 }, []],
  ["the last files from a peer that has given none for a while", { asked: 3, waitedMs: 100, idleEachMs: 10 }, [2, 1]],
  ["everything from a peer that has given none for longer", { asked: 3, waitedMs: 300, idleEachMs: 10 }, [2, 1, 0]],
  ["the last files from a fast peer that has stopped", {
    askedEachMs: 5,
    asked: 4,
    waitedMs: 150,
    idleEachMs: 5,
  }, [3, 2, 1]],
  ["nothing when it has given no file itself", { askedEachMs: 900, asked: 3, waitedMs: 900 }, []],
  ["nothing from a peer that is at larger files than before", {
    askedEachMs: 10,
    asked: 4,
    waitedMs: 300,
    idleEachMs: 10,
    size: 1_048_576,
  }, []],
  ["less when our own rate limit takes the time", {
    askedEachMs: 40,
    asked: 20,
    idleEachMs: 10,
    extraMs: 510,
  }, [19, 18]],
];

for (const [what, situation, taken] of TAKE_OVERS) {
  Deno.test(`SmallPlan lets an idle peer take over ${what}`, () => {
    assertEquals(takenOver(situation), taken);
  });
}

Deno.test("SmallPlan lets an idle peer take over from the slowest peer first, each file once", () => {
  const files = [["slow", "idle"], ["slow", "idle"], ["slowest", "idle"], ["slowest", "idle"], ["idle"]];
  const plan = new SmallPlan(files.map((peers) => fileOf("", 1, peers)));
  const [idle, slow, slowest] = [plan.begin("idle", 0), plan.begin("slow", 0), plan.begin("slowest", 0)];
  assertEquals([takeAll(plan, slow, 0), takeAll(plan, slowest, 0).sort()], [[0, 1], [2, 3]]);
  plan.take(idle, 0);
  plan.arrived(idle, 10);
  plan.arrived(slow, 500);
  plan.arrived(slowest, 800);
  assertEquals(takeAll(plan, idle, 800), [3, 1]);
  assertEquals(takeAll(plan, plan.begin("idle", 800), 800), []);
});
