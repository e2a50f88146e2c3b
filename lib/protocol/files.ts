/**
 * Messages by which one peer gets files from another.
 * @module
 */

import { FILE_BYTES_MAX, PAGE_DIGESTS_MAX, PAGE_ROWS_MAX } from "../core/limits.ts";
import { count, flag, list, optional } from "./field.ts";
import { request } from "./message.ts";
import { fileName, fileSize, modified, root, SharedFile } from "./shapes.ts";

const pieceIndex = count({ max: FILE_BYTES_MAX / 1024 ** 2 });

/** Lists what a peer shares, in order of name, page by page: `after` is the last name of the page before. */
export const List = request("LIST", {
  about: "Peer → peer: what do you share?",
  data: { after: optional(fileName), limit: count({ min: 1, max: PAGE_ROWS_MAX }) },
  reply: { files: list(SharedFile, { max: PAGE_ROWS_MAX }), more: flag() },
});

/**
 * Asks for the digests of a file's pieces. Of a file that is not hashed yet, asking moves it to the front; the reply then comes as soon as
 * there are digests from `from` on (or none for a while), and has no root until the last one is known.
 */
export const Pieces = request("PIECES", {
  about: "Peer → peer: the SHA-256 digests of a file's pieces, from number `from` on. The body is the digests.",
  data: {
    name: optional(fileName),
    root: optional(root),
    from: pieceIndex,
    limit: count({ min: 1, max: PAGE_DIGESTS_MAX }),
  },
  exactlyOneOf: ["name", "root"],
  reply: { name: fileName, size: fileSize, modified, root: optional(root) },
  body: true,
});

/** Asks for a range of a file. Fails: "not-shared", "file-changed". */
export const Download = request("DOWNLOAD", {
  about: "Peer → peer: the bytes of a file from `start` up to `end` (its end, if absent). The body is the bytes.",
  data: { name: optional(fileName), root: optional(root), start: fileSize, end: optional(fileSize) },
  exactlyOneOf: ["name", "root"],
  reply: { name: fileName, size: fileSize, modified, root: optional(root) },
  body: true,
});
