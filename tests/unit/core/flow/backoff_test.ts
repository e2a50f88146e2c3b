import { assert, assertEquals } from "@std/assert";
import { backoffMs } from "../../../../lib/core/flow/backoff.ts";
import { seededRandom } from "../../../support/seeded_random.ts";

Deno.test("backoffMs() doubles up to the last wait and never more", () => {
  const bounds = { firstMs: 100, lastMs: 1000 };
  const longest = [0, 1, 2, 3, 4, 5, 500].map((attempt) => backoffMs(attempt, bounds, () => 1));
  assertEquals(longest, [100, 200, 400, 800, 1000, 1000, 1000]);
  assertEquals(backoffMs(3, bounds, () => 0), 400);
});

Deno.test("backoffMs() spreads peers that failed together", () => {
  const random = seededRandom(1);
  const waits = new Set(
    Array.from({ length: 100 }, () => Math.round(backoffMs(5, { firstMs: 500, lastMs: 15_000 }, random))),
  );
  assert(waits.size > 90, `${waits.size} different waits`);
});
