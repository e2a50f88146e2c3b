/**
 * Redis itself, as fast as `redis-benchmark` finds it on this machine, to compare with what an
 * index makes of it. Where it is not installed, there is nothing to compare with.
 * @module
 */

import { answers } from "../support/components.ts";
import { startRedis } from "../support/redis.ts";
import type { BenchRow } from "./report.ts";

const REQUESTS = "200000";
const TESTS = ["get", "set", "lpush"];
/** Bytes of a value, about those of a note or of a small peer's hash. */
const VALUE_BYTES = 200;
/** Requests on the way at once on one connection. */
const PIPELINES = [1, 16];

/**
 * GET, SET, LPUSH and XADD with fifty connections, one at a time on each and sixteen. No rows where
 * Redis is not installed.
 */
export async function redisReference(): Promise<BenchRow[]> {
  if (!answers("redis-server", ["--version"]) || !answers("redis-benchmark", ["--version"])) return [];
  await using redis = await startRedis();
  const rows: BenchRow[] = [];
  for (const pipeline of PIPELINES) {
    const common = [
      "-p",
      String(redis.port),
      "-n",
      REQUESTS,
      "-d",
      String(VALUE_BYTES),
      "-P",
      String(pipeline),
      "--csv",
    ];
    const found = [
      ...await benchmark([...common, "-t", TESTS.join(",")]),
      ...await benchmark([...common, "XADD", "stream", "MAXLEN", "~", "10000", "*", "peer", "x".repeat(VALUE_BYTES)]),
    ];
    for (const [test, perSecond, p50, p99] of found) {
      const name = test.split(" ")[0] ?? test;
      rows.push({
        what: `reference: ${name}, -P ${pipeline}`,
        figures: { "a second": Math.round(perSecond), "p50 ms": p50, "p99 ms": p99 },
      });
    }
  }
  return rows;
}

/** Each test with requests a second, and the median and the slowest hundredth in milliseconds. */
async function benchmark(
  args: readonly string[],
): Promise<[test: string, perSecond: number, p50: number, p99: number][]> {
  const { stdout, success } = await new Deno.Command("redis-benchmark", { args: [...args] }).output();
  if (!success) throw new Error(`redis-benchmark ${args.join(" ")} failed`);
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  const cells = lines.map((line) => line.split('","').map((cell) => cell.replaceAll('"', "")));
  const [head = [], ...tests] = cells;
  const column = (row: readonly string[], name: string): number => Number(row[head.indexOf(name)]);
  return tests.map((row) => [
    row[0] ?? "",
    column(row, "rps"),
    column(row, "p50_latency_ms"),
    column(row, "p99_latency_ms"),
  ]);
}
