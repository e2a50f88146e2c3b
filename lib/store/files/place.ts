/**
 * Puts a finished file into a folder under its own name: never over another file, never through a
 * link, never half. Called by unfinished_file.ts and lib/peer/get.
 * @module
 */

import { SAME_NAMES_MAX } from "../../core/limits.ts";
import { basename, dirname, join } from "node:path";
import { Failure } from "../../core/failure.ts";
import { printable } from "../../core/printable.ts";
import { nameInside } from "./inside.ts";
import { removeIfPossible } from "./remove_if_possible.ts";
import { numberedName } from "./received_name.ts";
import { isHidden } from "./shareable.ts";
import { keepTraits } from "./traits.ts";

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
export function ensureParent(root: string, name: string): string {
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

export function lstatIfThere(path: string): Deno.FileInfo | undefined {
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
export function moveIfFree(from: string, to: string): boolean {
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
