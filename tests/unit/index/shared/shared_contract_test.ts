import { assert, assertEquals } from "@std/assert";
import { parseRedisPlace, SharedIndex } from "../../../../lib/index/shared/shared_index.ts";
import { testSearchIndex } from "../../../contract/search_index.ts";
import { withComponent } from "../../../support/components.ts";
import { type RunningRedis, startRedis, startRedisCluster } from "../../../support/redis.ts";
import { eventually } from "../../../support/wait.ts";

const test = withComponent("redis-server", ["--version"]);

for (const [what, start] of [["one Redis", () => startRedis()], ["a Redis cluster", startRedisCluster]] as const) {
  // One for all tests of the suite: each has keys of its own.
  let redis: RunningRedis | undefined;
  let opened = 0;
  testSearchIndex(`SharedIndex over ${what}:`, async () => {
    redis ??= await start();
    const index = await SharedIndex.open(parseRedisPlace(`${redis.url}#test-${++opened}`));
    await eventually("the index", () => index.isCurrent);
    return index;
  }, test);
  test(`SharedIndex over ${what} leaves only owners of names, registrations and old news in Redis`, async () => {
    assert(redis !== undefined);
    await using ending = redis;
    const kept = /:(owner|news|alive)(:|$)|:members:\{registry\}|:peer:\{(chat de ana|renewed)\}/;
    const left = (await ending.keys()).filter((key) => !kept.test(key));
    assertEquals([left, opened > 20], [[], true]);
  });
}
