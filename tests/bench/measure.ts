/**
 * Measures programs: wall time, CPU seconds, most memory; and puts several runs of each into a
 * median and a range.
 * @module
 */

import { peakBytes } from "../support/memory.ts";

/** What one run took. */
export interface Cost {
  readonly ms: number;
  readonly cpuMs: number;
  readonly peakBytes: number;
}

/**
 * Runs a program to its end under `/usr/bin/time`, with its output going nowhere. Fails when it
 * fails.
 */
export async function timed(command: string, args: readonly string[], options: { cwd?: string } = {}): Promise<Cost> {
  const report = await Deno.makeTempFile();
  try {
    const start = performance.now();
    const { success, stderr } = await new Deno.Command("/usr/bin/time", {
      args: ["-o", report, "-f", "%U %S %M", command, ...args],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
      ...options,
    }).output();
    const ms = performance.now() - start;
    if (!success) throw new Error(`${command} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
    const [user = 0, system = 0, kibibytes = 0] = (await Deno.readTextFile(report)).trim().split(" ").map(Number);
    return { ms, cpuMs: (user + system) * 1000, peakBytes: kibibytes * 1024 };
  } finally {
    await Deno.remove(report);
  }
}

/** CPU milliseconds a running process has used so far, from Linux's `/proc`. */
export async function cpuMsOf(pid: number): Promise<number> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // utime and stime, in ticks of a hundredth of a second.
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** What a server that goes on running took for some work. */
export async function costOf(pid: number, work: () => Promise<void>): Promise<{ cpuMs: number; peakBytes: number }> {
  const before = await cpuMsOf(pid);
  await work();
  return { cpuMs: await cpuMsOf(pid) - before, peakBytes: await peakBytes(pid) };
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
