import { assert, assertEquals } from "@std/assert";
import { Failure } from "../../../lib/core/failure.ts";
import type { Source } from "../../../lib/transfer/lane.ts";
import { type Asker, SmallPlan } from "../../../lib/transfer/small_plan.ts";

const FAILURE = new Failure("closed", "it closed");

function source(peer: string): Source {
  return { peer, id: peer, address: { host: "127.0.0.1", port: 1 }, plain: true, name: `${peer}'s` };
}

/** A plan of `count` files that all of these have. */
function planOf(count: number, ...peers: string[]): SmallPlan {
  return new SmallPlan(Array.from({ length: count }, (_, number) => {
    return { name: `${number}`, size: 1, sources: peers.map(source) };
  }));
}

function takeAll(plan: SmallPlan, asker: Asker, nowMs: number): number[] {
  const taken: number[] = [];
  for (let index; (index = plan.take(asker, nowMs)) !== undefined;) taken.push(index);
  return taken;
}

Deno.test("SmallPlan has each file asked of one peer at first, and the peers begin at different ends", () => {
  const plan = planOf(6, "a", "b");
  const [a, b] = [plan.begin("a", 0), plan.begin("b", 0)];
  assertEquals([plan.take(a, 0), plan.take(b, 0), plan.take(a, 0)], [0, 5, 1]);
  assertEquals(takeAll(plan, b, 0), [4, 3, 2]);
  assertEquals([plan.hasFor("a", 0), plan.hasFor("b", 0)], [false, false]);
});

Deno.test("SmallPlan has what was asked of a late peer asked of a second, and of a third when that is late too", () => {
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

Deno.test("SmallPlan frees what was asked on a connection that ended, but not for a peer that refused it", () => {
  const plan = planOf(2, "a", "b");
  const a = plan.begin("a", 0);
  takeAll(plan, a, 0);
  plan.refused(a, FAILURE);
  plan.end(a, FAILURE);
  assertEquals(takeAll(plan, plan.begin("a", 0), 0), [1]);
  assertEquals(takeAll(plan, plan.begin("b", 0), 0), [0]);
});

Deno.test("SmallPlan names the files for which others are worth looking, and asks those that are found", () => {
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
