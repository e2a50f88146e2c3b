/**
 * Moves or removes the files of a database, which SQLite may have left beside it. Called by
 * state_file.ts.
 * @module
 */

import { type AsideWord, isThere, setAside } from "../files/odd_file.ts";

/**
 * Moves a database out of the way, with the files that SQLite may have left beside it.
 *
 * @returns Where it is now.
 */
export function setDatabaseAside(path: string, word: AsideWord): string {
  const aside = setAside(path, word);
  for (const ending of ["-wal", "-journal"]) if (isThere(path + ending)) Deno.renameSync(path + ending, aside + ending);
  if (isThere(`${path}-shm`)) Deno.removeSync(`${path}-shm`);
  return aside;
}

/** Removes a database that has nothing of its own. */
export function removeDatabase(path: string): void {
  for (const ending of ["", "-wal", "-journal"]) if (isThere(path + ending)) Deno.removeSync(path + ending);
}
