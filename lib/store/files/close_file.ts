/** Closes files that something else may have closed already. @module */

/** Closes a file; one that was closed by the stream that read it is closed. */
export function closeFile(file: Deno.FsFile): void {
  try {
    file.close();
  } catch (thrown) {
    if (!(thrown instanceof Deno.errors.BadResource)) throw thrown;
  }
}
