/**
 * Reads small shared files with few calls of the system. Called by share.ts, which opens a file in
 * the slow way when this refuses it.
 *
 * A file is read only if it is the very one that a scan listed, by its number on the disk, size and
 * times. So nothing that another program has put in its place is read, and the path of a file need
 * not be resolved twice, as `Folder.openShared` does for a file about which less is known.
 * @module
 */

import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { dirname } from "node:path";
import type { Folder } from "../files/folder.ts";
import type { FoundFile } from "../files/found_file.ts";

/** A link is not followed, and a pipe in the place of a file is not waited for. */
const FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
/** How long a folder counts as free of links after its path was resolved. */
const RESOLVED_MS = 10;

/** Reads files of one folder. */
export class ListedReader {
  readonly #folder: Folder;
  /** The path that was resolved last. */
  #resolved = "";
  #resolvedMs = -Infinity;

  constructor(folder: Folder) {
    this.#folder = folder;
  }

  /**
   * Reads a file that a scan has listed.
   *
   * @returns Undefined when the file may be another one, or cannot be read.
   */
  read(file: FoundFile): Uint8Array<ArrayBuffer> | undefined {
    if (file.inode === undefined || this.#folder.elsewhere.has(file.name)) return undefined;
    const path = this.#folder.pathOf(file.name);
    let fd: number | undefined;
    try {
      if (!this.#isFreeOfLinks(dirname(path))) return undefined;
      fd = openSync(path, FLAGS);
      const bytes = new Uint8Array(file.size);
      let read = 0;
      for (let more = 1; more > 0 && read < bytes.length; read += more) {
        more = readSync(fd, bytes, read, bytes.length - read, null);
      }
      // Looked at last: so the bytes are those of the listed version.
      return read === bytes.length && isListed(fd, file) ? bytes : undefined;
    } catch {
      // The slow way finds out why.
      return undefined;
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }

  #isFreeOfLinks(path: string): boolean {
    const nowMs = performance.now();
    if (path === this.#resolved && nowMs - this.#resolvedMs < RESOLVED_MS) return true;
    if (Deno.realPathSync(path) !== path) return false;
    this.#resolved = path;
    this.#resolvedMs = nowMs;
    return true;
  }
}

/** Whether an open file is the listed one, and has not changed since. */
function isListed(fd: number, { inode, device, size, modified, changed }: FoundFile): boolean {
  const now = fstatSync(fd);
  return now.ino === inode && now.dev === device && now.size === size && now.isFile() &&
    now.mtime.getTime() === modified && now.ctime.getTime() === changed;
}
