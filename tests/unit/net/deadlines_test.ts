import { assert, assertEquals } from "@std/assert";
import { Deadlines } from "../../../lib/net/deadlines.ts";
import { eventually } from "../../support/wait.ts";

Deno.test("Deadlines end waits that take too long, each length by itself, and no wait that was over in time", async () => {
  const late: [string, number][] = [];
  const deadlines = new Deadlines<{ name: string }>(({ name }, waitMs) => late.push([name, waitMs]));
  const [a, b, c] = ["a", "b", "c"].map((name) => ({ name }));
  assert(a !== undefined && b !== undefined && c !== undefined);
  deadlines.start(a, 40);
  deadlines.start(b, 40);
  deadlines.start(c, 20);
  deadlines.start(b, 5_000);
  deadlines.stop(b, 40);
  deadlines.stop(c, 40);
  await eventually("two are late", () => late.length === 2);
  assertEquals(late, [["c", 20], ["a", 40]]);
  deadlines.stop(b, 5_000);
});

Deno.test("Deadlines begin a wait anew for whoever begins it again", async () => {
  const late: unknown[] = [];
  const deadlines = new Deadlines<object>((who) => late.push(who));
  const [first, second] = [{}, {}];
  deadlines.start(first, 50);
  deadlines.start(second, 50);
  deadlines.start(first, 50);
  await eventually("both are late", () => late.length === 2);
  assertEquals(late[0] === second, true);
});
