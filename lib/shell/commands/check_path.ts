/**
 * Refuses a path that means something else to people than to the disk. Called by the commands that take one.
 * @module
 */

import { Failure } from "../../core/failure.ts";
import { printable } from "../../core/printable.ts";

/** Fails: "usage" for a path that begins with `~`: a system's shell replaces that, this program may not ask where the home folder is. */
export function checkPath(path: string): void {
  if (!/^~($|[/\\])/.test(path)) return;
  throw new Failure("usage", `Cannot use "${printable(path)}": "~" is not replaced here`, {
    hint: "write the whole path, or one from the folder where this program was started",
  });
}
