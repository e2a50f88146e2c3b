/**
 * On what a bench ran: the machine, the commit, and the versions of all programs. Called by
 * bench.ts.
 * @module
 */

import { PROJECT } from "../support/programs.ts";
import { libtorrentVersion } from "./libtorrent.ts";

const MISSING = "not installed";

/** A name and what it is, such as a program and its version. */
export type Fact = readonly [name: string, value: string];

/** Programs that are references or parts, with the arguments that make each print its version. */
const PROGRAMS: readonly (readonly [name: string, program: string, ...args: string[]])[] = [
  ["rsync", "rsync", "--version"],
  ["curl", "curl", "--version"],
  ["nginx", "nginx", "-v"],
  ["OpenSSL", "openssl", "version"],
  ["sshd (scp)", "/usr/sbin/sshd", "-V"],
  ["Redis", "redis-server", "--version"],
  ["aria2", "aria2c", "--version"],
  ["ncdc", "ncdc", "--version"],
];

/** The machine: processor, cores, memory, kernel, and where the files of the bench are. */
export async function machineFacts(folder: string): Promise<Fact[]> {
  const processor = /^model name\s*: (.*)$/m.exec(await Deno.readTextFile("/proc/cpuinfo"))?.[1] ?? "unknown";
  const gibibytes = Deno.systemMemoryInfo().total / 2 ** 30;
  return [
    ["date", new Date().toISOString().slice(0, 10)],
    ["processor", processor],
    ["cores", String(navigator.hardwareConcurrency)],
    ["memory", `${gibibytes.toFixed(1)} GiB`],
    ["kernel", `Linux ${Deno.osRelease()}`],
    ["files on", await fileSystemOf(folder)],
  ];
}

/** Versions of Recess and of everything that it is compared with. */
export async function versionFacts(): Promise<Fact[]> {
  const programs = await Promise.all(PROGRAMS.map(async ([name, program, ...args]): Promise<Fact> => {
    return [name, versionIn(await outputOf(program, args)) ?? MISSING];
  }));
  return [
    ["Recess", await commit()],
    ["Deno", Deno.version.deno],
    ...programs,
    ["libtorrent", await libtorrentVersion() ?? MISSING],
  ];
}

/** The first version number in what a program prints. */
export function versionIn(text: string | undefined): string | undefined {
  return text === undefined ? undefined : /\d+(?:\.\d+)+\w*/.exec(text)?.[0] ?? "unknown";
}

/**
 * The folder with the files of the bench: the one that `TMPDIR` names, or else `/tmp`. It should be
 * on a tmpfs. `/dev/shm` is of no use, since Deno lets no program with a peer's permissions in.
 */
export function benchFolder(): string {
  return Deno.env.get("TMPDIR") ?? "/tmp";
}

async function fileSystemOf(folder: string): Promise<string> {
  return (await outputOf("stat", ["-f", "-c", "%T", folder]))?.trim() ?? "unknown";
}

/** The commit that is measured, and whether files were changed since. */
async function commit(): Promise<string> {
  const hash = (await outputOf("git", ["-C", PROJECT, "rev-parse", "--short=10", "HEAD"]))?.trim();
  if (hash === undefined || hash === "") return "unknown";
  const changes = await outputOf("git", ["-C", PROJECT, "status", "--porcelain", "--untracked-files=no"]) ?? "";
  const others = changes.split("\n").filter((line) => line !== "" && !line.endsWith("tests/bench/RESULTS.md"));
  return others.length === 0 ? hash : `${hash}, with changes`;
}

/** All output of a program, or undefined where it is not installed. */
async function outputOf(program: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await new Deno.Command(program, { args: [...args], stdin: "null" }).output();
    return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return undefined;
    throw thrown;
  }
}
