/**
 * What an index bears: names, searches, joins, with the load in processes of their own.
 * @module
 */

import { peakBytes, residentBytes } from "../support/memory.ts";
import { startIndex } from "../support/programs.ts";
import { Crowd, type Figures, runLoad } from "./load.ts";
import { cpuMsOf, median } from "./measure.ts";
import type { BenchRow } from "./report.ts";

const SEARCH_SECONDS = 5;
/** Files that one more peer lists while others search. */
const MEANWHILE = 100_000;

/**
 * Fills an index with names and searches it: alone, by many at once, and while another peer lists a
 * hundred thousand more.
 */
export async function benchIndex(options: { peers: number; filesEach: number }): Promise<BenchRow[]> {
  const { peers, filesEach } = options;
  await using index = await startIndex();
  const { pid } = index.program;
  const empty = await residentBytes(pid);
  await using filler = Crowd.start(index.port, { peers, filesEach, spreadMs: 0, processes: 1 });
  const filledMs = (await filler.allThere(0)).ms;
  const pings = await runLoad(index.port, "ping", SEARCH_SECONDS, 1);
  const alone = await runLoad(index.port, "search", SEARCH_SECONDS, 1);
  const crowd = await runLoad(index.port, "search", SEARCH_SECONDS, 16);
  await using joiner = Crowd.start(index.port, {
    first: peers,
    peers: 1,
    filesEach: MEANWHILE,
    spreadMs: 0,
    processes: 1,
  });
  const meanwhile = await runLoad(index.port, "search", 2, 1);
  const joinedMs = (await joiner.allThere(0)).ms;
  const names = peers * filesEach;
  const row = (what: string, found: Figures): BenchRow => ({
    what,
    figures: {
      "searches/s": found["searchesPerSecond"] ?? NaN,
      "p50 ms": found["p50"] ?? NaN,
      "p99 ms": found["p99"] ?? NaN,
      "p99.9 ms": found["p999"] ?? NaN,
      "max ms": found["max"] ?? NaN,
      "hits": found["hitsEach"] ?? NaN,
    },
  });
  return [
    row("reference: PING, 1 session", pings),
    row(`${names.toLocaleString("en-US")} names, 1 session`, alone),
    row(`${names.toLocaleString("en-US")} names, 16 sessions`, crowd),
    row("while a peer lists 100,000", meanwhile),
    { what: "files listed/s", figures: { "searches/s": perSecond(names, filledMs) } },
    { what: "files listed/s, searched meanwhile", figures: { "searches/s": perSecond(MEANWHILE, joinedMs) } },
    { what: "memory MB (at most)", figures: { "searches/s": Math.round(await peakBytes(pid) / 1e6) } },
    {
      what: "bytes/name",
      figures: { "searches/s": Math.round((await residentBytes(pid) - empty) / (names + MEANWHILE)) },
    },
  ];
}

/** Start to the ready line, and what an index and a peer take that have nothing to do. */
export async function benchStart(options: { rounds: number }): Promise<BenchRow[]> {
  const times: number[] = [];
  const memory: number[] = [];
  const cpu: number[] = [];
  for (let round = 0; round < options.rounds; round++) {
    const start = performance.now();
    await using index = await startIndex();
    times.push(performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, 500));
    memory.push(await residentBytes(index.program.pid) / 1e6);
    cpu.push(await cpuMsOf(index.program.pid));
  }
  return [{
    what: "server.ts",
    figures: {
      "to ready line ms": Math.round(median(times)),
      "idle MB": Math.round(median(memory)),
      "CPU ms": Math.round(median(cpu)),
    },
  }];
}

function perSecond(count: number, ms: number): number {
  return Math.round(count / ms * 1000);
}
