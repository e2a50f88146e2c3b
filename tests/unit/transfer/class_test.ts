import { assertGreater, assertLess } from "@std/assert";
import { simulateClass } from "../../support/simulated_swarm.ts";

const SIZE = 150_000_000;
/** Until the receiver has begun, and the owner has sent its first turn. */
const START_MS = 100;

for (const [receivers, bytesPerSecond] of [[8, 5_000_000], [30, 5_000_000], [60, 2_000_000]] as const) {
  const rate = `${bytesPerSecond / 1e6} MB/s`;
  const times = "1.25 times the time of one, and the owner sends the file 1.2 times";
  Deno.test(`plan() lets ${receivers} receivers at ${rate} end in ${times}`, () => {
    for (const [seed, latencyMs] of [[1, 1], [2, 1], [3, 0.2]] as const) {
      const { ratio, ownerSent } = simulateClass({ receivers, size: SIZE, bytesPerSecond, latencyMs, seed });
      assertLess(ratio, 1.25, `seed ${seed}`);
      assertLess(ownerSent, 1.2, `seed ${seed}`);
    }
  });
}

Deno.test("plan() lets a single receiver over a long line wait for no round trip but the first", () => {
  for (const latencyMs of [25, 100]) {
    const { ratio, askedAhead } = simulateClass({
      receivers: 1,
      size: SIZE,
      bytesPerSecond: 25_000_000,
      latencyMs,
      seed: 1,
    });
    assertGreater(askedAhead, 2);
    assertLess((ratio - 1) * SIZE / 25_000_000 * 1000, 2 * START_MS + 4 * latencyMs, `${latencyMs} ms`);
  }
});

Deno.test("plan() asks nobody ahead in a class", () => {
  const { askedAhead } = simulateClass({ receivers: 8, size: SIZE, bytesPerSecond: 5_000_000, latencyMs: 25, seed: 1 });
  assertLess(askedAhead, 8);
});
