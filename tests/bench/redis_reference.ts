/**
 * Redis itself, as fast as `redis-benchmark` finds it on this machine, to compare with what an index makes of it. Where it is not installed, there is
 * nothing to compare with.
 * @module
 */

import { eventually } from "../support/wait.ts";
import { freePort } from "./references.ts";
import type { BenchRow } from "./report.ts";

const REQUESTS = "200000";
const TESTS = ["get", "set", "lpush"];
/** Bytes of a value, about those of a note or of a small peer's hash. */
const VALUE_BYTES = 200;
/** Requests on the way at once on one connection. */
const PIPELINES = [1, 16];

/** A redis-server that keeps nothing, on a free port. */
export interface RunningRedis extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
}

/** Starts one; undefined where it is not installed. */
export async function startRedis(): Promise<RunningRedis | undefined> {
  const port = freePort();
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
  try {
    const child = new Deno.Command("redis-server", { args, stdout: "null", stderr: "null" }).spawn();
    await eventually("redis-server answers", async () => {
      const conn = await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => undefined);
      conn?.close();
      return conn !== undefined;
    });
    return {
      pid: child.pid,
      port,
      async [Symbol.asyncDispose]() {
        child.kill("SIGKILL");
        await child.status;
      },
    };
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return undefined;
    throw thrown;
  }
}

/** GET, SET, LPUSH and XADD with fifty connections, one at a time on each and sixteen. No rows where Redis is not installed. */
export async function redisReference(): Promise<BenchRow[]> {
  await using redis = await startRedis();
  if (redis === undefined) return [];
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
