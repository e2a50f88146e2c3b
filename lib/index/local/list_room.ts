/**
 * How much memory all lists together may take, and how addresses share it: without a bound, 12 keys
 * with the longest names took 16 GB within minutes. Pure. Called by local_index.ts.
 *
 * An address may use a multiple of what is free. So a single address gets nearly everything,
 * several addresses get equal parts, and the next one always finds some room.
 * @module
 */

import { addressShare } from "../../core/address.ts";
import { INDEX_LIST_BYTES_MAX, LIST_SHARE_OF_FREE } from "../../core/limits.ts";

/** The memory of a name, whatever its length: its number and its places in order. */
const NAME_BYTES = 120;
/** The memory of a character, with its part of the sets of names in the tree of words. */
const CHARACTER_BYTES = 5;
/** The memory of a copy. */
const COPY_BYTES = 80;
/** The memory of a leaf of the tree of words. */
const NODE_BYTES = 80;

/** What an index has listed, by what takes memory. */
export interface ListLoad {
  /** The sum of {@linkcode nameBytes} over all names, each once. */
  readonly nameBytes: number;
  /** Leaves of the tree of words. A branch counts as several. */
  readonly nodes: number;
  readonly copies: number;
}

/** The memory of a name at most, without the nodes of its words, in bytes. */
export function nameBytes({ length }: string): number {
  return NAME_BYTES + length * CHARACTER_BYTES;
}

/** The memory of all lists, and how much of it each address uses. */
export class ListRoom {
  readonly #bytesMax: number;
  /** By address. All addresses of one IPv6 /64 count as one. */
  readonly #held = new Map<string, number>();
  #reserved = 0;

  /** @param bytesMax The memory for all lists together. */
  constructor(bytesMax = INDEX_LIST_BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  /** Notes that an address uses more memory, or less when `bytes` is negative. */
  note(host: string, bytes: number): void {
    const share = addressShare(host);
    const held = (this.#held.get(share) ?? 0) + bytes;
    if (held > 0) this.#held.set(share, held);
    else this.#held.delete(share);
  }

  /**
   * Reserves memory for names that an address adds. Changes of other addresses may come before they
   * are added.
   *
   * @returns What ends the reservation, or undefined when there is not enough memory.
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
