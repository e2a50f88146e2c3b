/**
 * Finds the files that already lie at the place of a name: the one of that name and, where another file has taken the name, the numbered
 * ones beside it (`(1) name`). Called by lib/peer before it fetches, so that the same content is not stored again and again.
 * @module
 */

import { join } from "@std/path";
import { numberedName } from "./received_name.ts";

/** A plain file at the place of a name. */
export interface CopyAt {
  /** Relative to the root, with `/` between components. */
  readonly name: string;
  readonly path: string;
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
  /** When the system noted the last change of whatever kind. */
  readonly changed: number | undefined;
}

/** Numbers that `placeFile` gives. */
const NUMBERED_REGEXP = /^\((\d{1,5})\) /;

/** Looks below one folder. Each of its folders is listed once, when a name in it is taken. */
export class CopiesAt {
  readonly #root: string;
  readonly #numbersIn = new Map<string, readonly number[]>();

  /** @param root The real path of the folder. */
  constructor(root: string) {
    this.#root = root;
  }

  /** Every plain file of `size` bytes at the place of `name`, which `receivedName` gave. */
  *of(name: string, size: number): Generator<CopyAt> {
    const first = this.#at(name);
    if (first === undefined) return;
    if (first.isFile && first.size === size) yield first;
    for (const number of this.#numbers(name)) {
      const copy = this.#at(numberedName(name, number));
      if (copy?.isFile === true && copy.size === size) yield copy;
    }
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

  /** The numbers of all numbered names in the folder of `name`, in order. */
  #numbers(name: string): readonly number[] {
    const folder = name.slice(0, name.lastIndexOf("/") + 1);
    let numbers = this.#numbersIn.get(folder);
    if (numbers === undefined) {
      numbers = numbersIn(join(this.#root, ...folder.split("/")));
      this.#numbersIn.set(folder, numbers);
    }
    return numbers;
  }
}

function numbersIn(folder: string): number[] {
  const numbers = new Set<number>();
  try {
    for (const { name } of Deno.readDirSync(folder)) {
      const digits = NUMBERED_REGEXP.exec(name)?.[1];
      if (digits !== undefined) numbers.add(Number(digits));
    }
  } catch {
    // What cannot be listed holds no copy that could be found.
  }
  return [...numbers].sort((a, b) => a - b);
}

/** Whether a file of this name may be a copy that was stored as `name`, in whatever folder: under that name or a numbered one. */
export function isNamedLike(other: string, name: string): boolean {
  const [base, otherBase] = [baseName(name), baseName(other)];
  const digits = NUMBERED_REGEXP.exec(otherBase)?.[1];
  return otherBase === base || (digits !== undefined && otherBase === numberedName(base, Number(digits)));
}

function baseName(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}
