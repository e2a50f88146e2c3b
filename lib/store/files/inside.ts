/**
 * Tells where a path lies below a folder, by the rules of the system on which the program runs.
 * Called wherever a real path has to be inside the shared folder.
 * @module
 */

import { posix, win32 } from "node:path";

/** The systems that Deno runs on. */
export type System = typeof Deno.build.os;

/**
 * The name of a path relative to a folder, with `/` between its components.
 *
 * Between two drives of Windows there is no relative path: `relative("C:\\share", "D:\\x")` answers
 * the absolute `D:\x`, which does not begin with `..`.
 *
 * @param folder An absolute path.
 * @param path An absolute path.
 * @returns "" for the folder itself. Undefined for a path outside of it.
 */
export function nameInside(folder: string, path: string, system: System = Deno.build.os): string | undefined {
  const { relative, isAbsolute, sep } = system === "windows" ? win32 : posix;
  const name = relative(folder, path);
  const [first] = name.split(sep, 1);
  return isAbsolute(name) || first === ".." ? undefined : name.replaceAll(sep, "/");
}
