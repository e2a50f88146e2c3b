/**
 * What an earlier run left in `.recess/incoming` and nobody will ask for again. Called when a peer starts, by the one who holds the folder.
 * @module
 */

import { UNFINISHED_KEPT_MS } from "../core/limits.ts";
import type { Folder } from "./folder.ts";

/** The ending of small files on their way to their place: they are written in one go, so one that lies there is of no use. */
export const SMALL_ENDING = ".small";

/** Removes small files that a killed run left, and unfinished ones that nobody has gone on with for long. What cannot be removed stays. */
export async function tidyIncoming(folder: Folder, nowMs: number): Promise<void> {
  const incoming = folder.statePath("incoming");
  for await (const { name, isFile } of Deno.readDir(incoming)) {
    const path = `${incoming}/${name}`;
    const { mtime } = await Deno.lstat(path);
    const isOld = nowMs - (mtime?.getTime() ?? nowMs) > UNFINISHED_KEPT_MS;
    if (isFile && (name.endsWith(SMALL_ENDING) || isOld)) await Deno.remove(path).catch(() => {});
  }
}
