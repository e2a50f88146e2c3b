/**
 * The names of all files by number, as searches read them: some tens for each, from all over the list. Called by listed_files.ts and
 * local_search.ts.
 *
 * SQLite has them too, to find a number by its name; reading a name by its number there takes 2 microseconds, here a tenth of one.
 * @module
 */

/** Names by number. Numbers that have become free are given again, so that they stay close together. */
export class NameList {
  readonly #names: (string | undefined)[] = [];
  readonly #free: number[] = [];

  /** Takes a name in. Shape: its number. */
  add(name: string): number {
    const id = this.#free.pop() ?? this.#names.length;
    this.#names[id] = name;
    return id;
  }

  /** Frees a number. */
  delete(id: number): void {
    this.#names[id] = undefined;
    this.#free.push(id);
  }

  /** The name of this number, which has been given. */
  of(id: number): string {
    return this.#names[id] ?? "";
  }
}
