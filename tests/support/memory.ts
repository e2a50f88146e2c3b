/**
 * What processes take: others, from Linux's `/proc`, and this one.
 * @module
 */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Bytes of memory that a process holds now. */
export function residentBytes(pid: number): Promise<number> {
  return statusBytes(pid, "VmRSS");
}

/** The most memory that a process has held so far. */
export function peakBytes(pid: number): Promise<number> {
  return statusBytes(pid, "VmHWM");
}

/** Bytes that this process holds in buffers, after a collection of garbage. */
export function externalBytes(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  return Deno.memoryUsage().external;
}

async function statusBytes(pid: number, field: string): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)?.[1];
  if (kibibytes === undefined) throw new Error(`There is no ${field} for process ${pid}`);
  return Number(kibibytes) * 1024;
}
