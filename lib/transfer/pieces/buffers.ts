/**
 * Buffers of one piece each, used over and over, so that a download of any size takes the same memory.
 * @module
 */

import { PIECE_BYTES } from "../../core/content.ts";

/** Buffers of one piece, as many as are needed. Some of those that are given back are kept: to allocate one takes longer than to fill it. */
export class SpareBuffers {
  readonly #spare: Uint8Array<ArrayBuffer>[] = [];
  readonly #keptMax: number;

  constructor(keptMax: number) {
    this.#keptMax = keptMax;
  }

  /** A buffer of one piece, with whatever was in it before. */
  take(): Uint8Array<ArrayBuffer> {
    return this.#spare.pop() ?? new Uint8Array(PIECE_BYTES);
  }

  /** Gives a buffer back that nobody reads any more, no socket either. */
  give(buffer: Uint8Array<ArrayBuffer>): void {
    if (this.#spare.length < this.#keptMax) this.#spare.push(buffer);
  }
}

/** Gives out buffers and takes them back; whoever finds none waits. */
export class Buffers {
  readonly #free: Uint8Array[] = [];
  readonly #waiting: ((buffer: Uint8Array) => void)[] = [];
  /** How many are in use at once, at most. May grow. */
  countMax: number;
  #made = 0;

  constructor(countMax: number) {
    this.countMax = countMax;
  }

  /** A buffer of one piece. */
  take(): Promise<Uint8Array> {
    const free = this.#free.pop();
    if (free !== undefined) return Promise.resolve(free);
    if (this.#made < this.countMax) {
      this.#made += 1;
      return Promise.resolve(new Uint8Array(PIECE_BYTES));
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Gives a buffer back. */
  give(buffer: Uint8Array): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(buffer);
    else next(buffer);
  }
}
