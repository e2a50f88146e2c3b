/**
 * Chooses the shared files in which the pieces of a wanted file are looked up: older versions of it
 * first. Pure. Called by local_pieces.ts.
 * @module
 */

import { PIECE_BYTES } from "../../core/content.ts";
import { FILES_LOOKED_AT_MAX } from "../../core/limits.ts";
import { isNamedLike } from "../files/copies_at.ts";
import type { FileList, SharedFile } from "./file_list.ts";

/** Files that are looked at for each missing piece: a look costs less than fetching a piece. */
const FILES_PER_PIECE = 2;
/**
 * Names that are compared for each missing piece, for the same reason. Among more names, only the
 * file with the same name is looked at.
 */
const NAMES_PER_PIECE = 500;

/** A hashed file. */
export type HashedShared = SharedFile & { readonly root: string };

/**
 * The files that may have pieces of a wanted one, the likeliest first: of the same name, then of
 * the same ending, then all others, and within each kind large ones before small ones. Of a kind
 * with more files than are looked at, those count that come first in the list.
 *
 * @param missing How many pieces are missing. The effort is in proportion to it.
 */
export function likelyFiles(
  files: Pick<FileList, "all" | "get" | "size">,
  name: string,
  missing: number,
): HashedShared[] {
  const most = Math.min(FILES_LOOKED_AT_MAX, missing * FILES_PER_PIECE);
  const same = files.get(name);
  if (files.size > missing * NAMES_PER_PIECE) return same !== undefined && isUseful(same) ? [same] : [];
  const ranks: HashedShared[][] = [[], [], [], []];
  const ending = endingOf(name);
  for (const file of files.all()) {
    if (!isUseful(file)) continue;
    const rank = ranks[file === same ? 0 : isNamedLike(file.name, name) ? 1 : endingOf(file.name) === ending ? 2 : 3];
    if (rank !== undefined && rank.length < most) rank.push(file);
  }
  return ranks.flatMap((rank) => rank.sort((a, b) => b.size - a.size)).slice(0, most);
}

/** Whether pieces of a file can be known: a shorter one has none that is part of a large file. */
function isUseful(file: SharedFile): file is HashedShared {
  return file.root !== undefined && file.size >= PIECE_BYTES;
}

/** What follows the last dot of a name. */
function endingOf(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}
