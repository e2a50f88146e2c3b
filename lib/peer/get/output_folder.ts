/**
 * The folder that a person chose for a download with `--output`. Called by fetch_file.ts and
 * fetch_folder.ts.
 * @module
 */

import { resolve } from "node:path";
import { Failure } from "../../core/failure.ts";
import { printable } from "../../core/printable.ts";

/** Whether a path names a folder, because it ends in a separator of this system. */
export function isFolderPath(path: string): boolean {
  return path.endsWith("/") || (Deno.build.os === "windows" && path.endsWith("\\"));
}

/**
 * Makes the folder when it is missing, and the folders above it.
 *
 * @returns Its real path.
 * @throws {Failure} "usage" when there is a file in its place; "no-access", "disk-full".
 */
export async function outputFolder(path: string): Promise<string> {
  try {
    await Deno.mkdir(path, { recursive: true });
    return await Deno.realPath(resolve(path));
  } catch (thrown) {
    if (thrown instanceof Deno.errors.AlreadyExists || thrown instanceof Deno.errors.NotADirectory) {
      throw new Failure("usage", `Cannot write into "${printable(path)}": it is not a folder`);
    }
    throw Failure.from(thrown, "no-access", `Cannot write into "${printable(path)}"`);
  }
}
