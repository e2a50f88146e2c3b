/**
 * A file and a folder over lines with a delay, beside curl and rsync over the same line. Both ends
 * are network namespaces, which long_line.py connects. The receiver is a peer that runs already;
 * its time is that from the typed command to the reported end. The index is on its side of the
 * line. Without root and /dev/net/tun there is nothing to measure.
 * @module
 */

import { fileURLToPath } from "node:url";
import { Program, type RunningIndex, startIndexAt, startPeer } from "../support/programs.ts";
import { TempFolder } from "../support/temp.ts";
import { eventually } from "../support/wait.ts";
import { median, timed } from "./measure.ts";
import { type Place, startNginx, startRsync } from "./references.ts";
import { type BenchRow, rangeOf } from "./report.ts";

const SCRIPT = fileURLToPath(new URL("./long_line.py", import.meta.url));
const FILE = "film.bin";
const SMALL_BYTES = 4096;
const MBIT = 200;
const DONE_MS = 300_000;

/** A line between two machines. */
export interface Line {
  readonly roundTripMs: number;
  readonly lossPercent: number;
}

const LINES: readonly Line[] = [
  { roundTripMs: 50, lossPercent: 0 },
  { roundTripMs: 50, lossPercent: 1 },
  { roundTripMs: 5, lossPercent: 0 },
  { roundTripMs: 5, lossPercent: 1 },
];

/** Sizes of what is moved. */
export interface LongLinesOptions {
  readonly rounds: number;
  readonly fileBytes?: number;
  readonly smallFiles?: number;
  readonly lines?: readonly Line[];
}

/** Moves a file and a folder over each line. */
export async function benchLongLines(options: LongLinesOptions): Promise<BenchRow[]> {
  const there = await Deno.stat("/dev/net/tun").catch(() => undefined);
  if (there === undefined || Deno.uid() !== 0) return [];
  const rows: BenchRow[] = [];
  for (const line of options.lines ?? LINES) rows.push(...await benchLine(line, options));
  return rows;
}

async function benchLine(line: Line, options: LongLinesOptions): Promise<BenchRow[]> {
  const { rounds, fileBytes = 60_000_000, smallFiles = 500 } = options;
  await using temp = await TempFolder.make();
  await temp.file(`owner/${FILE}`, fileBytes);
  for (let number = 0; number < smallFiles; number++) {
    await temp.file(`owner/tree/folder ${number % 10}/file ${number}.txt`, SMALL_BYTES, number);
  }
  await using ends = await LongLine.open(line);
  const [near, far] = ends.places;
  await using index = await startIndexAt(near.host, near.within);
  const atIndex = { port: index.port, host: near.host };
  await using _owner = await startPeer({ ...far, folder: temp.at("owner"), index: atIndex, name: "owner" });
  await using nginx = await startNginx(temp, temp.at("owner"), far);
  await using rsync = await startRsync(temp, temp.at("owner", "tree"), far);
  if (nginx === undefined || rsync === undefined) return [];
  await hashed(temp, { near, index }, smallFiles + 1);
  const times = { curl: [], file: [], rsync: [], folder: [] } as Record<"curl" | "file" | "rsync" | "folder", number[]>;
  for (let round = 0; round < rounds; round++) {
    await using taker = await startPeer({
      ...near,
      folder: await temp.folder("taker"),
      index: atIndex,
      name: `taker ${round}`,
      args: ["--json"],
      stdin: "piped",
    });
    const [command = "", ...within] = near.within;
    const url = `http://${far.host}:${nginx.port}/${FILE}`;
    times.curl.push((await timed(command, [...within, "curl", "-s", "-o", temp.at("curl.bin"), url])).ms);
    times.file.push(await getMs(taker.program, FILE));
    const source = `rsync://${far.host}:${rsync.port}/tree/`;
    times.rsync.push((await timed(command, [...within, "rsync", "-a", source, temp.at("synced")])).ms);
    times.folder.push(await getMs(taker.program, "tree/"));
    for (const path of ["taker", "curl.bin", "synced"]) await Deno.remove(temp.at(path), { recursive: true });
  }
  const what = `${line.roundTripMs} ms, ${MBIT} Mbit/s, ${line.lossPercent} % lost`;
  return [
    rowOf(`${what}: ${fileBytes / 1e6} MB`, "curl", times.curl, times.file),
    rowOf(`${what}: ${smallFiles} × 4 KiB`, "rsync", times.rsync, times.folder),
  ];
}

function rowOf(what: string, against: string, reference: readonly number[], own: readonly number[]): BenchRow {
  const ratios = own.map((ms, round) => ms / (reference[round] ?? NaN));
  return {
    what,
    figures: {
      "against": against,
      "its s": median(reference) / 1000,
      "own s": median(own) / 1000,
      "time × its": median(ratios),
      "rate × its": 1 / median(ratios),
      "range": rangeOf(ratios.map((ratio) => 1 / ratio)),
    },
  };
}

/** Types `get` into a peer, and measures until it reports the end. */
async function getMs(program: Program, name: string): Promise<number> {
  const count = (): number => program.stdout.split("\n").filter((line) => /^\{"event":"downloaded"/.test(line)).length;
  const before = count();
  const start = performance.now();
  await program.type(`get "${name}"`);
  for (let ms = 0; count() === before; ms = performance.now() - start) {
    if (program.ended || ms > DONE_MS) throw new Error(`${name} did not come: ${program.stdout}${program.stderr}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return performance.now() - start;
}

/** Waits until the owner lists every file with its root. */
async function hashed(
  temp: TempFolder,
  { near, index }: { readonly near: Place; readonly index: RunningIndex },
  files: number,
): Promise<void> {
  await using looker = await startPeer({
    ...near,
    folder: await temp.folder("looker"),
    index: { port: index.port, host: near.host },
    name: "looker",
    args: ["--json"],
    stdin: "piped",
  });
  await eventually("the files are hashed", async () => {
    const before = looker.program.stdout.length;
    await looker.program.type("search --limit 2000");
    await new Promise((resolve) => setTimeout(resolve, 500));
    const rows = looker.program.stdout.slice(before).split("\n");
    return rows.filter((row) => row.includes('"root"')).length === files;
  });
}

/** Two network namespaces with a long line between them. */
class LongLine implements AsyncDisposable {
  /** Where the receiver runs, and where the sender does. */
  readonly places: readonly [Place, Place];
  readonly #script: Program;

  private constructor(places: readonly [Place, Place], script: Program) {
    this.places = places;
    this.#script = script;
  }

  static async open({ roundTripMs, lossPercent }: Line): Promise<LongLine> {
    const names = ["a", "b"].map((end) => `recess-${Deno.pid}-${end}`);
    const place = (number: number): Place => {
      return { host: `10.88.0.${number + 1}`, within: ["ip", "netns", "exec", names[number] ?? ""] };
    };
    const script = new Program([SCRIPT, ...names, ...[roundTripMs, MBIT, lossPercent].map(String)], {
      runtime: "python3",
    });
    await script.line(/^ready$/);
    return new LongLine([place(0), place(1)], script);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#script.kill("SIGTERM");
    await this.#script.exit();
  }
}
