import { assertEquals } from "@std/assert";
import type { Clock } from "../../../lib/core/flow/clock.ts";
import { DIAL_BACK_GRACE_MS } from "../../../lib/core/limits.ts";
import { DialBacks } from "../../../lib/server/dial_backs.ts";

/** A clock that stands still until a test moves it. Its waits only let other tasks run. */
class StandingClock implements Clock {
  nowMs = 0;

  now(): number {
    return this.nowMs;
  }

  delay(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve));
  }
}

/** A dial-back of a port that accepts and stays silent. It ends at the signal. */
function silent(ended: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => ended.addEventListener("abort", () => resolve(false)));
}

const answers = (): Promise<boolean> => Promise.resolve(true);

Deno.test("DialBacks ends a dial-back of the address with the most of them, at once, for another address", async () => {
  const dialBacks = new DialBacks(new StandingClock(), { total: 4 });
  const leaving = new AbortController();
  const slow = Array.from({ length: 4 }, () => dialBacks.run({ host: "10.0.0.1" }, silent, leaving.signal));
  assertEquals(await dialBacks.run({ host: "10.0.0.2" }, answers, leaving.signal), true);
  assertEquals([await slow[0], dialBacks.size], [false, 3]);
  leaving.abort();
  assertEquals([await Promise.all(slow), dialBacks.size], [[false, false, false, false], 0]);
});

Deno.test("DialBacks ends a dial-back of the same address after a while, and none while there is room", async () => {
  const clock = new StandingClock();
  const dialBacks = new DialBacks(clock, { total: 2 });
  const leaving = new AbortController();
  const slow = [1, 2].map((key) => dialBacks.run({ host: "10.0.0.1", key: `${key}` }, silent, leaving.signal));
  let isOver = false;
  const next = dialBacks.run({ host: "10.0.0.1", key: "3" }, answers, leaving.signal).finally(() => isOver = true);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assertEquals([isOver, dialBacks.size], [false, 2]);
  clock.nowMs = DIAL_BACK_GRACE_MS;
  assertEquals(await next, true);
  assertEquals(await slow[0], false);
  leaving.abort();
  await slow[1];
});

Deno.test("DialBacks gives no place to a peer that has left", async () => {
  const dialBacks = new DialBacks(new StandingClock(), { total: 1 });
  const [first, second] = [new AbortController(), new AbortController()];
  const slow = dialBacks.run({ host: "10.0.0.1" }, silent, first.signal);
  const waiting = dialBacks.run({ host: "10.0.0.1" }, answers, second.signal);
  second.abort();
  assertEquals(await waiting, false);
  first.abort();
  assertEquals(await slow, false);
});
