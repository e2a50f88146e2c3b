/**
 * The files of a share in memory: by name, by content, in order. Pure. share.ts keeps it current.
 * @module
 */

import type { FoundFile } from "../files/found_file.ts";

/** A shared file. Without `root` until it is hashed. */
export interface SharedFile extends FoundFile {
  readonly root?: string | undefined;
}

/** Files with unique names. */
export class FileList {
  readonly #byName = new Map<string, SharedFile>();
  /** A set only for contents with several names: a set of one takes 200 bytes. */
  readonly #namesByRoot = new Map<string, string | Set<string>>();
  #sorted: readonly string[] | undefined;

  /** How many files there are. */
  get size(): number {
    return this.#byName.size;
  }

  /** Every file, in no order. */
  all(): Iterable<SharedFile> {
    return this.#byName.values();
  }

  /** The file with this name. */
  get(name: string): SharedFile | undefined {
    return this.#byName.get(name);
  }

  /** A file with this content. */
  byRoot(root: string): SharedFile | undefined {
    const [name] = this.#namesOf(root);
    return name === undefined ? undefined : this.#byName.get(name);
  }

  /** Every file with this content. */
  copiesOf(root: string): SharedFile[] {
    return [...this.#namesOf(root)].flatMap((name) => this.#byName.get(name) ?? []);
  }

  /** Files in order of name, from the one after `after`. With `more`, others follow. */
  page(after: string | undefined, limit: number): { files: SharedFile[]; more: boolean } {
    this.#sorted ??= [...this.#byName.keys()].sort();
    const start = after === undefined ? 0 : firstAfter(this.#sorted, after);
    const names = this.#sorted.slice(start, start + limit);
    const files = names.flatMap((name) => this.#byName.get(name) ?? []);
    return { files, more: start + limit < this.#sorted.length };
  }

  /** Names at or below a name. Every name for the empty one. */
  namesBelow(name: string): Iterable<string> {
    if (name === "") return this.#byName.keys();
    return this.#byName.has(name) ? [name] : this.#byName.keys().filter((each) => each.startsWith(`${name}/`));
  }

  /** Adds a file, or replaces the one with the same name. */
  put(file: SharedFile): void {
    if (!this.#byName.has(file.name)) this.#sorted = undefined;
    this.#forgetRoot(file.name);
    this.#byName.set(file.name, file);
    if (file.root === undefined) return;
    const names = this.#namesByRoot.get(file.root);
    if (names instanceof Set) names.add(file.name);
    else this.#namesByRoot.set(file.root, names === undefined ? file.name : new Set([names, file.name]));
  }

  /** Removes a file, if it is there. */
  drop(name: string): void {
    this.#forgetRoot(name);
    if (this.#byName.delete(name)) this.#sorted = undefined;
  }

  #forgetRoot(name: string): void {
    const root = this.#byName.get(name)?.root;
    if (root === undefined) return;
    const names = this.#namesByRoot.get(root);
    if (names instanceof Set && names.size > 1) names.delete(name);
    else this.#namesByRoot.delete(root);
  }

  #namesOf(root: string): Iterable<string> {
    const names = this.#namesByRoot.get(root);
    return typeof names === "string" ? [names] : names ?? [];
  }
}

/** Where the first name after `name` is in a sorted list. */
function firstAfter(sorted: readonly string[], name: string): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? "") <= name) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Digests of a file's pieces from some number on. `file.root` is there when the rest is complete.
 */
export interface KnownPieces {
  readonly file: SharedFile;
  readonly digests: Uint8Array;
}

/** Whether two files have the same size and time. */
export function sameVersion(a: { size: number; modified: number }, b: { size: number; modified: number }): boolean {
  return a.size === b.size && a.modified === b.modified;
}
