/** A file that is being hashed. Made by hasher.ts. @module */

import { DIGEST_BYTES, rootOf } from "../../core/content.ts";
import type { Failure } from "../../core/failure.ts";
import { Bell } from "../../core/flow/bell.ts";

let lastId = 0;

/** A file that is being hashed. */
export class HashJob {
  /** Unique in this program. */
  readonly id: number = ++lastId;
  readonly path: string;
  /**
   * Resolves when the whole file is hashed. Rejects with "file-changed" when it changed meanwhile,
   * "not-shared" when it cannot be read.
   */
  readonly done: Promise<HashResult>;
  #digests = new Uint8Array(0);
  #count = 0;
  #ended = false;
  readonly #news = new Bell();
  readonly #done = Promise.withResolvers<HashResult>();

  constructor(path: string) {
    this.path = path;
    this.done = this.#done.promise;
    this.done.catch(() => {});
  }

  /** The digests so far, concatenated. */
  get digests(): Uint8Array {
    return this.#digests.subarray(0, this.#count);
  }

  /** Whether the job has ended, with or without a root. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Resolves at the next digests, or when the job ends. */
  get news(): Promise<void> {
    return this.#news.next;
  }

  /** For the hasher: more digests. */
  add(digests: Uint8Array): void {
    if (this.#count + digests.length > this.#digests.length) {
      const larger = new Uint8Array(Math.max(2 * this.#digests.length, this.#count + digests.length, 8 * DIGEST_BYTES));
      larger.set(this.digests);
      this.#digests = larger;
    }
    this.#digests.set(digests, this.#count);
    this.#count += digests.length;
    this.#news.ring();
  }

  /** For the hasher: the end. */
  finish(as: { size: number; modified: number }): void {
    this.#ended = true;
    this.#done.resolve({ ...as, digests: this.digests, root: rootOf(as.size, this.digests) });
    this.#news.ring();
  }

  /** For the hasher: the end, without a root. */
  fail(failure: Failure): void {
    this.#ended = true;
    this.#done.reject(failure);
    this.#news.ring();
  }
}

/** A file's content as it was from the first to the last byte read. */
export interface HashResult {
  readonly size: number;
  readonly modified: number;
  readonly root: string;
  readonly digests: Uint8Array;
}
