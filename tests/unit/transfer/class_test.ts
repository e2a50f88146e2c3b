import { assertLess } from "@std/assert";
import { simulateClass } from "../../support/simulated_swarm.ts";

const SIZE = 150_000_000;

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
