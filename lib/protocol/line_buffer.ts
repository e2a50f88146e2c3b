/**
 * Splits a stream of bytes into lines, however the bytes arrive. What follows a line, such as a
 * body, is given back as it is. Pure. Called by lib/net/connection.ts.
 * @module
 */

import { Failure } from "../core/failure.ts";

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const EMPTY = new Uint8Array(0);

/**
 * Bytes that have arrived and were not taken yet. An empty buffer uses no memory, so that ten
 * thousand idle connections cost nothing here.
 */
export class LineBuffer {
  /** The longest line, in bytes. It may be raised when the other side is known. */
  lineBytesMax: number;
  #bytes = EMPTY;
  #start = 0;
  #end = 0;
  #scanned = 0;

  constructor(lineBytesMax: number) {
    this.lineBytesMax = lineBytesMax;
  }

  /** How many bytes wait. */
  get size(): number {
    return this.#end - this.#start;
  }

  /** The bytes that wait. Valid until the next call of `push`. */
  get waiting(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#end);
  }

  /** Whether a whole line waits. */
  get hasLine(): boolean {
    return this.#bytes.subarray(0, this.#end).includes(LINE_FEED, this.#start + this.#scanned);
  }

  /** Adds what has just arrived. The bytes are copied. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    if (this.#end + chunk.length > this.#bytes.length) this.#makeRoom(chunk.length);
    this.#bytes.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /**
   * Adds what has just arrived: the first `bytes` bytes of a buffer that nobody writes any more.
   * They are not copied if nothing else waits and they fill at least half of it, so that little
   * that waits keeps no large buffer.
   */
  give(buffer: Uint8Array<ArrayBuffer>, bytes: number): void {
    if (this.size > 0 || bytes * 2 < buffer.length) return this.push(buffer.subarray(0, bytes));
    this.#bytes = buffer;
    this.#end = bytes;
  }

  /**
   * The next line, without its line feed and without a carriage return before that. Undefined while
   * the line is incomplete. The bytes are valid until the next call of `push`.
   *
   * @throws {Failure} "too-large" as soon as the line is longer than its bound, complete or not.
   */
  line(): Uint8Array | undefined {
    const at = this.#bytes.subarray(0, this.#end).indexOf(LINE_FEED, this.#start + this.#scanned);
    const bytes = (at === -1 ? this.#end : at) - this.#start;
    if (bytes > this.lineBytesMax) {
      throw new Failure("too-large", `Cannot read the message: it is longer than ${this.lineBytesMax} bytes`);
    }
    if (at === -1) {
      this.#scanned = bytes;
      return undefined;
    }
    const end = at > this.#start && this.#bytes[at - 1] === CARRIAGE_RETURN ? at - 1 : at;
    const line = this.#bytes.subarray(this.#start, end);
    this.#advance(bytes + 1);
    return line;
  }

  /**
   * Moves as many waiting bytes into `target` as fit.
   *
   * @returns How many bytes it moved.
   */
  take(target: Uint8Array): number {
    const moved = Math.min(target.length, this.size);
    target.set(this.#bytes.subarray(this.#start, this.#start + moved));
    this.#advance(moved);
    return moved;
  }

  #advance(bytes: number): void {
    this.#start += bytes;
    this.#scanned = 0;
    if (this.#start === this.#end) {
      // The line that was given out last still points into the old bytes and keeps them alive.
      this.#bytes = EMPTY;
      this.#start = 0;
      this.#end = 0;
    }
  }

  #makeRoom(added: number): void {
    const needed = this.size + added;
    const roomy = needed <= this.#bytes.length / 2 ? this.#bytes : new Uint8Array(Math.max(needed, 2 * this.size));
    const kept = this.size;
    roomy.set(this.#bytes.subarray(this.#start, this.#end));
    this.#bytes = roomy;
    this.#start = 0;
    this.#end = kept;
  }
}
