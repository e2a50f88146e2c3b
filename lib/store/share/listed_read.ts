/**
 * Reads small shared files with few calls of the system. Called by share.ts, which opens a file in
 * the slow way when this refuses it.
 *
 * A file is read only if it is the very one that a scan listed, by its number on the disk, size and
 * times. So nothing that another program has put in its place is read, and the path of a file need
 * not be resolved twice, as `Folder.openShared` does for a file about which less is known.
 * @module
 */

import { dirname } from "node:path";
import process from "node:process";
import type { Stats } from "node:fs";
import type { Folder } from "../files/folder.ts";
import type { FoundFile } from "../files/found_file.ts";

/** Loaded at the first file: an import would add 20 ms to each start of a program. */
let loaded: typeof import("node:fs") | undefined;
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
    const fs = loaded ??= process.getBuiltinModule("node:fs");
    let fd: number | undefined;
    try {
      if (!this.#isFreeOfLinks(dirname(path))) return undefined;
      const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = fs.constants;
      // A link is not followed, and a pipe in the place of a file is not waited for.
      fd = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
      const bytes = new Uint8Array(file.size);
      let read = 0;
      for (let more = 1; more > 0 && read < bytes.length; read += more) {
        more = fs.readSync(fd, bytes, read, bytes.length - read, null);
      }
      // Looked at last: so the bytes are those of the listed version.
      return read === bytes.length && isListed(fs.fstatSync(fd), file) ? bytes : undefined;
    } catch {
      // The slow way finds out why.
      return undefined;
    } finally {
      if (fd !== undefined) fs.closeSync(fd);
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
function isListed(now: Stats, { inode, device, size, modified, changed }: FoundFile): boolean {
  return now.ino === inode && now.dev === device && now.size === size && now.isFile() &&
    now.mtime.getTime() === modified && now.ctime.getTime() === changed;
}
