/**
 * Copies a file on this machine and makes sure that the copy is the wanted content. Called by
 * lib/peer, which copies where it would otherwise download the same bytes twice.
 * @module
 */

import { readFull, writeAll } from "../../core/bytes.ts";
import { DIGEST_BYTES, digestOf, PIECE_BYTES, pieceCount, pieceRange, rootOf } from "../../core/content.ts";
import { Failure } from "../../core/failure.ts";
import { rangeBytes } from "../../core/range.ts";
import type { OpenFile } from "./folder.ts";
import { isHole } from "./holes.ts";
import { removeIfPossible } from "./remove_if_possible.ts";

/** The content that the copy has to have. */
interface WantedContent {
  readonly root: string;
  readonly size: number;
}

/**
 * Callbacks while a file is read. `onPiece` gets the number of bytes read so far, and may throw to
 * stop.
 */
interface ReadOptions {
  readonly onPiece?: ((bytes: number) => void) | undefined;
}

/**
 * Writes a new file at `path` with the bytes of an open one.
 *
 * @returns The digests of the pieces. Undefined when the open file is not the wanted content:
 * nothing is then left at `path`.
 * @throws {Failure} "disk-full" and "no-access" when the copy cannot be written.
 */
export async function copyVerified(
  from: OpenFile,
  wanted: WantedContent,
  path: string,
  options: ReadOptions = {},
): Promise<Uint8Array | undefined> {
  if (from.size !== wanted.size) return undefined;
  let digests: Uint8Array | undefined;
  try {
    using to = await Deno.open(path, { createNew: true, write: true });
    let at = 0;
    digests = await digestsWhileRead(from.file, wanted.size, {
      ...options,
      write: async (piece) => {
        if (!isHole(piece)) {
          await to.seek(at, Deno.SeekMode.Start);
          await writeAll(to, piece);
        }
        at += piece.length;
      },
    });
    await to.truncate(wanted.size);
    if (wanted.size > PIECE_BYTES) await to.syncData();
  } catch (thrown) {
    removeIfPossible(path);
    throw Failure.from(thrown, "no-access", "Cannot copy the file");
  }
  if (digests !== undefined && rootOf(wanted.size, digests) === wanted.root) return digests;
  removeIfPossible(path);
  return undefined;
}

/**
 * Whether the file at `path` is the wanted content. Reads all of it. False for a file that cannot
 * be read, and when reading was stopped.
 */
export async function isContentAt(path: string, wanted: WantedContent, options: ReadOptions = {}): Promise<boolean> {
  try {
    using file = await Deno.open(path);
    const digests = await digestsWhileRead(file, wanted.size, options);
    return digests !== undefined && (await file.read(new Uint8Array(1))) === null &&
      rootOf(wanted.size, digests) === wanted.root;
  } catch {
    return false;
  }
}

/** The digests of the first `size` bytes. Undefined when there are fewer. */
async function digestsWhileRead(
  file: Deno.FsFile,
  size: number,
  { onPiece, write }: ReadOptions & { readonly write?: (piece: Uint8Array) => Promise<void> },
): Promise<Uint8Array | undefined> {
  const digests = new Uint8Array(pieceCount(size) * DIGEST_BYTES);
  const buffer = new Uint8Array(Math.min(PIECE_BYTES, size));
  await file.seek(0, Deno.SeekMode.Start);
  for (let index = 0; index < pieceCount(size); index++) {
    const range = pieceRange(index, size);
    const piece = buffer.subarray(0, rangeBytes(range));
    if (await readFull(file, piece) < piece.length) return undefined;
    digests.set(digestOf(piece), index * DIGEST_BYTES);
    await write?.(piece);
    onPiece?.(range.end);
  }
  return digests;
}
