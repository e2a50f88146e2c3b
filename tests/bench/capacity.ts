/**
 * What one index server bears: connected peers, files, joins and searches, at several sizes.
 * `flavour` is more arguments for the server, such as those that make it keep its entries in Redis,
 * so that both are measured alike. lib/index/README.md shows the figures.
 * @module
 */

import { residentBytes } from "../support/memory.ts";
import { type RunningIndex, startIndex } from "../support/programs.ts";
import { Crowd, type Figures, runLoad } from "./load.ts";
import { cpuMsOf } from "./measure.ts";
import type { BenchRow } from "./report.ts";

/**
 * Connections that search at once; an index answers each QUESTIONS_PER_SECOND_MAX times a second at
 * most.
 */
const FLOOD_SESSIONS = 240;
const FLOOD_SECONDS = 5;
const JOINS = 2_000;
const JOINS_AT_ONCE = 32;
/** Peers over which the files of a large index are spread. */
const FILLERS = 10;

/** A way to run an index. */
export interface Flavour {
  readonly name: string;
  readonly args: readonly string[];
}

/** The index of one server, alone. */
export const LOCAL: Flavour = { name: "in memory", args: [] };

/**
 * Joins a second, then for each number of files: how fast they are registered, what they take, and
 * how searches fare.
 */
export async function benchFiles(flavour: Flavour, sizes: readonly number[]): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const files of sizes) {
    await using index = await startIndex(...flavour.args);
    const empty = await residentBytes(index.program.pid);
    await using crowd = Crowd.start(index.port, {
      peers: FILLERS,
      filesEach: files / FILLERS,
      spreadMs: 0,
      processes: 1,
    });
    const { ms } = await crowd.allThere(0);
    const bytes = await residentBytes(index.program.pid) - empty;
    const alone = await runLoad(index.port, "search", FLOOD_SECONDS, 1);
    const { figures, cpuMs } = await flood(index, "flood");
    rows.push({
      what: `${flavour.name}, ${files.toLocaleString("en-US")} files`,
      figures: {
        "registered/s": Math.round(files / ms * 1000),
        "bytes/file": Math.round(bytes / files),
        "searches/s": figures["searchesPerSecond"] ?? NaN,
        "CPU µs each": Math.round(cpuMs * 1000 / (figures["searchesPerSecond"] ?? NaN) / (FLOOD_SECONDS + 1)),
        "hits each": figures["hitsEach"] ?? NaN,
        "p50 ms": alone["p50"] ?? NaN,
        "p99 ms": alone["p99"] ?? NaN,
        "p99.9 ms": alone["p999"] ?? NaN,
      },
    });
  }
  return rows;
}

/** What a connection costs without any search: as many questions as an index answers, and joins. */
export async function benchRequests(flavour: Flavour): Promise<BenchRow[]> {
  await using index = await startIndex(...flavour.args);
  const joined = await runLoad(index.port, "joins", JOINS, JOINS_AT_ONCE);
  const { figures, cpuMs } = await flood(index, "ping-flood");
  const perSecond = figures["searchesPerSecond"] ?? NaN;
  return [{
    what: `${flavour.name}, ${JOINS} joins, ${JOINS_AT_ONCE} at once`,
    figures: {
      "a second": joined["joinsPerSecond"] ?? NaN,
      "p50 ms": joined["p50"] ?? NaN,
      "p99 ms": joined["p99"] ?? NaN,
      "p99.9 ms": joined["p999"] ?? NaN,
    },
  }, {
    what: `reference: PING, ${FLOOD_SESSIONS} at once`,
    figures: {
      "a second": perSecond,
      "p50 ms": figures["p50"] ?? NaN,
      "p99 ms": figures["p99"] ?? NaN,
      "p99.9 ms": figures["p999"] ?? NaN,
      "CPU µs each": Math.round(cpuMs * 1000 / perSecond / (FLOOD_SECONDS + 1)),
    },
  }];
}

/**
 * Connected peers with ten files each: memory, joins, and searches by sixteen others while all of
 * them are there.
 */
export async function benchPeers(flavour: Flavour, counts: readonly number[]): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const peers of counts) {
    await using index = await startIndex(...flavour.args);
    const empty = await residentBytes(index.program.pid);
    await using crowd = Crowd.start(index.port, { peers, filesEach: 10, spreadMs: peers * 3, processes: 2 });
    const joined = await crowd.allThere(0);
    const bytes = await residentBytes(index.program.pid);
    const searched = await runLoad(index.port, "search", FLOOD_SECONDS, 16);
    rows.push({
      what: `${flavour.name}, ${peers.toLocaleString("en-US")} peers with 10 files`,
      figures: {
        "memory MB": Math.round(bytes / 1e6),
        "bytes/peer": Math.round((bytes - empty) / peers),
        "joins/s": Math.round(peers / joined.ms * 1000),
        "join p50 ms": joined.p50,
        "join p99 ms": joined.p99,
        "failed": joined.failed,
        "search p50 ms": searched["p50"] ?? NaN,
        "search p99 ms": searched["p99"] ?? NaN,
      },
    });
  }
  return rows;
}

async function flood(index: RunningIndex, what: string): Promise<{ figures: Figures; cpuMs: number }> {
  const before = await cpuMsOf(index.program.pid);
  const figures = await runLoad(index.port, what, FLOOD_SECONDS, FLOOD_SESSIONS);
  return { figures, cpuMs: await cpuMsOf(index.program.pid) - before };
}
