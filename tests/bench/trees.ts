/**
 * Folders with many files from one machine to another: Recess beside rsync and libtorrent, in the
 * same run. In each round everything has its turn. The files of one folder make 1/100 of the tree.
 * @module
 */

import { peerArgs, PROJECT, type RunningIndex, type RunningPeer, startIndex, startPeer } from "../support/programs.ts";
import { runCommand } from "../support/programs.ts";
import { seededRandom } from "../support/seeded_random.ts";
import { randomBytes, TempFolder } from "../support/temp.ts";
import { eventually } from "../support/wait.ts";
import { Seeder } from "./libtorrent.ts";
import { type Cost, costOf, idle, median, timed } from "./measure.ts";
import { startRsync } from "./references.ts";
import { type BenchRow, rangeOf } from "./report.ts";

const FOLDERS = 100;
const TREE = "tree";
const LARGE = "large.bin";
const LISTED_MS = 120_000;
const HASHED_SEEN = 2_000;

/** Files of one size, in a hundred folders. */
export interface Tree {
  readonly files: number;
  readonly bytes: number;
}

/** How one contender moved the whole tree. */
export interface TreeRun {
  /** Until every file was there, as the receiving program reports it. */
  readonly tookMs: number;
  /** The receiving program from its start to its end. */
  readonly commandMs: number;
  /** Of both sides. */
  readonly cpuMs: number;
  readonly receiverBytes: number;
  readonly senderBytes: number;
}

interface Contender {
  readonly name: string;
  /** How Recess is compared with it; none for Recess itself. */
  readonly ratio?: string | undefined;
  readonly files: number;
  readonly pid: number;
  /** Moves everything into `folder`, which is empty. */
  move(folder: string, round: number): Promise<{ cost: Cost; tookMs: number }>;
}

/**
 * One row for each contender. With `besideOne`, Recess also moves one file with as many bytes as
 * the tree.
 */
export async function benchTree(options: Tree & { rounds: number; besideOne?: boolean }): Promise<BenchRow[]> {
  const { files, bytes } = options;
  const all = await runTree(options);
  const recess = all.find(({ name }) => name === "recess get")?.runs ?? [];
  return all.map(({ name, runs, files: moved }) => {
    const perSecond = runs.map(({ tookMs }) => moved / tookMs * 1000);
    const ratios = name === "recess get" ? all.filter(({ ratio }) => ratio !== undefined) : [];
    return {
      what: name,
      figures: {
        "files/s": moved === 1 ? undefined : Math.round(median(perSecond)),
        "range": moved === 1 ? undefined : rangeOf(perSecond),
        "MB/s": median(runs.map(({ tookMs }) => files * bytes / tookMs / 1000)),
        ...Object.fromEntries(ratios.map((other) => [
          other.ratio,
          median(recess.map((run, round) => (other.runs[round]?.tookMs ?? NaN) / run.tookMs)),
        ])),
        "CPU ms/file": moved === 1 ? undefined : median(runs.map(({ cpuMs }) => cpuMs / files)),
        "CPU s/GB": median(runs.map(({ cpuMs }) => cpuMs / (files * bytes) * 1e6)),
        "command ms": Math.round(median(runs.map(({ commandMs }) => commandMs))),
        "receiver MB": Math.round(Math.max(...runs.map(({ receiverBytes }) => receiverBytes)) / 1e6),
        "sender MB": Math.round(Math.max(...runs.map(({ senderBytes }) => senderBytes)) / 1e6),
      },
    };
  });
}

/** Moves a tree with all contenders in every round. */
export async function runTree(
  options: Tree & { rounds: number; besideOne?: boolean },
): Promise<{ name: string; ratio?: string | undefined; files: number; runs: TreeRun[] }[]> {
  await using stack = new AsyncDisposableStack();
  const temp = stack.use(await TempFolder.make());
  const folder = await temp.folder("owner", TREE);
  writeTree(folder, options);
  if (options.besideOne) writeLarge(temp.at("owner", LARGE), options);
  const index = stack.use(await startIndex());
  const owner = stack.use(await startPeer({ folder: temp.at("owner"), index, name: "owner" }));
  await hashed(temp, index, owner, options.files);
  const rsync = await startRsync(temp, folder);
  const seeder = await Seeder.start(folder, temp.at("tree.torrent"));
  if (rsync !== undefined) stack.use(rsync);
  if (seeder !== undefined) stack.use(seeder);
  const contenders: Contender[] = [
    ...(rsync === undefined ? [] : [rsyncOf(rsync, options.files)]),
    ...(seeder === undefined ? [] : [libtorrentOf(seeder, options.files)]),
    recessOf(index, owner, `${TREE}/`, options.files),
    ...(options.besideOne ? [recessOf(index, owner, LARGE, 1)] : []),
  ];
  const runs = contenders.map((): TreeRun[] => []);
  for (let round = 0; round < options.rounds; round++) {
    for (const [at, contender] of contenders.entries()) {
      const target = await temp.folder(`target ${at} ${round}`);
      runs[at]?.push(await measured(contender, target, round));
      await Deno.remove(target, { recursive: true });
    }
  }
  return contenders.map(({ name, ratio, files }, at) => ({ name, ratio, files, runs: runs[at] ?? [] }));
}

async function measured(contender: Contender, target: string, round: number): Promise<TreeRun> {
  let moved: { cost: Cost; tookMs: number } | undefined;
  const sender = await costOf(contender.pid, async () => {
    moved = await contender.move(target, round);
  });
  const arrived = countFiles(target);
  if (moved === undefined || arrived !== contender.files) {
    throw new Error(`${contender.name}: ${arrived} files of ${contender.files} arrived`);
  }
  return {
    tookMs: moved.tookMs,
    commandMs: moved.cost.ms,
    cpuMs: moved.cost.cpuMs + sender.cpuMs,
    receiverBytes: moved.cost.peakBytes,
    senderBytes: sender.peakBytes,
  };
}

function rsyncOf({ pid, port }: { pid: number; port: number }, files: number): Contender {
  return {
    name: "rsync from its daemon, not encrypted",
    ratio: "of rsync",
    files,
    pid,
    async move(folder) {
      const cost = await timed("rsync", ["-a", `rsync://127.0.0.1:${port}/tree/`, folder]);
      return { cost, tookMs: cost.ms };
    },
  };
}

function libtorrentOf(seeder: Seeder, files: number): Contender {
  return {
    name: "libtorrent, not encrypted",
    ratio: "of libtorrent",
    files,
    pid: seeder.pid,
    move: (folder) => seeder.get(folder),
  };
}

function recessOf(index: RunningIndex, owner: RunningPeer, what: string, files: number): Contender {
  const isOne = what === LARGE;
  return {
    name: isOne ? "recess get, one file of the same size" : "recess get",
    ratio: isOne ? "of one file" : undefined,
    files,
    pid: owner.program.pid,
    async move(folder, round) {
      // Another name in each round, since a name belongs to the key in its folder.
      const args = peerArgs({ folder, index, name: `taker ${files} ${round}`, args: ["--json"] });
      const cost = await timed(Deno.execPath(), [...args, "get", what], { cwd: PROJECT, keepsOutput: true });
      return { cost, tookMs: JSON.parse(cost.stdout).tookMs };
    },
  };
}

/** Waits until the owner has hashed its files: searches show roots, and it has nothing to do. */
async function hashed(temp: TempFolder, index: RunningIndex, owner: RunningPeer, files: number): Promise<void> {
  const asker = { folder: temp.at("asker"), index, name: "asker", args: ["--json"] };
  const count = Math.min(files, HASHED_SEEN);
  await eventually("the files are hashed", async () => {
    const { stdout } = await runCommand(asker, "search", "--limit", String(count));
    return stdout.split("\n").filter((line) => line.includes('"root"')).length === count;
  }, LISTED_MS);
  await idle(owner.program.pid);
}

/** Writes files that all differ: random bytes after the number of the file. */
function writeTree(folder: string, { files, bytes }: Tree): void {
  const content = randomBytes(bytes, seededRandom(bytes));
  const view = new DataView(content.buffer);
  for (let number = 0; number < FOLDERS; number++) Deno.mkdirSync(`${folder}/folder ${number}`);
  for (let number = 0; number < files; number++) {
    view.setUint32(0, number);
    Deno.writeFileSync(`${folder}/folder ${number % FOLDERS}/file ${number}.txt`, content);
  }
}

/** Writes one file with as many bytes as a tree, whose parts all differ. */
function writeLarge(path: string, { files, bytes }: Tree): void {
  const content = randomBytes(bytes, seededRandom(bytes + 1));
  const view = new DataView(content.buffer);
  using file = Deno.openSync(path, { create: true, write: true });
  for (let number = 0; number < files; number++) {
    view.setUint32(0, number);
    for (let done = 0; done < bytes;) done += file.writeSync(content.subarray(done));
  }
}

/** Files below a folder, without the peer's own state. */
function countFiles(folder: string): number {
  return Array.from(Deno.readDirSync(folder)).filter(({ name }) => name !== ".recess")
    .reduce((sum, { name, isDirectory }) => sum + (isDirectory ? countFiles(`${folder}/${name}`) : 1), 0);
}
