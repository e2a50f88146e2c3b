/**
 * Looks for files that are not plain where a peer opens one of its own. Opening a pipe waits until
 * another program writes into it, and a device may never end: either would block the start. Called
 * by everything in lib/store that opens a file in `.recess`, and for files that a person names in a
 * flag.
 * @module
 */

import { Failure } from "../../core/failure.ts";
import { printable } from "../../core/printable.ts";

/**
 * What a path leads to, links followed: "a pipe", "a device", "a socket" or "a folder". Undefined
 * for a plain file, and where nothing can be seen.
 */
export function oddKindAt(path: string): string | undefined {
  try {
    const info = Deno.statSync(path);
    return info.isFile ? undefined : kindOf(info);
  } catch {
    return undefined;
  }
}

/**
 * Makes sure that a path leads to a plain file, or to nothing.
 *
 * @throws {Failure} "no-access" when something else is there.
 */
export function demandPlainFile(path: string): void {
  const kind = oddKindAt(path);
  if (kind !== undefined) throw notA("file", path, kind);
}

/**
 * Makes sure that a path leads to a folder, or to nothing.
 *
 * @throws {Failure} "no-access" when something else is there.
 */
export function demandFolder(path: string): void {
  try {
    const info = Deno.statSync(path);
    if (!info.isDirectory) throw notA("folder", path, info.isFile ? "a file" : kindOf(info));
  } catch (thrown) {
    // What cannot be seen cannot be made either, and that failure has the reason.
    if (thrown instanceof Failure) throw thrown;
  }
}

/** What the name of a moved file says: it was damaged, or it was another program's. */
export type AsideWord = "damaged" | "other";

/**
 * Moves what is at a path out of the way, to a name with the date. Nothing is deleted.
 *
 * @returns Where it is now.
 */
export function setAside(path: string, word: AsideWord = "damaged"): string {
  const date = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
  let aside = `${path}.${word}-${date}`;
  for (let number = 2; isThere(aside); number++) aside = `${path}.${word}-${date}-${number}`;
  Deno.renameSync(path, aside);
  return aside;
}

/** Something that was no plain file was moved away. */
export interface SetAsideEvent {
  readonly event: "set-aside";
  readonly path: string;
  readonly aside: string;
  /** What it is, such as "a pipe". */
  readonly kind: string;
}

/**
 * Moves away what is no plain file, where a peer can make a new one.
 *
 * @throws {Failure} "no-access" when it cannot be moved.
 */
export function setAsideIfOdd(path: string, onEvent: (event: SetAsideEvent) => void): void {
  const kind = oddKindAt(path);
  if (kind === undefined) return;
  try {
    onEvent({ event: "set-aside", path, aside: setAside(path), kind });
  } catch (thrown) {
    throw Failure.from(thrown, "no-access", `Cannot use "${printable(path)}", which is ${kind}`);
  }
}

/** Whether there is anything at a path, such as a link that leads nowhere. */
export function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/** The failure of a path where something else is than what is wanted, such as "a pipe". */
export function notA(wanted: "file" | "folder", path: string, kind: string): Failure {
  return new Failure("no-access", `Cannot use "${printable(path)}": it is ${kind}, not a ${wanted}`, {
    hint: "move it out of the way and start again",
  });
}

function kindOf({ isDirectory, isFifo, isSocket }: Deno.FileInfo): string {
  if (isDirectory) return "a folder";
  if (isFifo === true) return "a pipe";
  return isSocket === true ? "a socket" : "a device";
}
