/**
 * Which pieces of a file somebody has: one bit a piece. Pure. lib/transfer plans with it, and
 * `HOLDS` sends it as it is.
 * @module
 */

import { PIECE_BYTES } from "./content.ts";
import type { Range } from "./range.ts";

/** A set of the pieces of one file. */
export class PieceSet {
  /** How many pieces the file has. */
  readonly count: number;
  readonly #bits: Uint8Array;
  #size = 0;

  /** The empty set, or the set in `bits`. Bits beyond `count` are ignored. */
  constructor(count: number, bits?: Uint8Array) {
    this.count = count;
    this.#bits = new Uint8Array(Math.ceil(count / 8));
    if (bits === undefined) return;
    for (let index = 0; index < count; index++) if (((bits[index >> 3] ?? 0) >> (index & 7) & 1) === 1) this.add(index);
  }

  /** How many pieces are in the set. */
  get size(): number {
    return this.#size;
  }

  /** A copy of the bits: piece `i` is bit `i % 8`, counted from the lowest, of byte `i / 8`. */
  get bits(): Uint8Array {
    return this.#bits.slice();
  }

  /** Another set with the same pieces. */
  copy(): PieceSet {
    const copy = new PieceSet(this.count);
    copy.#bits.set(this.#bits);
    copy.#size = this.#size;
    return copy;
  }

  /** Whether a piece is in the set. */
  has(index: number): boolean {
    return ((this.#bits[index >> 3] ?? 0) >> (index & 7) & 1) === 1;
  }

  /** The first piece that is not in the set, or `count` when all are. */
  get firstMissing(): number {
    let first = 0;
    while (this.has(first)) first += 1;
    return first;
  }

  /** How many bytes its pieces have, in a file of `size` bytes. */
  bytes(size: number): number {
    const missingOfLast = this.has(this.count - 1) ? this.count * PIECE_BYTES - size : 0;
    return this.#size * PIECE_BYTES - missingOfLast;
  }

  /**
   * What of a file of `size` bytes is not in it, in order, as ranges of at most `countMax` pieces.
   */
  *missing(size: number, countMax: number): Generator<Range> {
    for (let first = this.firstMissing; first < this.count;) {
      let end = first + 1;
      while (end < this.count && end - first < countMax && !this.has(end)) end += 1;
      yield { start: first * PIECE_BYTES, end: Math.min(end * PIECE_BYTES, size) };
      for (first = end; this.has(first);) first += 1;
    }
  }

  /** Adds a piece. */
  add(index: number): void {
    if (index >= this.count || this.has(index)) return;
    this.#bits[index >> 3] = (this.#bits[index >> 3] ?? 0) | 1 << (index & 7);
    this.#size += 1;
  }

  /** Removes a piece. */
  remove(index: number): void {
    if (!this.has(index)) return;
    this.#bits[index >> 3] = (this.#bits[index >> 3] ?? 0) & ~(1 << (index & 7));
    this.#size -= 1;
  }

  /** Adds every piece that a range touches. */
  addTouched(range: Range): void {
    for (let index = Math.floor(range.start / PIECE_BYTES); index * PIECE_BYTES < range.end; index++) this.add(index);
  }

  /** Whether every piece that a range touches is in the set. */
  covers(range: Range): boolean {
    for (let index = Math.floor(range.start / PIECE_BYTES); index * PIECE_BYTES < range.end; index++) {
      if (!this.has(index)) return false;
    }
    return true;
  }
}
