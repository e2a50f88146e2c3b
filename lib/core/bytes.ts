/**
 * Reading and writing whole buffers. A single call of the platform may move fewer bytes than it was
 * given.
 * @module
 */

/** Something to write bytes into, such as a file or a connection. */
export interface ByteTarget {
  /** Writes at least one byte of `bytes`. @returns How many it wrote. */
  write(bytes: Uint8Array): Promise<number>;
}

/** The same without waiting. */
export interface SyncByteTarget {
  /** Writes at least one byte of `bytes`. @returns How many it wrote. */
  writeSync(bytes: Uint8Array): number;
}

/** Something to read bytes from. */
export interface ByteSource {
  /** Reads at least one byte into `target`. @returns How many it read, or null at the end. */
  read(target: Uint8Array): Promise<number | null>;
}

/** The same without waiting. */
export interface SyncByteSource {
  /** Reads at least one byte into `target`. @returns How many it read, or null at the end. */
  readSync(target: Uint8Array): number | null;
}

/** Writes all bytes. */
export async function writeAll(target: ByteTarget, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await target.write(done === 0 ? bytes : bytes.subarray(done));
}

/** Writes all bytes without waiting. */
export function writeAllSync(target: SyncByteTarget, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += target.writeSync(done === 0 ? bytes : bytes.subarray(done));
}

/**
 * Fills a buffer.
 *
 * @returns How many bytes there were: fewer than the buffer holds only when the source ended
 * before.
 */
export async function readFull(source: ByteSource, target: Uint8Array): Promise<number> {
  for (let filled = 0;;) {
    if (filled === target.length) return filled;
    const read = await source.read(filled === 0 ? target : target.subarray(filled));
    if (read === null) return filled;
    filled += read;
  }
}

/**
 * Fills a buffer without waiting.
 *
 * @returns How many bytes there were: fewer than the buffer holds only when the source ended
 * before.
 */
export function readFullSync(source: SyncByteSource, target: Uint8Array): number {
  for (let filled = 0;;) {
    if (filled === target.length) return filled;
    const read = source.readSync(filled === 0 ? target : target.subarray(filled));
    if (read === null) return filled;
    filled += read;
  }
}

/** Several pieces as one, in order. A single piece is not copied. */
export function joinBytes(pieces: readonly Uint8Array[]): Uint8Array {
  const [first] = pieces;
  if (pieces.length === 1 && first !== undefined) return first;
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const piece of pieces) {
    bytes.set(piece, end);
    end += piece.length;
  }
  return bytes;
}
