/**
 * Many at once: several sources for one receiver, several receivers of one file, rates that have to
 * hold. All peers are real programs, and the figures are what the receiving ones report of
 * themselves.
 * @module
 */

import { PIECE_BYTES } from "../../lib/core/content.ts";
import { eventually } from "../support/wait.ts";
import { cpuMsOf, median } from "./measure.ts";
import { type BenchRow, rangeOf } from "./report.ts";
import { BenchRoom, getInShell } from "./room.ts";

const RATE = 40_000_000;
const UP = ["--up", "40MB/s"];
const SECONDS = 8;

/**
 * One receiver of a file that 1, 2, 4 and 8 sources have. Each source sends no faster than a
 * rate.
 */
export async function benchSources(options: { rounds: number }): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const count of [1, 2, 4, 8]) {
    await using room = await BenchRoom.open(count * RATE * SECONDS);
    for (let number = 0; number < count; number++) await room.source(`source ${number}`, UP);
    await room.hashed(count);
    const speeds: number[] = [];
    for (let round = 0; round < options.rounds; round++) {
      const { fetched, tookMs } = await room.get();
      speeds.push(fetched / tookMs * 1000);
    }
    rows.push({
      what: `${count} × 40 MB/s`,
      figures: {
        "MB/s": median(speeds) / 1e6,
        "range": rangeOf(speeds.map((speed) => speed / 1e6)),
        "ratio": median(speeds) / (count * RATE),
        "receiver MB": Math.round(room.receiverBytes / 1e6),
      },
    });
  }
  return rows;
}

/**
 * The end of a short download: one receiver, already started, of a file that four sources have. The
 * ideal is what their rates allow. Syncing as many bytes to the same disk is measured by itself.
 */
export async function benchEnd(options: { rounds: number }): Promise<BenchRow[]> {
  const [count, size] = [4, 400_000_000];
  const idealMs = size / (count * RATE) * 1000;
  await using room = await BenchRoom.open(size);
  const [name = ""] = room.names;
  for (let number = 0; number < count; number++) await room.source(`source ${number}`, UP);
  await room.hashed(count);
  const [took, first, sync]: [number[], number[], number[]] = [[], [], []];
  for (let round = 0; round < options.rounds; round++) {
    const [receiver] = await room.receivers(1, []);
    if (receiver === undefined) throw new RangeError("There is no receiver");
    const [report] = await getInShell(receiver, room.names);
    took.push(report?.tookMs ?? NaN);
    first.push(report?.firstMs ?? NaN);
    await receiver[Symbol.asyncDispose]();
    sync.push(await syncMs(`${await room.folder("source 0")}/${name}`, `${await room.folder("synced")}/${round}`));
  }
  const figures = {
    "ideal s": idealMs / 1000,
    "s": median(took) / 1000,
    "range": rangeOf(took.map((ms) => ms / 1000)),
    "first byte ms": median(first),
    "sync s": median(sync) / 1000,
    "rest s": (median(took) - idealMs - median(sync)) / 1000,
  };
  return [{ what: "400 MB from 4 × 40 MB/s", figures }];
}

/** How long it takes to sync a new copy of a file. */
async function syncMs(from: string, to: string): Promise<number> {
  await Deno.copyFile(from, to);
  using file = await Deno.open(to, { write: true });
  const start = performance.now();
  await file.syncData();
  const ms = performance.now() - start;
  await Deno.remove(to);
  return ms;
}

/** One seeder and eight receivers that start together. All of them send no faster than a rate. */
export async function benchSwarm(options: { rounds: number }): Promise<BenchRow[]> {
  return await benchReceivers({ ...options, receivers: 8, size: 10 * RATE, up: UP });
}

/**
 * A class: many receivers of a lecture that start together. On two cores the rates are near what
 * encryption and hashing allow.
 */
export async function benchClass(options: { rounds: number }): Promise<BenchRow[]> {
  const size = 150_000_000;
  return [
    ...await benchReceivers({ ...options, receivers: 30, size, up: ["--up", "5MB/s"] }),
    ...await benchReceivers({ ...options, receivers: 60, size, up: ["--up", "2MB/s"] }),
  ];
}

async function benchReceivers(
  options: { rounds: number; receivers: number; size: number; up: readonly string[] },
): Promise<BenchRow[]> {
  const { receivers, rounds, size, up } = options;
  const [ratios, seconds, seeded]: [number[], number[], number[]] = [[], [], []];
  const [costs, starts]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    await using room = await BenchRoom.open(size);
    const seeder = await room.source("seeder", up);
    await room.hashed(1);
    const alone = (await room.get()).tookMs;
    const all = await room.receivers(receivers, up);
    const pids = [room.index, seeder, ...all].map(({ program }) => program.pid);
    const startedMs = await cpuMsOfAll(all.map(({ program }) => program.pid));
    const beforeMs = await cpuMsOfAll(pids);
    const start = performance.now();
    const reports = (await Promise.all(all.map((receiver) => getInShell(receiver, room.names)))).flat();
    const lastMs = performance.now() - start;
    costs.push((await cpuMsOfAll(pids) - beforeMs) / (receivers * size) * 1e6);
    starts.push(startedMs / receivers / 1000);
    ratios.push(lastMs / alone);
    seconds.push(lastMs / 1000);
    const fromSeeder = reports.flatMap(({ sources }) => sources.filter(({ peer }) => peer === "seeder"));
    seeded.push(fromSeeder.reduce((sum, { bytes }) => sum + bytes, 0) / size);
  }
  const figures = {
    "last after s": median(seconds),
    "ratio": median(ratios),
    "range": rangeOf(ratios),
    "seeder sent": median(seeded),
    // Of all processes together, from the moment at which all are started.
    "CPU s/GB": median(costs),
    "CPU s of a start": median(starts),
  };
  return [{ what: `${receivers} receivers, 1 seeder, ${up.join(" ")}`, figures }];
}

/** CPU milliseconds that running processes have used so far, together. */
async function cpuMsOfAll(pids: readonly number[]): Promise<number> {
  return (await Promise.all(pids.map(cpuMsOf))).reduce((sum, ms) => sum + ms, 0);
}

/**
 * Four sources: one is killed at 30 %, one sends wrong bytes, and one goes silent. They are
 * compared with what the sources that are left could do.
 */
export async function benchLosses(options: { rounds: number }): Promise<BenchRow[]> {
  const rate = 20_000_000;
  const size = 15 * rate;
  const ratios: number[] = [];
  for (let round = 0; round < options.rounds; round++) {
    await using room = await BenchRoom.open(size);
    const [name = ""] = room.names;
    const up = ["--up", "20MB/s"];
    await room.source("good", up);
    const killed = await room.source("killed", up);
    const silent = await room.source("silent", up);
    await room.source("liar", up, { copies: true });
    await room.hashed(4);
    await spoil(`${await room.folder("liar")}/${name}`, size);
    const [receiver] = await room.receivers(1, []);
    if (receiver === undefined) throw new RangeError("There is no receiver");
    const getting = getInShell(receiver, room.names);
    await eventually("30 % are there", async () => {
      // Also gives the line that starts the download the time to be typed.
      await new Promise((resolve) => setTimeout(resolve, 200));
      await receiver.program.type("transfers");
      const views = receiver.program.stdout.split("\n").filter((line) => /^\{"event":"transfer".*\}$/.test(line));
      return JSON.parse(views.at(-1) ?? "{}").done > 0.3 * size;
    }, 60_000);
    killed.program.kill("SIGKILL");
    silent.program.kill("SIGSTOP");
    const [report] = await getting;
    silent.program.kill("SIGCONT");
    if (report === undefined) throw new RangeError("There is no report");
    const others = report.sources.filter(({ peer }) => peer !== "good").reduce((sum, { bytes }) => sum + bytes, 0);
    ratios.push(report.tookMs / ((size - others) / rate * 1000));
  }
  return [{ what: "1 left of 4", figures: { "ratio": median(ratios), "range": rangeOf(ratios) } }];
}

/** Changes a byte in every piece of a file, behind its owner's back. */
async function spoil(path: string, size: number): Promise<void> {
  const { atime, mtime } = await Deno.stat(path);
  using file = await Deno.open(path, { write: true });
  for (let at = 1000; at < size; at += PIECE_BYTES) {
    await file.seek(at, Deno.SeekMode.Start);
    await file.write(new Uint8Array([1]));
  }
  await file.utime(atime ?? new Date(), mtime ?? new Date());
}

/** Rates, over ten seconds, as the receiver measures them. */
export async function benchRates(options: { rounds: number }): Promise<BenchRow[]> {
  const rate = 10_000_000;
  const limit = "10MB/s";
  const cases: [what: string, source: string[], taker: string[], atOnce: number][] = [
    ["--up 10MB/s", ["--up", limit], [], 1],
    ["--down 10MB/s", [], ["--down", limit], 1],
    ["--up 10MB/s, 5 transfers", ["--up", limit], [], 5],
    ["--down 10MB/s, 5 transfers", [], ["--down", limit], 5],
  ];
  const rows: BenchRow[] = [];
  for (const [what, source, taker, atOnce] of cases) {
    await using room = await BenchRoom.open(10 * rate / atOnce, atOnce);
    await room.source("source", source);
    await room.hashed(1);
    const speeds: number[] = [];
    for (let round = 0; round < options.rounds; round++) {
      const [receiver] = await room.receivers(1, taker);
      if (receiver === undefined) throw new RangeError("There is no receiver");
      // Only from the source: receivers of earlier rounds also have the files.
      const reports = await getInShell(receiver, room.names, "--from source");
      const bytes = reports.reduce((sum, { fetched }) => sum + fetched, 0);
      speeds.push(bytes / Math.max(...reports.map(({ tookMs }) => tookMs)) * 1000);
    }
    const figures = {
      "MB/s": median(speeds) / 1e6,
      "ratio": median(speeds) / rate,
      "range": rangeOf(speeds.map((speed) => speed / 1e6)),
    };
    rows.push({ what, figures });
  }
  return rows;
}
