/**
 * Finds the disk of standard error when it is redirected to a file, so that an error about a full
 * disk can name it. Called by server.ts.
 * @module
 */

import { fstatSync, type Stats } from "node:fs";
import { dirname, resolve } from "node:path";

/** Identifies the file of a stream: its disk, and its number there. */
type StreamFile = Pick<Stats, "dev" | "ino">;

/** Folders that are often the mount point of a disk. */
const MOUNT_POINTS = ["/var", "/var/log", "/home", "/srv", "/tmp", "/run"];

/**
 * The file that a stream (1: standard output, 2: standard error) was redirected to; undefined when
 * it is not a file.
 */
export function streamFile(stream: 1 | 2): StreamFile | undefined {
  try {
    const info = fstatSync(stream);
    return info.isFile() ? info : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Describes standard error for a failure. A program needs more permissions to find out the path of
 * its standard error. So this names the disk by the highest folder known to be on it, or on Linux
 * by its number, which `findmnt -o TARGET,MAJ:MIN` lists.
 */
export function describeErrorStream(): string {
  const file = streamFile(2);
  if (file === undefined) return "standard error";
  const folder = [...foldersAbove(Deno.cwd()), ...MOUNT_POINTS].find((path) => isOnDisk(path, file.dev));
  if (folder !== undefined) return `standard error, a file on the disk of "${folder}"`;
  if (Deno.build.os !== "linux") return "standard error, a file";
  const [major, minor] = [(file.dev >>> 8) & 0xfff, (file.dev & 0xff) | ((file.dev >>> 12) & 0xfff00)];
  return `standard error, a file on disk ${major}:${minor}`;
}

/** A folder and all above it, the highest first. */
function foldersAbove(path: string): string[] {
  const folder = resolve(path);
  const parent = dirname(folder);
  return parent === folder ? [folder] : [...foldersAbove(parent), folder];
}

function isOnDisk(path: string, disk: number): boolean {
  try {
    return Deno.statSync(path).dev === disk;
  } catch {
    return false;
  }
}
