/**
 * Writes small files under their names: first into a folder for files on their way, then by a move
 * that replaces nothing. Called by lib/peer/inbox, and by small_placer.ts and its worker.
 * @module
 */

import { join } from "node:path";
import { writeAll, writeAllSync } from "../../core/bytes.ts";
import { Failure } from "../../core/failure.ts";
import { printable } from "../../core/printable.ts";
import { type FoundFile, foundFile } from "../files/found_file.ts";
import { ensureParent, lstatIfThere, moveIfFree, placeFile, SMALL_ENDING } from "../files/place.ts";
import { removeIfPossible } from "../files/remove_if_possible.ts";
import { keepTraits, type Traits } from "../files/traits.ts";

/**
 * Writes a small file: first into a folder `incoming` on the same disk, then under its name below
 * `root`. Not synced: when a thousand of them arrive in a second, that would take longer than
 * downloading them again.
 *
 * @returns The file under the name that was free.
 */
export function placeBytes(
  bytes: Uint8Array,
  incoming: string,
  root: string,
  name: string,
  traits: Traits = {},
): FoundFile {
  try {
    using file = new FileOnItsWay(incoming);
    writeAllSync(file.open, bytes);
    return file.finish(root, { size: bytes.length, traits }, (beside) => placeFile(beside, root, name));
  } catch (thrown) {
    throw notWritten(thrown, name);
  }
}

/** How long the checks of a folder count as long as the same folder is at its path. */
const CHECKED_MS = 5;
/** Checked folders that are remembered. */
const CHECKED_MAX = 64;

/** A folder that was checked. */
interface CheckedFolder {
  readonly path: string;
  readonly dev: number;
  readonly ino: number;
  /** When it was checked, by `performance.now()`. */
  readonly atMs: number;
}

/**
 * Places the small files of one download as {@linkcode placeBytes} does, with a third of the calls.
 * What was found out about a folder counts for a few milliseconds. In that time, the system only
 * has to find the same folder at the path, in the moment before a file is moved there.
 */
export class SmallPlaces {
  readonly #root: string;
  readonly #incoming: () => string;
  readonly #checked = new Map<string, CheckedFolder>();
  #beside = "";
  #besideMs = -Infinity;

  /**
   * @param root The real path of the folder below which the files go.
   * @param incoming Checks and returns the folder for files on their way, on the same disk.
   */
  constructor(root: string, incoming: () => string) {
    this.#root = root;
    this.#incoming = incoming;
  }

  /** Places one file. Parameters, result and failures are those of {@linkcode placeBytes}. */
  place(bytes: Uint8Array, name: string, traits: Traits = {}): FoundFile {
    try {
      using file = new FileOnItsWay(this.#besideNow());
      writeAllSync(file.open, bytes);
      return this.#finish(file, { name, size: bytes.length, traits });
    } catch (thrown) {
      throw notWritten(thrown, name);
    }
  }

  /** Places one file as {@linkcode place} does, but lets a thread write it. */
  async placeByThread(bytes: Uint8Array, name: string, traits: Traits = {}): Promise<FoundFile> {
    try {
      using file = new FileOnItsWay(this.#besideNow());
      await writeAll(file.open, bytes);
      return this.#finish(file, { name, size: bytes.length, traits });
    } catch (thrown) {
      throw notWritten(thrown, name);
    }
  }

  #besideNow(): string {
    const nowMs = performance.now();
    if (nowMs - this.#besideMs >= CHECKED_MS) [this.#beside, this.#besideMs] = [this.#incoming(), nowMs];
    return this.#beside;
  }

  #finish(
    file: FileOnItsWay,
    about: { readonly name: string; readonly size: number; readonly traits: Traits },
  ): FoundFile {
    const { name } = about;
    return file.finish(this.#root, about, (beside) => {
      const cut = name.lastIndexOf("/") + 1;
      const parent = this.#parent(name.slice(0, cut), name, performance.now());
      return moveIfFree(beside, join(parent, name.slice(cut))) ? name : placeFile(beside, this.#root, name);
    });
  }

  /** The path of the folder that a name lies in. */
  #parent(folder: string, name: string, nowMs: number): string {
    const known = this.#checked.get(folder);
    if (known !== undefined && nowMs - known.atMs < CHECKED_MS && isSameFolder(known)) return known.path;
    const path = ensureParent(this.#root, name);
    const there = lstatIfThere(path);
    if (this.#checked.size >= CHECKED_MAX) this.#checked.clear();
    if (there !== undefined && there.ino !== null) {
      this.#checked.set(folder, { path, dev: there.dev, ino: there.ino, atMs: nowMs });
    }
    return path;
  }
}

function isSameFolder({ path, dev, ino }: CheckedFolder): boolean {
  const there = lstatIfThere(path);
  return there?.isDirectory === true && there.ino === ino && there.dev === dev;
}

/** A small file that is being written. Unless it was finished, nothing of it is left. */
class FileOnItsWay implements Disposable {
  readonly open: Deno.FsFile;
  readonly #path: string;
  #isPlaced = false;

  constructor(incoming: string) {
    this.#path = join(incoming, `.${crypto.randomUUID()}${SMALL_ENDING}`);
    this.open = Deno.openSync(this.#path, { createNew: true, write: true });
  }

  /** Moves the written file by `move` to a name below `root`. */
  finish(
    root: string,
    { size, traits }: { readonly size: number; readonly traits: Traits },
    move: (path: string) => string,
  ): FoundFile {
    keepTraits(this.#path, traits, this.open);
    const placed = move(this.#path);
    this.#isPlaced = true;
    // By its path: of an open file, Deno resolves the whole path, which takes three times as long.
    const there = lstatIfThere(join(root, placed));
    // Another program may have put another file there by now.
    const isOurs = there?.isFile === true && there.size === size;
    return foundFile(placed, isOurs ? there : this.open.statSync());
  }

  [Symbol.dispose](): void {
    this.open.close();
    if (!this.#isPlaced) removeIfPossible(this.#path);
  }
}

function notWritten(thrown: unknown, name: string): Failure {
  return Failure.from(thrown, "no-access", `Cannot write "${printable(name)}"`);
}
