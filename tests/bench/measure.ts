/**
 * Measures programs: wall time, CPU seconds, most memory; and puts several runs of each into a
 * median and a range.
 * @module
 */

import { peakBytes } from "../support/memory.ts";

/** How often the memory of the children of a server is read while it works. */
const SAMPLE_MS = 50;
/** A process is idle when it has used at most so much CPU time within so much time. */
const IDLE_CPU_MS = 20;
const IDLE_MS = 1_000;
/** A child of a server has ended, and counts as CPU time of its parent, after at most this time. */
const CHILD_END_MS = 200;

/** What one run took. */
export interface Cost {
  readonly ms: number;
  readonly cpuMs: number;
  readonly peakBytes: number;
  /** What it printed, when that was kept. */
  readonly stdout: string;
}

/**
 * Runs a program to its end under `/usr/bin/time`, with its output going nowhere, or kept. Fails
 * when it fails.
 */
export async function timed(
  command: string,
  args: readonly string[],
  options: { cwd?: string; keepsOutput?: boolean } = {},
): Promise<Cost> {
  const { keepsOutput = false, ...rest } = options;
  const report = await Deno.makeTempFile();
  try {
    const start = performance.now();
    const output = await new Deno.Command("/usr/bin/time", {
      args: ["-o", report, "-f", "%U %S %M", command, ...args],
      stdin: "null",
      stdout: keepsOutput ? "piped" : "null",
      stderr: "piped",
      ...rest,
    }).output();
    const ms = performance.now() - start;
    if (!output.success) throw new Error(`${command} ${args.join(" ")}: ${new TextDecoder().decode(output.stderr)}`);
    const [user = 0, system = 0, kibibytes = 0] = (await Deno.readTextFile(report)).trim().split(" ").map(Number);
    const stdout = keepsOutput ? new TextDecoder().decode(output.stdout) : "";
    return { ms, cpuMs: (user + system) * 1000, peakBytes: kibibytes * 1024, stdout };
  } finally {
    await Deno.remove(report);
  }
}

/** CPU milliseconds of a running process and of its ended children, from Linux's `/proc`. */
export async function cpuMsOf(pid: number): Promise<number> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // utime, stime, cutime and cstime, in ticks of a hundredth of a second.
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) * 10;
}

/**
 * What a server that goes on running took for some work. `peakBytes` is that of its largest
 * process, since some servers start a process for each connection.
 */
export async function costOf(pid: number, work: () => Promise<void>): Promise<{ cpuMs: number; peakBytes: number }> {
  const before = await cpuMsOf(pid);
  let isDone = false;
  const sampling = sampleChildren(pid, () => isDone);
  try {
    await work();
  } finally {
    isDone = true;
  }
  const ofChildren = await sampling;
  if (ofChildren > 0) await sleep(CHILD_END_MS);
  return { cpuMs: await cpuMsOf(pid) - before, peakBytes: Math.max(await peakBytes(pid), ofChildren) };
}

/** Resolves to the most memory that a child of a process took, once the work is done. */
async function sampleChildren(pid: number, isDone: () => boolean): Promise<number> {
  let most = 0;
  while (!isDone()) {
    for (const child of await childrenOf(pid)) most = Math.max(most, await peakBytes(child).catch(() => 0));
    await sleep(SAMPLE_MS);
  }
  return most;
}

async function childrenOf(pid: number): Promise<number[]> {
  const text = await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`).catch(() => "");
  return text.split(" ").filter((each) => each !== "").map(Number);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until a process uses hardly any CPU time, such as an owner that has hashed everything. */
export async function idle(pid: number): Promise<void> {
  let before = -Infinity;
  while (true) {
    const now = await cpuMsOf(pid);
    if (now - before <= IDLE_CPU_MS) return;
    before = now;
    await sleep(IDLE_MS);
  }
}

/** The middle one of several values. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

/** The value below which this part of all values lies. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN;
}
