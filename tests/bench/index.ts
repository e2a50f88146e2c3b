/**
 * What an index bears: names, searches, joins, with the load in processes of their own.
 * @module
 */

import { fromFileUrl } from "@std/path";
import { peakBytes, residentBytes } from "../support/memory.ts";
import { Program, startIndex } from "../support/programs.ts";
import { cpuMsOf, median } from "./measure.ts";
import type { BenchRow } from "./report.ts";

const LOAD = fromFileUrl(new URL("./index_load.ts", import.meta.url));
const SEARCH_SECONDS = 5;
const JOINS = 1_000;

/** Fills an index with names and searches it: alone, by many at once, and while another peer lists a hundred thousand more. */
export async function benchIndex(options: { peers: number; filesEach: number }): Promise<BenchRow[]> {
  const { peers, filesEach } = options;
  await using index = await startIndex();
  const { pid } = index.program;
  const empty = await residentBytes(pid);
  await using filler = load(index.port, "fill", peers, filesEach);
  const filled = await figures(filler);
  const pings = await run(index.port, "ping", SEARCH_SECONDS, 1);
  const alone = await run(index.port, "search", SEARCH_SECONDS, 1);
  const crowd = await run(index.port, "search", SEARCH_SECONDS, 16);
  await using joiner = load(index.port, "fill", 1, 100_000);
  const meanwhile = await run(index.port, "search", 2, 1);
  const joined = await figures(joiner);
  const names = peers * filesEach;
  const row = (what: string, found: Record<string, number>): BenchRow => ({
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
    { what: "files listed/s", figures: { "searches/s": filled["filesPerSecond"] ?? NaN } },
    { what: "files listed/s, searched meanwhile", figures: { "searches/s": joined["filesPerSecond"] ?? NaN } },
    { what: "memory MB (at most)", figures: { "searches/s": Math.round(await peakBytes(pid) / 1e6) } },
    {
      what: "bytes/name",
      figures: { "searches/s": Math.round((await residentBytes(pid) - empty) / (names + 100_000)) },
    },
  ];
}

/** Joins and leaves, each with its dial-back. */
export async function benchJoins(): Promise<BenchRow[]> {
  await using index = await startIndex();
  const found = await run(index.port, "joins", JOINS, 32);
  return [{
    what: `${JOINS} joins, 32 at once`,
    figures: {
      "joins/s": found["joinsPerSecond"] ?? NaN,
      "p50 ms": found["p50"] ?? NaN,
      "p99 ms": found["p99"] ?? NaN,
    },
  }];
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

function load(port: number, ...args: (string | number)[]): Program {
  return new Program(["run", "--allow-net", "--allow-read", LOAD, String(port), ...args.map(String)]);
}

async function run(port: number, ...args: (string | number)[]): Promise<Record<string, number>> {
  await using program = load(port, ...args);
  return await figures(program);
}

async function figures(program: Program): Promise<Record<string, number>> {
  const [line] = await program.line(/^\{.*\}$/, 600_000);
  return JSON.parse(line);
}
