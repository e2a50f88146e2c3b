/**
 * Puts a finished file into a folder under its own name: never over another file, never through a
 * link, never half. Called by unfinished_file.ts and lib/peer/get.
 * @module
 */

import { SAME_NAMES_MAX } from "../../core/limits.ts";
import { writeAllSync } from "../../core/bytes.ts";
import { basename, dirname, join } from "node:path";
import { Failure } from "../../core/failure.ts";
import { printable } from "../../core/printable.ts";
import { type FoundFile, foundFile } from "./found_file.ts";
import { nameInside } from "./inside.ts";
import { removeIfPossible } from "./remove_if_possible.ts";
import { numberedName } from "./received_name.ts";
import { isHidden } from "./shareable.ts";
import { keepTraits, type Traits } from "./traits.ts";

/**
 * The ending of small files on their way to their place. They are written in one go, so one that
 * lies there is of no use.
 */
export const SMALL_ENDING = ".small";

/**
 * Moves the file at `from` to `name` below the folder `root`, which is a real path. `receivedName`
 * gave the name. If it exists, `(1) name` is tried, and so on.
 *
 * Synchronous, so that nothing happens between looking at the folders and moving, and because small
 * files come by the thousand.
 *
 * @returns The name that was free.
 * @throws {Failure} "no-access", "disk-full", "bad-name" when a folder in the name is a link.
 */
export function placeFile(from: string, root: string, name: string): string {
  for (let number = 0; number < SAME_NAMES_MAX; number++) {
    const taken = number === 0 ? name : numberedName(name, number);
    ensureParent(root, taken);
    if (moveIfFree(from, join(root, ...taken.split("/")))) return taken;
  }
  throw new Failure("bad-name", `Cannot store "${printable(name)}": there are too many files of that name`);
}

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
  return written(bytes, incoming, { root, name, traits }, (beside) => placeFile(beside, root, name));
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
    const nowMs = performance.now();
    if (nowMs - this.#besideMs >= CHECKED_MS) [this.#beside, this.#besideMs] = [this.#incoming(), nowMs];
    const incoming = this.#beside;
    return written(bytes, incoming, { root: this.#root, name, traits }, (beside) => {
      const cut = name.lastIndexOf("/") + 1;
      const parent = this.#parent(name.slice(0, cut), name, nowMs);
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

/** Writes a small file into `incoming` and moves it by `move` to a name below `root`. */
function written(
  bytes: Uint8Array,
  incoming: string,
  { root, name, traits }: { readonly root: string; readonly name: string; readonly traits: Traits },
  move: (beside: string) => string,
): FoundFile {
  const beside = join(incoming, `.${crypto.randomUUID()}${SMALL_ENDING}`);
  try {
    using file = Deno.openSync(beside, { createNew: true, write: true });
    writeAllSync(file, bytes);
    keepTraits(beside, traits, file);
    const placed = move(beside);
    // By its path: of an open file, Deno resolves the whole path, which takes three times as long.
    const there = lstatIfThere(join(root, placed));
    // Another program may have put another file there by now.
    const isOurs = there?.isFile === true && there.size === bytes.length;
    return foundFile(placed, isOurs ? there : file.statSync());
  } catch (thrown) {
    removeIfPossible(beside);
    throw Failure.from(thrown, "no-access", `Cannot write "${printable(name)}"`);
  }
}

/** Like {@linkcode placeFile}, also when `root` is on another disk than `from`. */
export async function placeAnywhere(from: string, root: string, name: string): Promise<string> {
  try {
    return placeFile(from, root, name);
  } catch (thrown) {
    if (!isOtherDisk(thrown)) throw thrown;
  }
  // On another disk the bytes have to be copied. Until all are there, they lie under a name that
  // says so.
  const beside = join(root, `.${basename(from)}.part`);
  try {
    // A run that was killed here may have left it as a second name of the placed file: nothing is
    // written into that.
    removeIfPossible(beside);
    const { mtime } = await Deno.lstat(from);
    await Deno.copyFile(from, beside);
    keepTraits(beside, { modified: mtime?.getTime() });
    const placed = placeFile(beside, root, name);
    await Deno.remove(from);
    return placed;
  } catch (thrown) {
    removeIfPossible(beside);
    throw Failure.from(thrown, "no-access", `Cannot write "${printable(name)}"`);
  }
}

/**
 * Whether an unfinished file has been placed already. It then has a second name, since {@linkcode
 * placeFile} gives it the final name before it removes the first.
 */
export function isPlaced({ isFile, nlink }: Pick<Deno.FileInfo, "isFile" | "nlink">): boolean {
  return isFile && nlink !== null && nlink > 1;
}

/**
 * Makes the folders in a name. None of them may be a link, so that nothing is written elsewhere.
 * None may be hidden under its real name, which on Windows can be another one: `RECESS~1` is
 * `.recess`.
 *
 * @returns The path of the last one.
 */
function ensureParent(root: string, name: string): string {
  let parent = root;
  for (const component of name.split("/").slice(0, -1)) {
    parent = join(parent, component);
    const there = lstatIfThere(parent) ?? makeFolder(parent, root, name);
    if (!there.isDirectory) throw notAFolder(name, component);
  }
  demandInside(root, parent, name);
  return parent;
}

/** @throws {Failure} "bad-name" when a folder for `name` is really outside of `root`, or hidden. */
function demandInside(root: string, parent: string, name: string): void {
  const inside = nameInside(root, Deno.realPathSync(parent));
  if (inside === undefined || isHidden(inside)) {
    throw new Failure("bad-name", `Cannot store "${printable(name)}": it would leave the folder`);
  }
}

/**
 * Checks whether `name` can be placed below `root`, before anything is downloaded.
 *
 * @throws {Failure} "bad-name" when a file or a link is in the place of a folder of the name.
 */
export function checkPlace(root: string, name: string): void {
  let parent = root;
  for (const component of name.split("/").slice(0, -1)) {
    parent = join(parent, component);
    const there = lstatIfThere(parent);
    if (there === undefined) return;
    if (!there.isDirectory) throw notAFolder(name, component);
  }
}

function notAFolder(name: string, component: string): Failure {
  return new Failure("bad-name", `Cannot store "${printable(name)}": "${printable(component)}" is not a folder here`, {
    hint: "move what is there out of the way, or choose another place with --output",
  });
}

/** Makes one folder of a name, unless a link has come into the place of the folder around it. */
function makeFolder(path: string, root: string, name: string): Deno.FileInfo {
  try {
    demandInside(root, dirname(path), name);
    Deno.mkdirSync(path);
  } catch (thrown) {
    if (!(thrown instanceof Deno.errors.AlreadyExists)) {
      throw Failure.from(thrown, "no-access", `Cannot make "${printable(path)}"`);
    }
  }
  return Deno.lstatSync(path);
}

function lstatIfThere(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return undefined;
    throw Failure.from(thrown, "no-access", `Cannot look at "${printable(path)}"`);
  }
}

/**
 * Moves without ever replacing a file.
 *
 * @returns Whether the name was free.
 */
function moveIfFree(from: string, to: string): boolean {
  try {
    // A second name for the file, which the system refuses when the name exists. A plain rename
    // would replace the other file.
    Deno.linkSync(from, to);
    Deno.removeSync(from);
    return true;
  } catch (thrown) {
    if (thrown instanceof Deno.errors.AlreadyExists) return false;
    if (isOtherDisk(thrown)) throw thrown;
  }
  // File systems without links (FAT, as on most USB sticks): take the name first, then move over
  // our own empty file.
  try {
    Deno.openSync(to, { createNew: true, write: true }).close();
  } catch (thrown) {
    if (thrown instanceof Deno.errors.AlreadyExists) return false;
    throw Failure.from(thrown, "no-access", `Cannot write "${printable(to)}"`);
  }
  try {
    Deno.renameSync(from, to);
    return true;
  } catch (thrown) {
    removeIfPossible(to);
    if (isOtherDisk(thrown)) throw thrown;
    throw Failure.from(thrown, "no-access", `Cannot write "${printable(to)}"`);
  }
}

/** EXDEV, or its counterpart on Windows (error 17). */
function isOtherDisk(thrown: unknown): boolean {
  return thrown instanceof Error && !(thrown instanceof Failure) && /os error (18|17)\b/.test(thrown.message);
}
