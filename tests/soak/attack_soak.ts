/**
 * An index under attack from one address, all at once: half-open connections, slow ones, joins
 * without end, endless lines, hoarders. An honest peer at another address searches and downloads
 * meanwhile; afterwards the memory is back.
 * @module
 */

import { assert, assertEquals, assertLess } from "@std/assert";
import { fileURLToPath } from "node:url";
import { percentile } from "../bench/measure.ts";
import { IndexClient } from "../support/index_client.ts";
import { peakBytes, residentBytes } from "../support/memory.ts";
import { Program, startInspectedIndex, startPeer } from "../support/programs.ts";
import { sameFiles, TempFolder } from "../support/temp.ts";
import { eventually } from "../support/wait.ts";

const SECONDS = 30;
const ATTACKERS = [["halfopen", 5_000], ["loris", 200], ["joins", 64], ["lines", 8], ["lists", 2]] as const;
const P99_MS_MAX = 100;
const MEMORY_BYTES_MAX = 1_000_000_000;
const MEMORY_GROWTH_MAX = 300_000_000;

Deno.test("an index under attack goes on serving an honest peer, and has its memory back afterwards", async () => {
  await using temp = await TempFolder.make();
  await using index = await startInspectedIndex("--host", "::");
  const at = { host: "::1", port: index.port };
  const source = await temp.file("ana/film.bin", 200_000_000);
  const args = ["--host", "::1", "--index", `[::1]:${index.port}`];
  await using _ana = await startPeer({ folder: temp.at("ana"), index, name: "ana", args: [...args, "--up", "20MB/s"] });
  await using asking = await IndexClient.connect(at);
  await asking.join("asking");
  await eventually("the film is listed", async () => (await asking.search("film"))[0]?.root !== undefined, 60_000);
  const before = await residentBytes(index.program.pid);

  await using stack = new AsyncDisposableStack();
  const script = fileURLToPath(new URL("../support/attackers.ts", import.meta.url));
  for (const [what, count] of ATTACKERS) {
    const start = ["run", "--allow-net", "--allow-read", script, `${index.port}`, `${SECONDS}`, what, `${count}`];
    stack.use(new Program(start));
  }
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  const peers = ["run", "--no-prompt", "--allow-net", "--allow-read", "--allow-write", "peer.ts", temp.at("rui")];
  await using get = new Program([...peers, "--name", "rui", ...args, "get", "film.bin"]);
  const times: number[] = [];
  for (const end = performance.now() + (SECONDS - 6) * 1000; performance.now() < end;) {
    const start = performance.now();
    assertEquals((await asking.search("film")).length, 1);
    times.push(performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const p99 = percentile(times, 0.99);
  console.log(
    `p99 ${p99.toFixed(1)} ms of ${times.length} searches, memory ${await peakBytes(index.program.pid)} bytes`,
  );
  assertEquals(await get.exit(), 0, get.stderr);
  assert(await sameFiles(source, temp.at("rui/film.bin")));
  assertLess(p99, P99_MS_MAX);
  assertLess(await peakBytes(index.program.pid), MEMORY_BYTES_MAX);
  await stack.disposeAsync();
  await eventually("the memory is back", async () => {
    await index.program.collectGarbage();
    return await residentBytes(index.program.pid) < before + MEMORY_GROWTH_MAX;
  }, 60_000);
  assert(!index.program.ended && !/ {2}bug: /.test(index.program.stderr));
});
