import { assert, assertEquals } from "@std/assert";
import { Deadlines } from "../../../lib/net/deadlines.ts";
import { eventually } from "../../support/wait.ts";

Deno.test("Deadlines end waits of each length that take too long, and no others", async () => {
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
  for (const each of [a, b, c]) deadlines.leave(each);
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

Deno.test("Deadlines have one timer for waits that follow each other, and none when all have left", () => {
  const { setTimeout, clearTimeout } = globalThis;
  const timers = new Set<unknown>();
  let made = 0;
  using _restoring = { [Symbol.dispose]: () => void Object.assign(globalThis, { setTimeout, clearTimeout }) };
  Object.assign(globalThis, {
    setTimeout: () => (timers.add(++made), made),
    clearTimeout: (timer: unknown) => timers.delete(timer),
  });
  const deadlines = new Deadlines<object>(() => {});
  const [first, second] = [{}, {}];
  for (let round = 0; round < 100; round++) {
    for (const who of [first, second]) {
      deadlines.start(who, 1_000);
      deadlines.stop(who, 1_000);
    }
  }
  assertEquals([made, timers.size], [1, 1]);
  deadlines.leave(first);
  assertEquals(timers.size, 1);
  deadlines.leave(second);
  assertEquals(timers.size, 0);
});

Deno.test("Deadlines keep few timers for lengths that are no longer used", () => {
  let timers = 0;
  const { setTimeout, clearTimeout } = globalThis;
  using _restoring = { [Symbol.dispose]: () => void Object.assign(globalThis, { setTimeout, clearTimeout }) };
  Object.assign(globalThis, { setTimeout: () => ++timers, clearTimeout: () => timers-- });
  const deadlines = new Deadlines<object>(() => {});
  const who = {};
  for (let waitMs = 1_000; waitMs < 1_500; waitMs++) {
    deadlines.start(who, waitMs);
    deadlines.stop(who, waitMs);
  }
  assertEquals(timers < 10, true, `${timers}`);
  deadlines.leave(who);
  assertEquals(timers, 0);
});

/** Lets nothing else of this program run. */
function holdUp(ms: number): void {
  for (const endMs = performance.now() + ms; performance.now() < endMs;);
}
