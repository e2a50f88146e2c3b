/**
 * What sharing over Redis costs: a server that lists files, another that starts and follows, and
 * Redis between them. lib/index/README.md shows the figures; tests/soak/shared_index_soak.ts holds
 * them to their bounds.
 * @module
 */

import { parseRedisPlace, SharedIndex } from "../../lib/index/shared/shared_index.ts";
import type { SearchIndex } from "../../lib/index/search_index.ts";
import { residentBytes } from "../support/memory.ts";
import { startIndex } from "../support/programs.ts";
import { type RunningRedisServer, startRedis } from "../support/redis.ts";
import { eventually } from "../support/wait.ts";
import type { Flavour } from "./capacity.ts";
import { benchInside } from "./inside.ts";
import { Crowd, runLoad } from "./load.ts";
import type { BenchRow } from "./report.ts";

const PEERS = 10;
const SEARCH_SECONDS = 5;
const FOLLOW_MS_MAX = 300_000;
/** Commands that take Redis longer are written down by it, as many as these. */
const SLOW_US = 5_000;
const SLOW_KEPT = 100_000;

/** What was found. */
export interface SharedFigures {
  readonly registeredPerSecond: number;
  readonly redisBytesPerFile: number;
  /** From the start of another server until it knows everything. */
  readonly followMs: number;
  readonly serverBytesPerFile: number;
  readonly searchP99Ms: number;
  /**
   * How long a script held Redis on average, how many commands held it long, and the longest: as
   * the machine has it, which also does other things.
   */
  readonly scriptMs: number;
  readonly slow: number;
  readonly commands: number;
  readonly slowestMs: number;
}

/** Lists so many files at one server, and starts another. */
export async function measureShared(files: number): Promise<SharedFigures> {
  await using redis = await startRedis({
    args: ["--slowlog-log-slower-than", `${SLOW_US}`, "--slowlog-max-len", `${SLOW_KEPT}`],
  });
  const empty = await redisBytes(redis);
  await using index = await startIndex("--redis", redis.url);
  await using crowd = Crowd.start(index.port, {
    peers: PEERS,
    filesEach: files / PEERS,
    spreadMs: 0,
    processes: 1,
  });
  const { ms } = await crowd.allThere(0);
  const filled = await redisBytes(redis);
  const begunMs = performance.now();
  await using other = await startIndex("--redis", redis.url);
  await eventually("the other server", async () => {
    const ready = await fetch(`http://127.0.0.1:${other.httpPort}/readyz`);
    await ready.body?.cancel();
    return ready.ok;
  }, FOLLOW_MS_MAX);
  const followMs = performance.now() - begunMs;
  const metrics = await (await fetch(`http://127.0.0.1:${other.httpPort}/metrics`)).text();
  const known = Number(/^recess_files (\d+)$/m.exec(metrics)?.[1]);
  if (known !== files) throw new Error(`The other server knows ${known} of ${files} files`);
  const searched = await runLoad(other.port, "search", SEARCH_SECONDS, 1);
  const slow = (await redis.command("SLOWLOG", "GET", "1000")).split("\n").filter((line) => line !== "");
  return {
    registeredPerSecond: files / ms * 1000,
    redisBytesPerFile: (filled - empty) / files,
    followMs,
    serverBytesPerFile: await residentBytes(other.program.pid) / files,
    searchP99Ms: searched["p99"] ?? NaN,
    scriptMs:
      Number(/^cmdstat_evalsha:.*usec_per_call=([\d.]+)/m.exec(await redis.command("INFO", "commandstats"))?.[1]) /
      1000,
    slow: Number(await redis.command("SLOWLOG", "LEN")),
    commands: Number(/^total_commands_processed:(\d+)/m.exec(await redis.command("INFO", "stats"))?.[1]),
    // Of each entry, the third line is how long it took, and the second when that was.
    slowestMs: Math.max(0, ...slow.flatMap((line, at) => isTime(line) ? [Number(slow[at + 1]) / 1000] : [])),
  };
}

/** A row for each number of files. */
export async function benchShared(sizes: readonly number[]): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const files of sizes) {
    const found = await measureShared(files);
    rows.push({
      what: `Redis, ${files.toLocaleString("en-US")} files`,
      figures: {
        "registered/s": Math.round(found.registeredPerSecond),
        "Redis bytes/file": Math.round(found.redisBytesPerFile),
        "server bytes/file": Math.round(found.serverBytesPerFile),
        "fresh server s": found.followMs / 1000,
        "search p99 ms": found.searchP99Ms,
        "a script ms": found.scriptMs,
        "> 5 ms, of a million": found.slow / found.commands * 1e6,
        "slowest ms": found.slowestMs,
      },
    });
  }
  return rows;
}

/** Measures servers that share over a Redis of their own. */
export async function overRedis(bench: (flavour: Flavour) => Promise<BenchRow[]>): Promise<BenchRow[]> {
  await using redis = await startRedis();
  return await bench({ name: "Redis", args: ["--redis", redis.url] });
}

/** Searches inside an index that shares over Redis. */
export async function benchInsideRedis(sizes: readonly number[]): Promise<BenchRow[]> {
  await using redis = await startRedis();
  let opened = 0;
  const open = (): Promise<SearchIndex> => SharedIndex.open(parseRedisPlace(`${redis.url}#${++opened}`));
  return await benchInside("Redis", open, sizes);
}

function isTime(line: string): boolean {
  const seconds = Number(line);
  return Math.abs(seconds - Date.now() / 1000) < 24 * 3600;
}

async function redisBytes(redis: RunningRedisServer): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await redis.command("INFO", "memory"))?.[1]);
}
