/**
 * What is noted of a shared file: by lib/store/share/scan.ts, which finds it, or by place.ts, which
 * has written it. The state keeps it with the digests.
 * @module
 */

import { isExecutable } from "./traits.ts";

/** A file in the shared folder. */
export interface FoundFile {
  /** Relative to the folder, with `/` between components. */
  readonly name: string;
  readonly size: number;
  /** Milliseconds since 1970, negative before. */
  readonly modified: number;
  /**
   * When the system noted the last change of any kind, in whole seconds. Nobody can set it back.
   * Undefined where the system does not note it.
   */
  readonly changed?: number | undefined;
  /**
   * The number of the file on its disk, and of the disk. Undefined for a link, and where the system
   * has no such numbers.
   */
  readonly inode?: number | undefined;
  readonly device?: number | undefined;
  /** Whether it is a program that may be started. Absent when it is not. */
  readonly executable?: boolean | undefined;
}

/** What `info` says about a file, which is no link. */
export function foundFile(
  name: string,
  info: Pick<Deno.FileInfo, "size" | "mtime" | "ctime" | "ino" | "dev" | "mode">,
): FoundFile {
  const { size, mtime, ctime, ino, dev: device } = info;
  const version = {
    name,
    size,
    modified: mtime?.getTime() ?? 0,
    changed: ctime?.getTime(),
    inode: ino ?? undefined,
    device,
  };
  return isExecutable(info) ? { ...version, executable: true } : version;
}
