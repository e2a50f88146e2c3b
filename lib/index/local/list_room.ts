/**
 * How much memory all lists together may take, and how it is shared among addresses: 12 keys with
 * the longest names took 16 GB within minutes. Pure. Called by local_index.ts.
 *
 * An address may hold a multiple of what is free. So one alone gets nearly everything, several get
 * equal parts, and the next one always finds some room.
 * @module
 */

import { addressShare } from "../../core/address.ts";
import { INDEX_LIST_BYTES_MAX, LIST_SHARE_OF_FREE } from "../../core/limits.ts";

/** What a name takes whatever its length: its entries in two tables, and its number. */
const NAME_BYTES = 250;
/** What a copy takes beside its name. */
const COPY_BYTES = 80;
/** A node of the tree of words, with what the heap of JavaScript adds. */
const NODE_BYTES = 80;
/**
 * A character of a name of common length, and one beyond: long names fill pages of SQLite badly, up
 * to 15 kB for 1,000 characters.
 */
const CHARACTER_BYTES = 4;
const LONG_CHARACTER_BYTES = 16;
const LONG_CHARACTERS = 128;

/** What an index holds of names, by what takes memory. */
export interface ListLoad {
  /** Of each name once: the sum of {@linkcode nameBytes}. */
  readonly nameBytes: number;
  readonly nodes: number;
  readonly copies: number;
}

/** The memory that a name takes at most beside its words, in bytes. */
export function nameBytes({ length }: string): number {
  const long = Math.max(0, length - LONG_CHARACTERS);
  return NAME_BYTES + (length - long) * CHARACTER_BYTES + long * LONG_CHARACTER_BYTES;
}

/** The memory of all lists, and who holds how much of it. */
export class ListRoom {
  readonly #bytesMax: number;
  /** By what counts as one address. */
  readonly #held = new Map<string, number>();
  #reserved = 0;

  /** `bytesMax` is for all lists together. */
  constructor(bytesMax = INDEX_LIST_BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  /** Notes that an address holds more, or with a negative number less. */
  note(host: string, bytes: number): void {
    const share = addressShare(host);
    const held = (this.#held.get(share) ?? 0) + bytes;
    if (held > 0) this.#held.set(share, held);
    else this.#held.delete(share);
  }

  /**
   * Reserves room for names that an address adds, until what this gives is disposed of; changes of
   * others come in between.
   *
   * @returns Undefined when there is no room.
   */
  reserve(host: string, names: readonly string[], load: ListLoad): Disposable | undefined {
    const more = names.reduce((sum, name) => sum + nameBytes(name), 0);
    const used = load.nameBytes + load.nodes * NODE_BYTES + load.copies * COPY_BYTES;
    const free = this.#bytesMax - used - this.#reserved - more;
    const held = (this.#held.get(addressShare(host)) ?? 0) + more;
    if (more > 0 && held > LIST_SHARE_OF_FREE * free) return undefined;
    this.#reserved += more;
    return { [Symbol.dispose]: () => void (this.#reserved -= more) };
  }
}
