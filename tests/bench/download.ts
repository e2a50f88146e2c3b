/**
 * How fast a file moves from peer to peer, beside references in the same run: a bare Deno copy, and
 * nginx with curl where they are installed. "ratio" is to the bare copy that does the same work,
 * "to tools" to the same work done with curl, `tee` and `openssl dgst`. Every figure is a median of
 * several rounds; in each round everything has its turn, so that a noisy minute hits all.
 * @module
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  PEER_FLAGS,
  Program,
  PROJECT,
  type RunningIndex,
  type RunningPeer,
  startIndex,
  startPeer,
} from "../support/programs.ts";
import { Identity } from "../../lib/net/identity.ts";
import { TempFolder, writeRandomFile } from "../support/temp.ts";
import { eventually } from "../support/wait.ts";
import { type Cost, costOf, median, timed } from "./measure.ts";
import { type Reference, startNginx, startSshd } from "./references.ts";
import type { BenchRow } from "./report.ts";

const FILE = "file.bin";
const DENO_RUN = ["run", "--allow-net", "--allow-read", "--allow-write"];

interface Contender {
  readonly name: string;
  /** The contender this one's ratio is against; none for the references themselves. */
  readonly against?: string | undefined;
  /** The contender that does the same work with the usual tools, for a second ratio. */
  readonly tools?: string | undefined;
  /**
   * Moves the file once.
   *
   * @returns What the receiving side took, and the sending side.
   */
  run(): Promise<{ receiver: Cost; sender: { cpuMs: number; peakBytes: number } }>;
}

/** Runs all contenders. */
export async function benchDownload(options: { size: number; rounds: number }): Promise<BenchRow[]> {
  const { size, rounds } = options;
  await using temp = await TempFolder.make();
  const path = join(await temp.folder("owner"), FILE);
  await writeRandomFile(path, size, 1);
  await using index = await startIndex();
  await using owner = await startPeer({ folder: temp.at("owner"), index, name: "owner" });
  await Deno.link(path, join(await temp.folder("plain owner"), FILE));
  const plainOwner = { folder: temp.at("plain owner"), index, name: "plain owner", args: ["--plain"] };
  await using plain = await startPeer(plainOwner);
  await eventually("the file is hashed", async () => (await rootListed(temp, index)) !== undefined, 600_000);
  await using copy = new Program(["run", "--allow-net", "--allow-read", moduleAt("reference_sender.ts"), path, "1000"]);
  const copyPort = Number((await copy.line(/^listening (\d+)$/))[1]);
  const { certificatePem, keyPem, host } = await Identity.make();
  const [certificate, key] = [temp.at("cert.pem"), temp.at("key.pem")];
  await Deno.writeTextFile(certificate, certificatePem);
  await Deno.writeTextFile(key, keyPem);
  const tlsArgs = [moduleAt("reference_sender.ts"), path, "1000", certificate, key];
  await using tlsCopy = new Program(["run", "--allow-net", "--allow-read", ...tlsArgs]);
  const tlsPort = Number((await tlsCopy.line(/^listening (\d+)$/))[1]);
  await using nginx = await startNginx(temp, temp.at("owner"));
  await using sshd = await startSshd(temp);
  const scp = ["-F", temp.at("sshd/ssh_config"), `127.0.0.1:${path}`, "/dev/null"];

  const receiver = moduleAt("reference_receiver.ts");
  const deno = Deno.execPath();
  const from = (pid: number, command: string, args: () => readonly string[]): Contender["run"] => async () => {
    let cost: Cost | undefined;
    const sender = await costOf(pid, async () => {
      cost = await timed(command, args(), { cwd: PROJECT });
    });
    if (cost === undefined) throw new Error(`${command} was not run`);
    return { receiver: cost, sender };
  };
  const get = (
    ...extra: string[]
  ): string[] => [...PEER_FLAGS, "peer.ts", temp.at("taker"), ...atIndex(index), "get", FILE, "--from", ...extra];
  const out = temp.at("out.bin");
  const bare = (port: number, ...args: string[]): string[] => [...DENO_RUN, receiver, String(port), ...args];
  const curl = (of: Reference, scheme: "http" | "https", then = ""): Contender["run"] =>
    from(of.pid, "sh", () => ["-c", `curl -s -k '${url(of, scheme)}' ${then || "-o /dev/null"}`]);
  const contenders: Contender[] = [
    { name: "bare Deno copy", run: from(copy.pid, deno, () => bare(copyPort, "plain")) },
    { name: "bare Deno copy, SHA-256", run: from(copy.pid, deno, () => bare(copyPort, "hash")) },
    {
      name: "recess --plain get --output -",
      against: "bare Deno copy, SHA-256",
      run: from(plain.program.pid, deno, () => get("plain owner", "--plain", "--output", "-")),
    },
    {
      name: "bare Deno copy, TLS 1.3, SHA-256",
      run: from(tlsCopy.pid, deno, () => bare(tlsPort, "hash", "-", certificate, host)),
    },
    {
      name: "recess get --output -",
      against: "bare Deno copy, TLS 1.3, SHA-256",
      tools: "nginx, TLS 1.3, curl | openssl",
      run: from(owner.program.pid, deno, () => get("owner", "--output", "-")),
    },
    ...(nginx === undefined ? [] : [
      { name: "nginx, TLS 1.3, curl | openssl", run: curl(nginx, "https", "| openssl dgst -sha256") },
      { name: "nginx, curl", run: curl(nginx, "http") },
      { name: "nginx, curl | openssl", run: curl(nginx, "http", "| openssl dgst -sha256") },
      { name: "nginx, TLS 1.3, curl", run: curl(nginx, "https") },
    ]),
    // What sshd takes is that of its children, which are gone when it is over: only the receiving
    // side is counted.
    ...(sshd === undefined ? [] : [{ name: "scp, AES-GCM", run: from(sshd.pid, "scp", () => scp) }]),
    {
      name: "bare Deno copy, SHA-256, to disk",
      run: from(copy.pid, deno, () => bare(copyPort, "hash", out)),
    },
    {
      name: "recess --plain get, to disk",
      against: "bare Deno copy, SHA-256, to disk",
      run: from(plain.program.pid, deno, () => get("plain owner", "--plain", "--output", out)),
    },
    {
      name: "bare Deno copy, TLS 1.3, SHA-256, to disk",
      run: from(tlsCopy.pid, deno, () => bare(tlsPort, "hash", out, certificate, host)),
    },
    {
      name: "recess get, to disk",
      against: "bare Deno copy, TLS 1.3, SHA-256, to disk",
      tools: "nginx, TLS 1.3, curl | tee | openssl",
      run: from(owner.program.pid, deno, () => get("owner", "--output", out)),
    },
    ...(nginx === undefined ? [] : [{
      name: "nginx, TLS 1.3, curl | tee | openssl",
      run: curl(nginx, "https", `| tee '${out}' | openssl dgst -sha256`),
    }]),
  ];

  const results = new Map<string, Awaited<ReturnType<Contender["run"]>>[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const { name, run } of contenders) {
      results.get(name)?.push(await run());
      await Deno.remove(out).catch(() => {});
    }
  }
  return contenders.map(({ name, against, tools }) => {
    const references = { against: results.get(against ?? ""), tools: results.get(tools ?? "") };
    return rowOf(name, results.get(name) ?? [], references, size);
  });
}

function url({ port }: Reference, scheme: "http" | "https"): string {
  return `${scheme}://127.0.0.1:${scheme === "http" ? port : port + 1}/${FILE}`;
}

type Results = Awaited<ReturnType<Contender["run"]>>[];

function rowOf(
  what: string,
  results: Results,
  { against, tools }: { readonly against: Results | undefined; readonly tools: Results | undefined },
  size: number,
): BenchRow {
  const speeds = (all: Results): number[] => all.map(({ receiver }) => size / 1e6 / (receiver.ms / 1000));
  const own = speeds(results);
  const ratioTo = (other: Results | undefined): number | undefined => {
    if (other === undefined) return undefined;
    const theirs = speeds(other);
    return median(own.map((speed, round) => speed / (theirs[round] ?? NaN)));
  };
  const gigabytes = size / 1e9;
  const cpu = results.map(({ receiver, sender }) => (receiver.cpuMs + sender.cpuMs) / 1000 / gigabytes);
  return {
    what,
    figures: {
      "MB/s": Math.round(median(own)),
      "range": `${Math.round(Math.min(...own))}-${Math.round(Math.max(...own))}`,
      "ratio": ratioTo(against),
      "to tools": ratioTo(tools),
      "CPU s/GB": median(cpu),
      "receiver MB": Math.round(Math.max(...results.map(({ receiver }) => receiver.peakBytes)) / 1e6),
      "sender MB": Math.round(Math.max(...results.map(({ sender }) => sender.peakBytes)) / 1e6),
    },
  };
}

/**
 * How soon the first verified byte is there: of a file that is hashed, and of one that its owner
 * has not even begun to hash.
 */
export async function benchFirstByte(options: { size: number; rounds: number }): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const hashed of [true, false]) {
    const times: number[] = [];
    for (let round = 0; round < options.rounds; round++) times.push(await firstByteMs(options.size, hashed));
    rows.push({
      what: hashed ? "hashed" : "not hashed",
      figures: { "first byte ms": Math.round(median(times)), "worst ms": Math.round(Math.max(...times)) },
    });
  }
  return rows;
}

async function firstByteMs(size: number, hashed: boolean): Promise<number> {
  await using temp = await TempFolder.make();
  await using index = await startIndex();
  await writeRandomFile(join(await temp.folder("owner"), FILE), size, 1);
  // A taker that is already in the room, since a fresh file has to be asked for before its owner
  // comes to hash it.
  await using taker = await startPeer({
    folder: temp.at("taker"),
    index,
    name: "taker",
    stdin: "piped",
    args: ["--json"],
  });
  await using _owner: RunningPeer = await startPeer({ folder: temp.at("owner"), index, name: "owner" });
  if (hashed) {
    await eventually("the file is hashed", async () => (await rootListed(temp, index)) !== undefined, 600_000);
  } else await eventually("the file is listed", () => /owner lists/.test(index.program.stderr));
  await taker.program.type(`get ${FILE} --output ${temp.at("out.bin")}`);
  const [line] = await taker.program.line(/^\{"event":"downloaded".*\}$/);
  return JSON.parse(line).firstMs;
}

async function rootListed(temp: TempFolder, index: RunningIndex): Promise<string | undefined> {
  const args = [...PEER_FLAGS, "peer.ts", temp.at("looker"), ...atIndex(index), "--json", "search", FILE];
  const { stdout } = await new Deno.Command(Deno.execPath(), { args, cwd: PROJECT, stderr: "null" }).output();
  const [line = ""] = new TextDecoder().decode(stdout).split("\n");
  return line === "" ? undefined : JSON.parse(line).root;
}

function atIndex(index: RunningIndex): string[] {
  return ["--host", "127.0.0.1", "--index", `127.0.0.1:${index.port}`];
}

function moduleAt(name: string): string {
  return fileURLToPath(new URL(`./${name}`, import.meta.url));
}
