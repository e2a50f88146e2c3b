/**
 * Buffers that are used again and again, so that a download of any size takes the same memory.
 * @module
 */

import { PIECE_BYTES } from "../../core/content.ts";

/**
 * Buffers of one size, without a limit. Some are kept after use, because allocating
 * a large buffer takes longer than filling it.
 */
export class SpareBuffers {
  readonly #spare: Uint8Array<ArrayBuffer>[] = [];
  readonly #bytes: number;
  readonly #keptMax: number;

  constructor({ bytes, keptMax }: { readonly bytes: number; readonly keptMax: number }) {
    this.#bytes = bytes;
    this.#keptMax = keptMax;
  }

  /** A buffer. It may hold old bytes. */
  take(): Uint8Array<ArrayBuffer> {
    return this.#spare.pop() ?? new Uint8Array(this.#bytes);
  }

  /** Gives back a buffer that is no longer in use, not even by a socket. */
  give(buffer: Uint8Array<ArrayBuffer>): void {
    if (this.#spare.length < this.#keptMax) this.#spare.push(buffer);
  }
}

/** A limited number of buffers. A caller waits when all of them are in use. */
export class Buffers {
  readonly #free: Uint8Array[] = [];
  readonly #waiting: ((buffer: Uint8Array) => void)[] = [];
  /** The most buffers that are in use at once. It may grow. */
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
