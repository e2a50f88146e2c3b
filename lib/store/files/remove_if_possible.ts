/**
 * Removes a file of our own that is of no use any more. Called by everything in lib/store that
 * makes such files.
 * @module
 */

/** Removes a file if there is one. A file that cannot be removed only lies about. */
export function removeIfPossible(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // It is not there, or cannot be removed.
  }
}
