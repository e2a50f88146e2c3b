/**
 * How much one peer lists, and whether it may list more. Pure. Called by local_index.ts.
 * @module
 */

import { FILES_PER_PEER_MAX, NAME_CHARACTERS_PER_PEER_MAX } from "../../core/limits.ts";
import { nameBytes } from "./list_room.ts";
import type { ListChange } from "../search_index.ts";

/** The sums of one list. */
export class ListSums {
  #files = 0;
  /** Whatever a peer says the sizes of its files are: it may be more than a number holds exactly. */
  #bytes = 0;
  #characters = 0;
  #nameBytes = 0;

  /** How many files it lists. */
  get files(): number {
    return this.#files;
  }

  /** Of all files together, as much as a reply can say. */
  get bytes(): number {
    return Math.max(0, Math.min(this.#bytes, Number.MAX_SAFE_INTEGER));
  }

  /** The memory that its names take, as list_room.ts estimates it. */
  get nameBytes(): number {
    return this.#nameBytes;
  }

  /** Counts a file that is new in the list. */
  add(name: string, size: number): void {
    this.#files += 1;
    this.#bytes += size;
    this.#characters += name.length;
    this.#nameBytes += nameBytes(name);
  }

  /** Counts a file that is in the list no longer. */
  remove(name: string, size: number): void {
    this.#files -= 1;
    this.#bytes -= size;
    this.#characters -= name.length;
    this.#nameBytes -= nameBytes(name);
  }

  /** Counts that a file has another size. */
  resize(before: number, size: number): void {
    this.#bytes += size - before;
  }

  /** Whether a change leaves the list within its bounds: to add what is listed adds nothing, and to remove what is not removes nothing. */
  fits({ add, remove }: ListChange, isListed: (name: string) => boolean): boolean {
    const most = this.#characters + charactersOf(add.map(({ name }) => name));
    if (this.#files + add.length <= FILES_PER_PEER_MAX && most <= NAME_CHARACTERS_PER_PEER_MAX) return true;
    const added = new Set(add.map(({ name }) => name));
    if (added.size > FILES_PER_PEER_MAX) return false;
    const removed = new Set(remove.filter(isListed));
    const fresh = added.values().filter((name) => removed.has(name) || !isListed(name)).toArray();
    return this.#files - removed.size + fresh.length <= FILES_PER_PEER_MAX &&
      this.#characters - charactersOf(removed) + charactersOf(fresh) <= NAME_CHARACTERS_PER_PEER_MAX;
  }
}

function charactersOf(names: Iterable<string>): number {
  let characters = 0;
  for (const name of names) characters += name.length;
  return characters;
}
