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
  /** The sum of the sizes that the peer claims. It may be more than a number holds exactly. */
  #bytes = 0;
  #characters = 0;
  #nameBytes = 0;

  /** How many files it lists. */
  get files(): number {
    return this.#files;
  }

  /** The size of all files together, within what a reply can hold. */
  get bytes(): number {
    return Math.max(0, Math.min(this.#bytes, Number.MAX_SAFE_INTEGER));
  }

  /** The memory of its names, as list_room.ts estimates it. */
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

  /** Counts a file that was removed from the list. */
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

  /**
   * Whether a change leaves the list within its bounds. Adding a file that is listed adds nothing,
   * and removing one that is not listed removes nothing.
   */
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
