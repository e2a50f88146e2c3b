/**
 * A download by a receiver that already has parts of the file: its older version, or half of it in
 * another file. Recess beside itself with an empty folder, and beside rsync. Called by sections.ts.
 * @module
 */

import { PIECE_BYTES } from "../../lib/core/content.ts";
import { peerArgs, PROJECT, type RunningIndex, startIndex, startPeer } from "../support/programs.ts";
import { TempFolder, writeRandomFile } from "../support/temp.ts";
import { type Cost, costOf, idle, median, timed } from "./measure.ts";
import { type Reference, startRsync } from "./references.ts";
import type { BenchRow } from "./report.ts";

const FILE = "disk.img";
/** One piece in so many is changed: 5 %. */
const CHANGED_EVERY = 20;

/** What the receiver has, and how it gets the rest. */
interface Contender {
  readonly name: string;
  /** The process that sends. */
  readonly pid: number;
  /** Puts into a folder what is there before. */
  prepare(folder: string): Promise<void>;
  /** Gets the file. @returns The cost, and the bytes that the sender sent. */
  get(folder: string): Promise<{ cost: Cost; tookMs: number; sent: number }>;
}

/** One row for each thing that the receiver may have. */
export async function benchVersions(options: { size: number; rounds: number }): Promise<BenchRow[]> {
  const { size, rounds } = options;
  await using stack = new AsyncDisposableStack();
  const temp = stack.use(await TempFolder.make());
  const folder = await temp.folder("owner");
  await writeRandomFile(`${folder}/${FILE}`, size, 1);
  await change(`${folder}/${FILE}`, size);
  const index = stack.use(await startIndex());
  const owner = stack.use(await startPeer({ folder, index, name: "owner" }));
  await idle(owner.program.pid);
  const rsync = await startRsync(temp, folder);
  if (rsync !== undefined) stack.use(rsync);
  const { pid } = owner.program;
  const older = (target: string): Promise<void> => writeRandomFile(`${target}/${FILE}`, size, 1);
  const half = (target: string): Promise<void> => writeRandomFile(`${target}/other.bin`, size / 2, 1);
  const contenders: Contender[] = [
    recessOf(index, { pid, name: "recess get, into an empty folder", prepare: () => Promise.resolve() }),
    recessOf(index, { pid, name: "recess get, 5 % changed", prepare: older }),
    recessOf(index, { pid, name: "recess get, half in another file", prepare: half }),
    ...(rsync === undefined ? [] : [rsyncOf(rsync, older)]),
  ];
  const all = contenders.map((contender) => ({ name: contender.name, runs: new Array<Measured>() }));
  for (let round = 0; round < rounds; round++) {
    for (const [at, contender] of contenders.entries()) {
      const target = await temp.folder(`target ${at} ${round}`);
      all[at]?.runs.push(await measured(contender, target));
      await Deno.remove(target, { recursive: true });
    }
  }
  return all.map(({ name, runs }) => ({
    what: name,
    figures: {
      "sent MB": median(runs.map(({ sent }) => sent / 1e6)),
      s: median(runs.map(({ tookMs }) => tookMs / 1000)),
      "sender CPU s": median(runs.map(({ senderMs }) => senderMs / 1000)),
      "receiver CPU s": median(runs.map(({ receiverMs }) => receiverMs / 1000)),
    },
  }));
}

interface Measured {
  readonly sent: number;
  readonly tookMs: number;
  readonly senderMs: number;
  readonly receiverMs: number;
}

async function measured(contender: Contender, target: string): Promise<Measured> {
  await contender.prepare(target);
  let got: Awaited<ReturnType<Contender["get"]>> | undefined;
  const sender = await costOf(contender.pid, async () => void (got = await contender.get(target)));
  if (got === undefined) throw new Error(`${contender.name} got nothing`);
  return { sent: got.sent, tookMs: got.tookMs, senderMs: sender.cpuMs, receiverMs: got.cost.cpuMs };
}

/** Recess. The receiver has hashed what is in its folder before. */
function recessOf(index: RunningIndex, { pid, name, prepare }: Omit<Contender, "get">): Contender {
  return {
    pid,
    name,
    async prepare(folder) {
      await prepare(folder);
      await using peer = await startPeer({ folder, index, name: folder.slice(-10) });
      await idle(peer.program.pid);
    },
    async get(folder) {
      const args = peerArgs({ folder, index, args: ["--json"] });
      const command = [...args, "get", FILE, "--from", "owner"];
      const cost = await timed(Deno.execPath(), command, { cwd: PROJECT, keepsOutput: true });
      const { tookMs, fetched } = JSON.parse(cost.stdout);
      return { cost, tookMs, sent: fetched };
    },
  };
}

/** rsync, which compares both versions. */
function rsyncOf({ pid, port }: Reference, prepare: Contender["prepare"]): Contender {
  return {
    pid,
    prepare,
    name: "rsync from its daemon, not encrypted, 5 % changed",
    async get(folder) {
      const args = ["-a", "--stats", `rsync://127.0.0.1:${port}/tree/${FILE}`, `${folder}/`];
      const cost = await timed("rsync", args, { keepsOutput: true });
      const sent = Number(/Total bytes received: ([\d,]+)/.exec(cost.stdout)?.[1]?.replaceAll(",", ""));
      return { cost, tookMs: cost.ms, sent };
    },
  };
}

/** Changes the beginning of some pieces. */
async function change(path: string, size: number): Promise<void> {
  using file = await Deno.open(path, { write: true });
  for (let start = 0; start < size; start += CHANGED_EVERY * PIECE_BYTES) {
    await file.seek(start, Deno.SeekMode.Start);
    await file.write(new TextEncoder().encode(`changed ${start}`));
  }
}
