/**
 * Shares the names of one search among the peers that list them, so that a peer with very many
 * names does not hide the names of others. Called by local_search.ts.
 *
 * The first few names of each peer come first, then some more of each peer. The search adds the
 * others behind them. Names are in order of their numbers, so the sequence does not depend on how
 * many names are wanted.
 * @module
 */

import type { FileTable } from "./file_table.ts";
import type { Choice } from "./id_set.ts";

/** The first names of a peer: few enough that those of four peers fit into one block. */
export const FIRST_NAMES = 16;
/** How many names of a peer come before names that are beyond the share of their peers. */
const SHARE_NAMES = 256;
/** Copies of one name that are looked at. A name with more copies is within some peer's share. */
const COPIES_OF_NAME_MAX = 32;
/** Copies that are looked at in all. That takes about a millisecond. */
const COPIES_LOOKED_MAX = 100_000;

/** How many names of a peer were given so far. */
interface Share {
  readonly peer: number;
  names: number;
}

/** Takes the first names of each peer, and notes which names come next. */
export class PeerShares implements Choice {
  /** Names within the shares of their peers that come behind the first names, in order. */
  readonly later: number[] = [];
  readonly #copies: FileTable;
  readonly #shares = new Map<number, Share>();
  /** The names of one peer often have neighbouring numbers. */
  #last: Share = { peer: 0, names: Infinity };
  #copiesLeft = COPIES_LOOKED_MAX;

  /** @param copies Where the peers of a name are found. */
  constructor(copies: FileTable) {
    this.#copies = copies;
  }

  /** Whether all names of a group belong to a peer that has used up its share. */
  skips(group: number): boolean {
    if (this.#copiesLeft <= 0) return true;
    const owner = this.#copies.groups.ownerOf(group);
    return owner !== undefined && this.#shareOf(owner).names >= SHARE_NAMES;
  }

  /**
   * Whether a name is one of the first of some peer. It counts for the peer that has given the
   * fewest names so far, among the peers that list it.
   */
  takes(id: number): boolean {
    let least: Share = { peer: 0, names: Infinity };
    let looked = 0;
    let row = this.#copies.firstOfName(id);
    for (; row !== 0 && looked < COPIES_OF_NAME_MAX && least.names >= FIRST_NAMES; looked++) {
      const share = this.#shareOf(this.#copies.peerOf(row));
      if (share.names < least.names) least = share;
      row = this.#copies.nextOfName(row);
    }
    this.#copiesLeft -= looked;
    if (least.names >= SHARE_NAMES && looked < COPIES_OF_NAME_MAX) return false;
    least.names += 1;
    if (least.names <= FIRST_NAMES) return true;
    this.later.push(id);
    return false;
  }

  #shareOf(peer: number): Share {
    if (this.#last.peer === peer) return this.#last;
    const share = this.#shares.get(peer) ?? { peer, names: 0 };
    this.#shares.set(peer, share);
    this.#last = share;
    return share;
  }
}
