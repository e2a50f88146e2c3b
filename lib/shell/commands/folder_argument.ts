/**
 * Notices a command line without its FOLDER, so that no folder named like a command is created.
 * Called by peer.ts.
 * @module
 */

import { Failure } from "../../core/failure.ts";
import { quoteWord } from "../../core/line.ts";
import { isCommand } from "./commands.ts";

/**
 * Checks the first word of a command line, which names the folder. An existing folder may have the
 * name of a command.
 *
 * @param args The words after it.
 * @throws {Failure} "usage" when the word is a command, and no such folder exists.
 */
export async function checkFolderArgument(folder: string, args: readonly string[]): Promise<void> {
  if (!isCommand(folder) || await exists(folder)) return;
  throw new Failure("usage", `"${folder}" is a command, and the folder before it is missing`, {
    hint: `write: deno task peer FOLDER ${
      [folder, ...args].map(quoteWord).join(" ")
    }; to share a folder of this name: ./${folder}`,
  });
}

/** Whether something exists at a path. A path that cannot be examined counts as existing. */
export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (thrown) {
    return !(thrown instanceof Deno.errors.NotFound);
  }
}
