/**
 * Notices a command line without its FOLDER, so that no folder is made that is called like a command. Called by peer.ts.
 * @module
 */

import { Failure } from "../../core/failure.ts";
import { quoteWord } from "../../core/line.ts";
import { isCommand } from "./commands.ts";

/**
 * Checks the first word of a command line, which names the folder. A folder that exists may be called like a command.
 *
 * @param args What follows it.
 * @throws {Failure} "usage" when it is a command and there is no such folder.
 */
export async function checkFolderArgument(folder: string, args: readonly string[]): Promise<void> {
  if (!isCommand(folder) || await exists(folder)) return;
  throw new Failure("usage", `"${folder}" is a command, and the folder that goes before it is missing`, {
    hint: `write: deno task peer FOLDER ${
      [folder, ...args].map(quoteWord).join(" ")
    }; to share a folder of this name: ./${folder}`,
  });
}

/** Whether there is something at a path; a path that cannot be looked at counts as there. */
export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (thrown) {
    return !(thrown instanceof Deno.errors.NotFound);
  }
}
