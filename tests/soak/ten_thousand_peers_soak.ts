/**
 * Ten thousand peers at one index, ten files each: what memory they take, how fast they join and
 * search, and that all of them come back when the index was killed.
 * @module
 */

import { assertLess } from "@std/assert";
import { Crowd, runLoad } from "../bench/load.ts";
import { residentBytes } from "../support/memory.ts";
import { startIndex } from "../support/programs.ts";

const PEERS = 10_000;
const FILES_EACH = 10;
/** They come over so many seconds, each at a moment of its own. */
const SPREAD_MS = 30_000;
const MEMORY_BYTES_MAX = 400_000_000;
const RETURN_MS_MAX = 60_000;
const JOIN_P99_MS_MAX = 5_000;
const SEARCH_P99_MS_MAX = 50;

Deno.test("ten thousand peers join one index, search, and are all back a minute after it was killed", async () => {
  await using index = await startIndex();
  const empty = await residentBytes(index.program.pid);
  await using crowd = Crowd.start(index.port, {
    peers: PEERS,
    filesEach: FILES_EACH,
    spreadMs: SPREAD_MS,
    processes: 2,
  });
  const joined = await crowd.allThere(0, 300_000);
  const searched = await runLoad(index.port, "search", 10, 16);
  const bytes = await residentBytes(index.program.pid);
  console.log(
    `${PEERS} peers joined in ${joined.ms} ms: p50 ${joined.p50.toFixed(1)} ms, p99 ${
      joined.p99.toFixed(1)
    } ms, ${joined.failed} failed; ` +
      `memory ${Math.round(bytes / 1e6)} MB, ${Math.round((bytes - empty) / PEERS)} bytes a peer; ` +
      `search p50 ${searched["p50"]?.toFixed(1)} ms, p99 ${searched["p99"]?.toFixed(1)} ms`,
  );
  await index.program[Symbol.asyncDispose]();

  await using again = await startIndex("--port", String(index.port));
  const returned = await crowd.allThere(1, 2 * RETURN_MS_MAX);
  const bytesAgain = await residentBytes(again.program.pid);
  console.log(
    `all back after ${returned.ms} ms: p50 ${returned.p50.toFixed(1)} ms, p99 ${returned.p99.toFixed(1)} ms, ` +
      `${returned.failed} attempts failed; memory ${Math.round(bytesAgain / 1e6)} MB`,
  );
  assertLess(bytes, MEMORY_BYTES_MAX);
  assertLess(bytesAgain, MEMORY_BYTES_MAX);
  assertLess(joined.p99, JOIN_P99_MS_MAX);
  assertLess(searched["p99"] ?? Infinity, SEARCH_P99_MS_MAX);
  assertLess(returned.ms, RETURN_MS_MAX);
});
