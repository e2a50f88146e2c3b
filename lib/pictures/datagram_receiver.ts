/**
 * The receiving side of a picture as values: puts parts in order, and says what to acknowledge and when. No socket; the clock is passed in. Called
 * by take_picture.ts, and by tests with a network of their own.
 * @module
 */

import { ACK_PARTS_MAX, type Acknowledgement, PART_BYTES, partCount } from "../protocol/datagram.ts";

/** Datagrams after which an acknowledgement is due. */
const ACK_EVERY = 16;
/** Time after which it is due at the latest. */
const ACK_WITHIN_MS = 2;

/** The parts of one picture as they come. */
export class DatagramReceiver {
  /** The picture; zeros where it has not arrived yet. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The highest number that has come, -1 before the first. */
  latest = -1;
  readonly #count: number;
  /** One for each part that is here. */
  readonly #here: Uint8Array;
  #missing: number;
  #inOrder = 0;
  /** One past the last part that is here. */
  #end = 0;
  #unacknowledged = 0;
  #ackAtMs = Infinity;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.#count = partCount(size);
    this.#here = new Uint8Array(this.#count);
    this.#missing = this.#count;
  }

  /** Whether everything is here. */
  get whole(): boolean {
    return this.#missing === 0;
  }

  /** How many bytes are here. */
  get arrivedBytes(): number {
    return this.whole ? this.bytes.length : (this.#count - this.#missing) * PART_BYTES;
  }

  /** When the next acknowledgement is to be sent; Infinity when nothing is to be told. */
  get ackAtMs(): number {
    return this.#ackAtMs;
  }

  /**
   * Takes one part. What is here already, or is no part of this picture, changes nothing. Shape: whether it was new.
   */
  take({ number, index, bytes }: { number: number; index: number; bytes: Uint8Array }, nowMs: number): boolean {
    const start = index * PART_BYTES;
    if (index >= this.#count || bytes.length !== Math.min(PART_BYTES, this.bytes.length - start)) return false;
    this.latest = Math.max(this.latest, number);
    const isNew = this.#here[index] === 0;
    if (isNew) {
      this.bytes.set(bytes, start);
      this.#here[index] = 1;
      this.#missing -= 1;
      this.#end = Math.max(this.#end, index + 1);
      while (this.#inOrder < this.#count && this.#here[this.#inOrder] === 1) this.#inOrder += 1;
    }
    this.#unacknowledged += 1;
    const isDue = this.#unacknowledged >= ACK_EVERY || this.whole;
    this.#ackAtMs = Math.min(this.#ackAtMs, isDue ? nowMs : nowMs + ACK_WITHIN_MS);
    return isNew;
  }

  /** What has arrived, to be told now. */
  acknowledge(): Acknowledgement {
    this.#unacknowledged = 0;
    this.#ackAtMs = Infinity;
    const first = this.#inOrder + 1;
    const known = Math.max(0, Math.min(this.#end - first, ACK_PARTS_MAX));
    const beyond = new Uint8Array(Math.ceil(known / 8));
    for (let bit = 0; bit < known; bit++) {
      if (this.#here[first + bit] === 1) beyond[bit >> 3] = (beyond[bit >> 3] ?? 0) | 1 << (bit & 7);
    }
    return { latest: this.latest, inOrder: this.#inOrder, beyond };
  }
}
