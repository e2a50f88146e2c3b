/**
 * Programs that move a folder or a file from one machine to another: Recess and its references. All
 * are measured alike. Called by trees.ts and one_file.ts.
 * @module
 */

import { peerArgs, PROJECT, type RunningIndex, type RunningPeer } from "../support/programs.ts";
import type { Seeder } from "./libtorrent.ts";
import { type Cost, costOf, median, timed } from "./measure.ts";
import type { Reference } from "./references.ts";
import type { BenchRow } from "./report.ts";

/** How the rows of Recess are called. */
export const RECESS = "recess get";

/** What moved, and until when the receiving program had all of it. */
interface Moved {
  readonly cost: Cost;
  readonly tookMs: number;
}

/** How one contender moved everything. */
export interface Run {
  /** Until every file was there, as the receiving program reports it. */
  readonly tookMs: number;
  /** The receiving program from its start to its end. */
  readonly commandMs: number;
  /** Of both sides. */
  readonly cpuMs: number;
  readonly receiverBytes: number;
  readonly senderBytes: number;
}

/** A program that moves files. */
export interface Contender {
  readonly name: string;
  /** The column that compares Recess with this one; none for Recess itself. */
  readonly ratio?: string | undefined;
  /** How many files arrive. */
  readonly files: number;
  /** The process that sends. */
  readonly pid: number;
  /** Moves everything into `folder`, which is empty. */
  move(folder: string, round: number): Promise<Moved>;
}

/** Everything that one contender did. */
export interface ContenderRuns {
  readonly contender: Contender;
  readonly runs: readonly Run[];
}

/** Lets all contenders move everything in each round, into new folders below `folder`. */
export async function runAll(
  contenders: readonly Contender[],
  options: { folder: string; rounds: number },
): Promise<ContenderRuns[]> {
  const all = contenders.map((contender) => ({ contender, runs: new Array<Run>() }));
  for (let round = 0; round < options.rounds; round++) {
    for (const [at, { contender, runs }] of all.entries()) {
      const target = `${options.folder}/target ${at} ${round}`;
      await Deno.mkdir(target);
      runs.push(await measured(contender, target, round));
      await Deno.remove(target, { recursive: true });
    }
  }
  return all;
}

/**
 * Figures of a contender that has moved `size` bytes in each round. Recess is compared with the
 * others: above 1, it was faster.
 */
export function runFigures(
  { contender, runs }: ContenderRuns,
  all: readonly ContenderRuns[],
  size: number,
): BenchRow["figures"] {
  const references = contender.name === RECESS ? all.filter((other) => other.contender.ratio !== undefined) : [];
  const ratios = references.map((other) => [
    other.contender.ratio ?? "",
    median(runs.map(({ tookMs }, round) => (other.runs[round]?.tookMs ?? NaN) / tookMs)),
  ]);
  return {
    "MB/s": median(runs.map(({ tookMs }) => size / tookMs / 1000)),
    "CPU s/GB": median(runs.map(({ cpuMs }) => cpuMs / size * 1e6)),
    ...Object.fromEntries(ratios),
    "command ms": Math.round(median(runs.map(({ commandMs }) => commandMs))),
    "receiver MB": Math.round(Math.max(...runs.map(({ receiverBytes }) => receiverBytes)) / 1e6),
    "sender MB": Math.round(Math.max(...runs.map(({ senderBytes }) => senderBytes)) / 1e6),
  };
}

async function measured(contender: Contender, target: string, round: number): Promise<Run> {
  let moved: Moved | undefined;
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

/** rsync from its daemon: `what` is a path in the daemon's folder, or empty for all of it. */
export function rsyncOf({ pid, port }: Reference, what: string, files: number): Contender {
  return {
    name: "rsync from its daemon, not encrypted",
    ratio: "of rsync",
    files,
    pid,
    async move(folder) {
      const cost = await timed("rsync", ["-a", `rsync://127.0.0.1:${port}/tree/${what}`, `${folder}/`]);
      return { cost, tookMs: cost.ms };
    },
  };
}

/** libtorrent, which moves everything that its seeder has. */
export function libtorrentOf(seeder: Seeder, files: number): Contender {
  return {
    name: "libtorrent, not encrypted",
    ratio: "of libtorrent",
    files,
    pid: seeder.pid,
    move: (folder) => seeder.get(folder),
  };
}

/** aria2 with four connections to nginx. */
export function aria2Of({ pid, port }: Reference, path: string): Contender {
  return {
    name: "aria2 from nginx, 4 connections, not encrypted",
    ratio: "of aria2",
    files: 1,
    pid,
    async move(folder) {
      const args = ["-q", "--no-conf", "-x", "4", "-s", "4", "--file-allocation=none", "-d", folder];
      const cost = await timed("aria2c", [...args, `http://127.0.0.1:${port}/${path}`]);
      return { cost, tookMs: cost.ms };
    },
  };
}

/** scp with AES-GCM, with the configuration that startSshd() has made. */
export function scpOf({ pid }: Reference, config: string, path: string): Contender {
  return {
    name: "scp, AES-GCM",
    ratio: "of scp",
    files: 1,
    pid,
    async move(folder) {
      const cost = await timed("scp", ["-q", "-F", config, `127.0.0.1:${path}`, `${folder}/`]);
      return { cost, tookMs: cost.ms };
    },
  };
}

/** Recess: `what` is what `get` gets. */
export function recessOf(
  index: RunningIndex,
  owner: RunningPeer,
  options: { name: string; what: string; files: number; ratio?: string | undefined },
): Contender {
  const { name, what, files, ratio } = options;
  return {
    name,
    ratio,
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

/** Files below a folder, without the peer's own state. */
function countFiles(folder: string): number {
  return Array.from(Deno.readDirSync(folder)).filter(({ name }) => name !== ".recess")
    .reduce((sum, { name, isDirectory }) => sum + (isDirectory ? countFiles(`${folder}/${name}`) : 1), 0);
}
