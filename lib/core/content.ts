/**
 * How a file is identified by its content: pieces, their SHA-256 digests, and the root over them.
 *
 * The root is SHA-256 over the file's size (8 bytes, big-endian) followed by the SHA-256 digests of
 * its pieces, in order, in lower-case hex. The size is part of it, so that a known root with
 * another size is never believed.
 * @module
 */

import { createHash } from "node:crypto";
import type { Range } from "./range.ts";

/**
 * The size of every piece but the last. It is part of the format: another size would give every
 * file another root.
 */
export const PIECE_BYTES = 1 << 20;

/** The size of one SHA-256 digest. */
export const DIGEST_BYTES = 32;

/** What a root looks like on the wire and on the screen. */
export const ROOT_REGEXP = /^[0-9a-f]{64}$/;

/** How many pieces a file of `size` bytes has. */
export function pieceCount(size: number): number {
  return Math.ceil(size / PIECE_BYTES);
}

/** The bytes that piece `index` of a file of `size` bytes covers. */
export function pieceRange(index: number, size: number): Range {
  const start = index * PIECE_BYTES;
  return { start, end: Math.min(start + PIECE_BYTES, size) };
}

/** SHA-256 of one piece. */
export function digestOf(piece: Uint8Array): Uint8Array {
  return createHash("sha256").update(piece).digest();
}

/** The digests of a file of at most one piece: one, or none when it is empty. */
export function smallDigests(bytes: Uint8Array): Uint8Array {
  return bytes.length === 0 ? new Uint8Array(0) : digestOf(bytes);
}

/** The root of a file of `size` bytes. `digests` has its digests, in order. */
export function rootOf(size: number, digests: Uint8Array): string {
  return createHash("sha256").update(sizeBytes(size)).update(digests).digest("hex");
}

/** A size as it goes into a root: 8 bytes, big-endian. */
export function sizeBytes(size: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(size));
  return bytes;
}

/** Digest `index` of a concatenated list. */
export function digestAt(digests: Uint8Array, index: number): Uint8Array {
  return digests.subarray(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES);
}

/** Whether both hold the same bytes. Not in constant time: the digests of files are no secrets. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
