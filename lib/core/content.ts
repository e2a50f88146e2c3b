/**
 * What a file is called by its content: pieces, their SHA-256 digests, and the root over them (DESIGN.md, "Content").
 *
 * The root is SHA-256 over the concatenated SHA-256 digests of the file's pieces, in order, written in lower-case hex. A file of no bytes
 * has no pieces, so its root is the SHA-256 of nothing.
 * @module
 */

import { createHash } from "node:crypto";
import type { Range } from "./range.ts";

/** The size of every piece but the last. Part of the format: another size would give every file another root. */
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

/** The root over a file's piece digests, concatenated in order. */
export function rootOf(digests: Uint8Array): string {
  return createHash("sha256").update(digests).digest("hex");
}

/** Digest `index` of a concatenated list. */
export function digestAt(digests: Uint8Array, index: number): Uint8Array {
  return digests.subarray(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES);
}

/** True when both hold the same bytes. Not constant-time: digests of files are no secrets. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
