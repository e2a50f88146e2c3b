/**
 * Tells whether a file that is kept open still lies at its path, whole. A program can continue to
 * write into an open file that was deleted or replaced, and notices nothing: its bytes are gone
 * when it ends. Called by state_file.ts.
 * @module
 */

/** One file that is kept open. */
export class SameFile {
  readonly #path: string;
  /** The file as it was seen first. Undefined while there was none. */
  #first: Deno.FileInfo | undefined;
  #size = 0;

  constructor(path: string) {
    this.#path = path;
    this.isLost();
  }

  /**
   * Whether it was deleted, replaced or cut short since it was seen first. Not for a file that its
   * own program cuts.
   */
  isLost(): boolean {
    let now: Deno.FileInfo | undefined;
    try {
      now = Deno.lstatSync(this.#path);
    } catch (thrown) {
      // A file that cannot be seen now may still be there.
      if (!(thrown instanceof Deno.errors.NotFound)) return false;
    }
    this.#first ??= now;
    if (this.#first === undefined) return false;
    if (now === undefined || !isSame(now, this.#first)) return true;
    const isCut = now.size < this.#size;
    this.#size = Math.max(this.#size, now.size);
    return isCut;
  }

  /** Whether another file is at its path. */
  isReplaced(): boolean {
    try {
      return this.#first !== undefined && !isSame(Deno.lstatSync(this.#path), this.#first);
    } catch {
      return false;
    }
  }
}

function isSame(one: Deno.FileInfo, other: Deno.FileInfo): boolean {
  return one.ino === other.ino && one.dev === other.dev;
}
