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
  assertEquals(late.sort(), [["a", 40], ["c", 20]]);
  deadlines.stop(b, 5_000);
});

Deno.test("Deadlines restarts a wait that is begun again", async () => {
  const late: unknown[] = [];
  const deadlines = new Deadlines<object>((who) => late.push(who));
  const [first, second] = [{}, {}];
  deadlines.start(first, 50);
  deadlines.start(second, 50);
  deadlines.start(first, 50);
  await eventually("both are late", () => late.length === 2);
  assertEquals(late[0] === second, true);
});

Deno.test("Deadlines let a program that was held up read what has arrived before anybody counts as late", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using sending = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  using receiving = await listener.accept();
  const late: unknown[] = [];
  const deadlines = new Deadlines<object>((who) => late.push(who));
  const [heard, silent] = [{}, {}];
  deadlines.start(heard, 50);
  deadlines.start(silent, 50);
  const reading = receiving.read(new Uint8Array(1)).then(() => deadlines.stop(heard, 50));
  await sending.write(new Uint8Array(1));
  holdUp(500);
  await reading;
  await eventually("the silent one is late", () => late.length > 0);
  assertEquals([late.length, late[0] === silent], [1, true]);
});

Deno.test("Deadlines end waits also in a program that is held up all the time", async () => {
  const late: unknown[] = [];
  const deadlines = new Deadlines<object>((who) => late.push(who));
  deadlines.start({}, 50);
  const holding = setInterval(() => holdUp(400), 1);
  await eventually("it is late", () => late.length > 0);
  clearInterval(holding);
});

/** Lets nothing else of this program run. */
function holdUp(ms: number): void {
  for (const endMs = performance.now() + ms; performance.now() < endMs;);
}
