/**
 * Finds the files that already lie at the place of a name: the file with that name and, where
 * another file has taken the name, the numbered ones beside it (`(1) name`). Called by lib/peer
 * before it downloads, so that the same content is not stored twice.
 * @module
 */

import { join } from "node:path";
import { numberedName } from "./received_name.ts";

/** A plain file at the place of a name. */
export interface CopyAt {
  /** Relative to the root, with `/` between components. */
  readonly name: string;
  readonly path: string;
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
  /** When the system noted the last change of any kind. */
  readonly changed: number | undefined;
}

/** The numbers that `placeFile` gives. */
const NUMBERED_REGEXP = /^\((\d{1,5})\) /;

/** What is in one folder. */
interface Listing {
  /** The names as a disk may compare them: without case, in one form. */
  readonly names: ReadonlySet<string>;
  /** The numbers of all numbered names, in order. */
  readonly numbers: readonly number[];
}

/**
 * Looks below one folder. Each of its folders is listed once: asking the system for ten thousand
 * missing files would take longer.
 */
export class CopiesAt {
  readonly #root: string;
  readonly #listings = new Map<string, Listing>();

  /** @param root The real path of the folder. */
  constructor(root: string) {
    this.#root = root;
  }

  /** Every plain file of `size` bytes at the place of `name`, which `receivedName` gave. */
  *of(name: string, size: number): Generator<CopyAt> {
    if (!this.hasAny(name)) return;
    const { names, numbers } = this.#listing(name.slice(0, name.lastIndexOf("/") + 1));
    const first = this.#at(name);
    if (first === undefined) return;
    if (first.isFile && first.size === size) yield first;
    for (const number of numbers) {
      const numbered = numberedName(name, number);
      const copy = names.has(comparable(baseName(numbered))) ? this.#at(numbered) : undefined;
      if (copy?.isFile === true && copy.size === size) yield copy;
    }
  }

  /** Whether there is a file at the place of `name`, of whatever size. */
  hasAny(name: string): boolean {
    const { names } = this.#listing(name.slice(0, name.lastIndexOf("/") + 1));
    return names.size > 0 && names.has(comparable(baseName(name)));
  }

  #at(name: string): CopyAt & { readonly isFile: boolean } | undefined {
    const path = join(this.#root, ...name.split("/"));
    try {
      const { isFile, size, mtime, ctime } = Deno.lstatSync(path);
      return { name, path, size, modified: mtime?.getTime() ?? 0, changed: ctime?.getTime(), isFile };
    } catch {
      return undefined;
    }
  }

  #listing(folder: string): Listing {
    let listing = this.#listings.get(folder);
    if (listing === undefined) {
      listing = listed(join(this.#root, ...folder.split("/")));
      this.#listings.set(folder, listing);
    }
    return listing;
  }
}

function listed(folder: string): Listing {
  const names = new Set<string>();
  const numbers = new Set<number>();
  try {
    for (const { name } of Deno.readDirSync(folder)) {
      names.add(comparable(name));
      const digits = NUMBERED_REGEXP.exec(name)?.[1];
      if (digits !== undefined) numbers.add(Number(digits));
    }
  } catch {
    // A folder that cannot be listed has no copy that could be found.
  }
  return { names, numbers: [...numbers].sort((a, b) => a - b) };
}

function comparable(name: string): string {
  return name.normalize("NFC").toLowerCase();
}

/**
 * Whether a file with this name may be a copy that was stored as `name` in any folder: under that
 * name or a numbered one.
 */
export function isNamedLike(other: string, name: string): boolean {
  const [base, otherBase] = [baseName(name), baseName(other)];
  const digits = NUMBERED_REGEXP.exec(otherBase)?.[1];
  return otherBase === base || (digits !== undefined && otherBase === numberedName(base, Number(digits)));
}

function baseName(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}
