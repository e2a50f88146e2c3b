/**
 * Finds the missing pieces of a file among the pieces of other files, by their digests. Pure.
 * Called by local_pieces.ts.
 * @module
 */

import { digestAt } from "../../core/content.ts";
import { PIECES_LOOKED_UP_MAX } from "../../core/limits.ts";
import type { PieceSet } from "../../core/piece_set.ts";

/** A piece of a shared file that has the bytes of a wanted piece. Both are counted from 0. */
export interface EqualPiece {
  readonly from: number;
  readonly to: number;
}

/** The missing pieces of one file that have not been found. */
export class PieceLookUp {
  /**
   * The pieces that have a digest. Strings, because the engine protects their hashes. Whole
   * digests, because a list may have some that only begin like those of a shared file.
   */
  readonly #missing = new Map<string, number[]>();

  /**
   * @param digests Those of the wanted file, in order.
   * @param here The pieces that are not missing.
   */
  constructor(digests: Uint8Array, here: PieceSet) {
    let left = PIECES_LOOKED_UP_MAX;
    for (let index = here.firstMissing; index < here.count && left > 0; index++) {
      if (here.has(index)) continue;
      const key = keyOf(digests, index);
      const alike = this.#missing.get(key);
      if (alike === undefined) this.#missing.set(key, [index]);
      else alike.push(index);
      left -= 1;
    }
  }

  /** Whether every missing piece has been found. */
  get isDone(): boolean {
    return this.#missing.size === 0;
  }

  /**
   * The wanted pieces that have the digests of another file's pieces. Each is found once.
   *
   * @param digests Those of the other file's pieces from number `first` on.
   */
  take(digests: Uint8Array, first = 0): EqualPiece[] {
    const equal: EqualPiece[] = [];
    for (let index = 0; digestAt(digests, index).length > 0; index++) {
      const key = keyOf(digests, index);
      const alike = this.#missing.get(key);
      if (alike === undefined) continue;
      this.#missing.delete(key);
      for (const to of alike) equal.push({ from: first + index, to });
    }
    return equal;
  }
}

function keyOf(digests: Uint8Array, index: number): string {
  return digestAt(digests, index).toHex();
}
