/**
 * One large file into a folder, with the programs that people use for that: Recess beside rsync,
 * scp, aria2 and libtorrent. Called by sections.ts.
 * @module
 */

import { answers } from "../support/components.ts";
import { startIndex, startPeer } from "../support/programs.ts";
import { TempFolder, writeRandomFile } from "../support/temp.ts";
import { Seeder } from "./libtorrent.ts";
import { idle } from "./measure.ts";
import {
  aria2Of,
  type Contender,
  libtorrentOf,
  RECESS,
  recessOf,
  rsyncOf,
  runAll,
  runFigures,
  scpOf,
} from "./movers.ts";
import { startNginx, startRsync, startSshd } from "./references.ts";
import type { BenchRow } from "./report.ts";

const FILE = "file.bin";

/** One row for each program that is installed. */
export async function benchOneFile(options: { size: number; rounds: number }): Promise<BenchRow[]> {
  const { size, rounds } = options;
  await using stack = new AsyncDisposableStack();
  const temp = stack.use(await TempFolder.make());
  const folder = await temp.folder("owner", "one");
  await writeRandomFile(`${folder}/${FILE}`, size, 1);
  const index = stack.use(await startIndex());
  const owner = stack.use(await startPeer({ folder: temp.at("owner"), index, name: "owner" }));
  await idle(owner.program.pid);
  const contenders = [
    ...await references(temp, folder, stack),
    recessOf(index, owner, { name: RECESS, what: FILE, files: 1 }),
  ];
  const all = await runAll(contenders, { folder: temp.path, rounds });
  return all.map((each) => ({ what: each.contender.name, figures: runFigures(each, all, size) }));
}

async function references(temp: TempFolder, folder: string, stack: AsyncDisposableStack): Promise<Contender[]> {
  const rsync = stack.use(await startRsync(temp, folder));
  const sshd = stack.use(await startSshd(temp));
  const nginx = stack.use(answers("aria2c", ["--version"]) ? await startNginx(temp, folder) : undefined);
  const seeder = stack.use(await Seeder.start(folder, temp.at("one.torrent")));
  return [
    ...(rsync === undefined ? [] : [rsyncOf(rsync, FILE, 1)]),
    ...(sshd === undefined ? [] : [scpOf(sshd, temp.at("sshd/ssh_config"), `${folder}/${FILE}`)]),
    ...(nginx === undefined ? [] : [aria2Of(nginx, FILE)]),
    ...(seeder === undefined ? [] : [libtorrentOf(seeder, 1)]),
  ];
}
