/**
 * Compares one piece of a shared file with its digest. Called by share.ts when a peer got bytes
 * that do not match.
 * @module
 */

import { readFull } from "../../core/bytes.ts";
import { digestAt, digestOf, pieceCount, pieceRange, sameBytes } from "../../core/content.ts";
import { Failure } from "../../core/failure.ts";
import { type Range, rangeBytes } from "../../core/range.ts";
import type { SharedFile } from "./file_list.ts";
import type { Folder } from "../files/folder.ts";

/**
 * Whether piece `index` of a file still has its digest. True for a file that cannot be read now,
 * which is not sent either.
 */
export async function pieceFits(
  folder: Folder,
  file: SharedFile,
  digests: Uint8Array,
  index: number,
): Promise<boolean> {
  if (index >= pieceCount(file.size)) return true;
  try {
    using opened = folder.openShared(file.name);
    const piece = await readPiece(opened.file, pieceRange(index, file.size));
    return piece !== undefined && sameBytes(digestOf(piece), digestAt(digests, index));
  } catch (thrown) {
    if (thrown instanceof Failure) return true;
    throw thrown;
  }
}

/** The bytes of a range. Undefined when the file ends before it. */
async function readPiece(file: Deno.FsFile, range: Range): Promise<Uint8Array | undefined> {
  const piece = new Uint8Array(rangeBytes(range));
  await file.seek(range.start, Deno.SeekMode.Start);
  return await readFull(file, piece) < piece.length ? undefined : piece;
}
