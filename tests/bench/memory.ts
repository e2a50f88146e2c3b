/**
 * The most memory that both sides take: for one large file, and for many small ones. Called by
 * bench.ts.
 * @module
 */

import { peerArgs, PROJECT, startIndex, startPeer } from "../support/programs.ts";
import { TempFolder, writeRandomFile } from "../support/temp.ts";
import { type Cost, costOf, idle, timed } from "./measure.ts";
import { startNginx, startRsync } from "./references.ts";
import type { BenchRow } from "./report.ts";
import { runTree } from "./trees.ts";

const FILE = "file.bin";
const SMALL_FILE_BYTES = 4096;

/** One row for each way to move a file of `size` bytes, and a tree of `files` small files. */
export async function benchMemory(options: { size: number; files: number }): Promise<BenchRow[]> {
  const { size, files } = options;
  const large = await memoryOfLarge(size);
  const trees = await runTree({ files, bytes: SMALL_FILE_BYTES, rounds: 1 });
  const small = trees.flatMap(({ contender, runs }) => {
    return runs.map((run) => row(`${contender.name}, ${files.toLocaleString("en-US")} files`, run));
  });
  return [...large, ...small];
}

async function memoryOfLarge(size: number): Promise<BenchRow[]> {
  await using stack = new AsyncDisposableStack();
  const temp = stack.use(await TempFolder.make());
  await writeRandomFile(`${await temp.folder("owner")}/${FILE}`, size, 1);
  const index = stack.use(await startIndex());
  const owner = stack.use(await startPeer({ folder: temp.at("owner"), index, name: "owner" }));
  await idle(owner.program.pid);
  const nginx = stack.use(await startNginx(temp, temp.at("owner")));
  const rsync = stack.use(await startRsync(temp, temp.at("owner")));
  const out = temp.at("out.bin");
  const peer = peerArgs({ folder: temp.at("taker"), index, name: "taker" });
  const ways: [what: string, pid: number, command: string, args: readonly string[]][] = [
    ["recess get --output -", owner.program.pid, Deno.execPath(), [...peer, "get", FILE, "--output", "-"]],
    ["recess get", owner.program.pid, Deno.execPath(), [...peer, "get", FILE, "--output", out]],
  ];
  if (nginx !== undefined) {
    const url = `https://127.0.0.1:${nginx.port + 1}/${FILE}`;
    ways.unshift(["nginx, TLS 1.3, curl", nginx.pid, "curl", ["-s", "-k", "-o", "/dev/null", url]]);
  }
  if (rsync !== undefined) {
    ways.unshift(["rsync from its daemon", rsync.pid, "rsync", [`rsync://127.0.0.1:${rsync.port}/tree/${FILE}`, out]]);
  }
  const rows: BenchRow[] = [];
  for (const [what, pid, command, args] of ways) {
    let receiver: Cost | undefined;
    const sender = await costOf(pid, async () => {
      receiver = await timed(command, args, { cwd: PROJECT });
    });
    await Deno.remove(out).catch(() => {});
    const name = `${what}, a file of ${(size / 2 ** 30).toFixed(size < 2 ** 30 ? 2 : 0)} GiB`;
    rows.push(row(name, { receiverBytes: receiver?.peakBytes ?? NaN, senderBytes: sender.peakBytes }));
  }
  return rows;
}

function row(what: string, bytes: { receiverBytes: number; senderBytes: number }): BenchRow {
  const { receiverBytes, senderBytes } = bytes;
  const figures = { "receiver MB": Math.round(receiverBytes / 1e6), "sender MB": Math.round(senderBytes / 1e6) };
  return { what, figures };
}
