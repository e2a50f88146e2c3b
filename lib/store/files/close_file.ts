/** Closes files that something else may have closed already. @module */

/** Closes a file. One that the stream reading it has closed already stays closed. */
export function closeFile(file: Deno.FsFile): void {
  try {
    file.close();
  } catch (thrown) {
    if (!(thrown instanceof Deno.errors.BadResource)) throw thrown;
  }
}
