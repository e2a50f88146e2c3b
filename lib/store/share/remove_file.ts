/**
 * Deletes one file of the folder, as it was known: never another version of it, never through a
 * link, never a folder of the person's. Called by share.ts and lib/peer/inbox, with names from the
 * scan of the folder or of what arrived.
 * @module
 */

import { dirname, join } from "node:path";
import { Failure } from "../../core/failure.ts";
import { printable } from "../../core/printable.ts";
import type { Folder } from "../files/folder.ts";
import type { FoundFile } from "../files/found_file.ts";

/** Whether the file is there as it was known, without a link in its path. */
export function isThere(folder: Folder, file: FoundFile): boolean {
  return whatIsThere(folder, file) === "it";
}

/**
 * Deletes a file.
 *
 * @throws {Failure} "not-found" when it is gone, "file-changed" when something else is there by
 * now, "no-access".
 */
export function removeFile(folder: Folder, file: FoundFile): void {
  const there = whatIsThere(folder, file);
  const doing = `Cannot delete "${printable(file.name)}"`;
  if (there === "nothing") throw new Failure("not-found", `${doing}: it is gone`, { hint: "" });
  if (there === "other") throw new Failure("file-changed", `${doing}: it has changed`, { hint: "" });
  try {
    Deno.removeSync(folder.pathOf(file.name));
  } catch (thrown) {
    throw Failure.from(thrown, "no-access", doing);
  }
}

function whatIsThere(folder: Folder, { name, size, modified }: FoundFile): "it" | "other" | "nothing" {
  const path = folder.pathOf(name);
  try {
    const info = Deno.lstatSync(path);
    const parent = join(folder.path, ...name.split("/").slice(0, -1));
    const isIt = info.isFile && info.size === size && (info.mtime?.getTime() ?? 0) === modified &&
      Deno.realPathSync(dirname(path)) === parent;
    return isIt ? "it" : "other";
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound || thrown instanceof Deno.errors.NotADirectory) return "nothing";
    throw Failure.from(thrown, "no-access", `Cannot look at "${printable(name)}"`);
  }
}
