/**
 * Refuses a path that means something else to people than to the disk. Called by the commands that
 * take a path.
 * @module
 */

import { Failure } from "../../core/failure.ts";
import { printable } from "../../core/printable.ts";

/**
 * Refuses `~`. A system's shell replaces it by the home folder, which this program has no
 * permission to look up.
 *
 * @throws {Failure} "usage" for a path that begins with `~`.
 */
export function checkPath(path: string): void {
  if (!/^~($|[/\\])/.test(path)) return;
  throw new Failure("usage", `Cannot use "${printable(path)}": "~" is not replaced here`, {
    hint: "write the whole path, or one from the folder where this program was started",
  });
}
