/**
 * Receives the parts of a picture: puts them in order, and decides what to acknowledge and when. It
 * has no socket, and the time is passed in. Called by take_picture.ts, and by tests with a
 * simulated network.
 * @module
 */

import { ACK_PARTS_MAX, type Acknowledgement, PART_BYTES, partCount } from "../protocol/datagram.ts";

/** Datagrams after which an acknowledgement is due. */
const ACK_EVERY = 16;
/** The longest time until an acknowledgement is due. */
const ACK_WITHIN_MS = 2;

/** The receiving side of one picture. */
export class DatagramReceiver {
  /** The picture; zeros where it has not arrived yet. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The highest number of a datagram that has arrived; -1 before the first. */
  latest = -1;
  readonly #count: number;
  /** For each part 1 when it has arrived, else 0. */
  readonly #here: Uint8Array;
  #missing: number;
  #inOrder = 0;
  /** One past the last part that has arrived. */
  #end = 0;
  #unacknowledged = 0;
  #ackAtMs = Infinity;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.#count = partCount(size);
    this.#here = new Uint8Array(this.#count);
    this.#missing = this.#count;
  }

  /** Whether all parts have arrived. */
  get whole(): boolean {
    return this.#missing === 0;
  }

  /** How many bytes have arrived. */
  get arrivedBytes(): number {
    return this.whole ? this.bytes.length : (this.#count - this.#missing) * PART_BYTES;
  }

  /** When the next acknowledgement is due; Infinity when there is nothing to acknowledge. */
  get ackAtMs(): number {
    return this.#ackAtMs;
  }

  /**
   * Accepts one part. A part that has arrived before, or is no part of this picture, changes
   * nothing.
   *
   * @returns Whether the part is new.
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

  /** Makes the acknowledgement that is to be sent now. */
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
