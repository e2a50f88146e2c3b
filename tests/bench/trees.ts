/**
 * Folders with many files from one machine to another: Recess beside rsync and libtorrent, in the
 * same run. In each round everything has its turn. The files of one folder make 1/100 of the tree.
 * @module
 */

import { runCommand, type RunningIndex, type RunningPeer, startIndex, startPeer } from "../support/programs.ts";
import { seededRandom } from "../support/seeded_random.ts";
import { randomBytes, TempFolder } from "../support/temp.ts";
import { eventually } from "../support/wait.ts";
import { Seeder } from "./libtorrent.ts";
import { idle, median } from "./measure.ts";
import {
  type Contender,
  type ContenderRuns,
  libtorrentOf,
  RECESS,
  recessOf,
  rsyncOf,
  runAll,
  runFigures,
} from "./movers.ts";
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

/**
 * One row for each contender. With `besideOne`, Recess also moves one file with as many bytes as
 * the tree.
 */
export async function benchTree(options: Tree & { rounds: number; besideOne?: boolean }): Promise<BenchRow[]> {
  const { files, bytes } = options;
  const all = await runTree(options);
  return all.map((each) => {
    const { contender, runs } = each;
    const isTree = contender.files === files;
    const perSecond = runs.map(({ tookMs }) => files / tookMs * 1000);
    return {
      what: contender.name,
      figures: {
        "files/s": isTree ? Math.round(median(perSecond)) : undefined,
        "range": isTree ? rangeOf(perSecond) : undefined,
        "CPU ms/file": isTree ? median(runs.map(({ cpuMs }) => cpuMs / files)) : undefined,
        ...runFigures(each, all, files * bytes),
      },
    };
  });
}

/** Moves a tree with all contenders in every round. */
export async function runTree(options: Tree & { rounds: number; besideOne?: boolean }): Promise<ContenderRuns[]> {
  const { files, besideOne = false, rounds } = options;
  await using stack = new AsyncDisposableStack();
  const temp = stack.use(await TempFolder.make());
  const folder = await temp.folder("owner", TREE);
  writeTree(folder, options);
  if (besideOne) writeLarge(temp.at("owner", LARGE), options);
  const index = stack.use(await startIndex());
  const owner = stack.use(await startPeer({ folder: temp.at("owner"), index, name: "owner" }));
  await hashed(temp, index, owner, files);
  const rsync = stack.use(await startRsync(temp, folder));
  const seeder = stack.use(await Seeder.start(folder, temp.at("tree.torrent")));
  const one = { name: "recess get, one file of the same size", what: LARGE, files: 1, ratio: "of one file" };
  const contenders: Contender[] = [
    ...(rsync === undefined ? [] : [rsyncOf(rsync, "", files)]),
    ...(seeder === undefined ? [] : [libtorrentOf(seeder, files)]),
    ...(besideOne ? [recessOf(index, owner, one)] : []),
    recessOf(index, owner, { name: RECESS, what: `${TREE}/`, files }),
  ];
  return await runAll(contenders, { folder: temp.path, rounds });
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
