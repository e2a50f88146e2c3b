/**
 * What a copy of a file keeps besides its bytes: when it was changed, and whether it is a program.
 * Called by everything that places a file.
 * @module
 */

/** What is known of a file besides its bytes. What is absent is unknown. */
export interface Traits {
  /** Milliseconds since 1970, negative before. */
  readonly modified?: number | undefined;
  readonly executable?: boolean | undefined;
}

/** The bits of a file's mode that allow to execute and to read it. */
const EXECUTE_BITS = 0o111;
const READ_BITS = 0o444;

/** Whether anybody may execute a file. Windows has no such bit. */
export function isExecutable({ mode }: Pick<Deno.FileInfo, "mode">): boolean {
  return Deno.build.os !== "windows" && ((mode ?? 0) & EXECUTE_BITS) !== 0;
}

/**
 * Gives a finished file its time, and lets everybody with the right to read a program also execute
 * it. A file system that cannot keep this still has all the bytes, so that is no failure.
 *
 * @param file The file, if it is open for writing: the system then need not look it up.
 */
export function keepTraits(path: string, { modified, executable = false }: Traits, file?: Deno.FsFile): void {
  ifPossible(() => {
    if (!executable || Deno.build.os === "windows") return;
    const mode = (Deno.lstatSync(path).mode ?? 0) & 0o777;
    Deno.chmodSync(path, mode | ((mode & READ_BITS) >> 2));
  });
  ifPossible(() => {
    if (modified === undefined) return;
    const time = new Date(modified);
    if (file === undefined) Deno.utimeSync(path, time, time);
    else file.utimeSync(time, time);
  });
}

function ifPossible(work: () => void): void {
  try {
    work();
  } catch {
    // FAT has no modes, and few file systems keep all times.
  }
}
