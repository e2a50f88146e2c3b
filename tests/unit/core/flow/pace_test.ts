import { assert, assertEquals } from "@std/assert";
import type { Clock } from "../../../../lib/core/flow/clock.ts";
import { Pace } from "../../../../lib/core/flow/pace.ts";

/** A clock that moves only when somebody waits for it. */
function steppedClock(): Clock & { ms: number } {
  const waiting: { at: number; wake: () => void }[] = [];
  const clock = {
    ms: 0,
    now: () => clock.ms,
    delay: (ms: number) => {
      return new Promise<void>((resolve) => {
        waiting.push({ at: clock.ms + ms, wake: resolve });
        waiting.sort((a, b) => a.at - b.at);
        queueMicrotask(() => {
          const next = waiting.shift();
          if (next === undefined) return;
          clock.ms = Math.max(clock.ms, next.at);
          next.wake();
        });
      });
    },
  };
  return clock;
}

Deno.test("Pace holds its rate, whatever is asked for at a time", async () => {
  for (const rate of [1_000, 100_000, 10_000_000, 1_000_000_000]) {
    const clock = steppedClock();
    const pace = new Pace(rate, clock);
    for (let moved = 0; moved < 10 * rate; moved += pace.turnBytes) await pace.take(pace.turnBytes);
    const seconds = clock.ms / 1000;
    assert(Math.abs(seconds - 10) < 0.2 + pace.turnBytes / rate, `${rate}: ${seconds} s`);
  }
});

Deno.test("Pace gives all its users the same share", async () => {
  const clock = steppedClock();
  const pace = new Pace(1_000_000, clock);
  const moved = [0, 0, 0];
  await Promise.all(moved.map(async (_, index) => {
    while (clock.ms < 5_000) {
      await pace.take(pace.turnBytes);
      moved[index] = (moved[index] ?? 0) + pace.turnBytes;
    }
  }));
  assert(Math.max(...moved) - Math.min(...moved) <= pace.turnBytes, String(moved));
});

Deno.test("Pace lets no more than a moment's worth go at once after a pause", async () => {
  const clock = steppedClock();
  const pace = new Pace(1_000_000, clock);
  clock.ms = 60_000;
  let free = 0;
  while (clock.ms === 60_000) {
    await pace.take(1_000);
    free += 1_000;
  }
  assertEquals(free <= 160_000, true, String(free));
});
