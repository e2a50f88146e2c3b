/**
 * Which names of a list only one peer has, for groups of 32 numbers of names. A search that has
 * seen enough names of a peer passes over such a group without looking at its names. Called by
 * file_table.ts and peer_shares.ts.
 * @module
 */

import { groupOf } from "./id_set.ts";

/** A group with copies of several peers. No peer has this number. */
const SEVERAL = 0xffff_ffff;

/** The owners of groups of names. Peers are numbers. */
export class NameGroups {
  #owners = new Uint32Array(64);
  #copies = new Uint32Array(64);

  /** Notes a copy of a peer. */
  add(name: number, peer: number): void {
    const group = groupOf(name);
    if (group >= this.#owners.length) {
      this.#owners = grown(this.#owners, group + 1);
      this.#copies = grown(this.#copies, group + 1);
    }
    const copies = this.#copies[group] ?? 0;
    this.#owners[group] = copies === 0 || this.#owners[group] === peer ? peer : SEVERAL;
    this.#copies[group] = copies + 1;
  }

  /** Notes that a copy was removed. A group of several peers stays one until it has no copies. */
  delete(name: number): void {
    const group = groupOf(name);
    this.#copies[group] = (this.#copies[group] ?? 0) - 1;
  }

  /** The peer that has all copies of a group, or undefined when there may be several. */
  ownerOf(group: number): number | undefined {
    const owner = this.#owners[group];
    return owner === SEVERAL ? undefined : owner;
  }
}

function grown(array: Uint32Array<ArrayBuffer>, length: number): Uint32Array<ArrayBuffer> {
  const roomy = new Uint32Array(Math.max(length, 2 * array.length));
  roomy.set(array);
  return roomy;
}
