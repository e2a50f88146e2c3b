/**
 * How much CPU time a large body costs over HTTP: through lib/http, and through `Deno.serve` as the
 * reference of the same run. Another program reads it and discards it.
 * @module
 */

import { fileURLToPath } from "node:url";
import { Program } from "../support/programs.ts";
import { TempFolder, writeRandomFile } from "../support/temp.ts";
import { costOf, median } from "./measure.ts";
import type { BenchRow } from "./report.ts";

const GIB = 2 ** 30;
const SERVERS = [["recess", "lib/http"], ["deno", "Deno.serve"]] as const;

/** Serves a file of `size` bytes; each server has its turn in every round. */
export async function benchHttp({ size, rounds }: { size: number; rounds: number }): Promise<BenchRow[]> {
  await using temp = await TempFolder.make();
  const path = temp.at("file.bin");
  await writeRandomFile(path, size, 1);
  await using programs = new AsyncDisposableStack();
  const servers = await Promise.all(SERVERS.map(async ([which, what]) => {
    const sender = fileURLToPath(new URL("http_sender.ts", import.meta.url));
    const program = programs.use(new Program(["run", "--allow-net", "--allow-read", sender, which, path]));
    const [, port] = await program.line(/^listening (\d+)$/);
    return { what, pid: program.pid, port: Number(port), runs: new Array<{ ms: number; cpuMs: number }>(), peak: 0 };
  }));
  for (let round = 0; round < rounds; round++) {
    for (const server of servers) {
      const startMs = performance.now();
      const { cpuMs, peakBytes } = await costOf(server.pid, () => discard(server.port, size));
      server.runs.push({ ms: performance.now() - startMs, cpuMs });
      server.peak = peakBytes;
    }
  }
  return servers.map(({ what, runs, peak }) => ({
    what: `${size / GIB} GiB from ${what}`,
    figures: {
      "MB/s": size / 1000 / median(runs.map(({ ms }) => ms)),
      "CPU s/GiB": median(runs.map(({ cpuMs }) => cpuMs)) / 1000 / (size / GIB),
      "peak MB": peak / 1e6,
    },
  }));
}

/** Asks for the file, and reads it to its end. */
async function discard(port: number, size: number): Promise<void> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(new TextEncoder().encode("GET /f HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"));
  const buffer = new Uint8Array(2 ** 20);
  let total = 0;
  for (let read = await conn.read(buffer); read !== null; read = await conn.read(buffer)) total += read;
  if (total < size) throw new Error(`Read ${total} bytes of ${size}`);
}
