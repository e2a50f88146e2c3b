/**
 * The messages with which one peer gets files from another.
 * @module
 */

import { COUNTED_PEERS_MAX, FILE_BYTES_MAX, MANY_FILES_MAX, PAGE_DIGESTS_MAX, PAGE_ROWS_MAX } from "../core/limits.ts";
import { choice, count, flag, list, optional, record } from "./field.ts";
import { news, request } from "./message.ts";
import { executable, fileName, fileSize, modified, root, SharedFile } from "./shapes.ts";

/** Ways to pack a body. */
const compression = choice(["gzip"]);

const pieceIndex = count({ max: FILE_BYTES_MAX / 1024 ** 2 });

/**
 * Lists what a peer shares, in order of name, page by page. `after` is the last name of the page
 * before.
 */
export const List = request("LIST", {
  about: "Peer → peer: which files do you share?",
  data: { after: optional(fileName), limit: count({ min: 1, max: PAGE_ROWS_MAX }) },
  reply: { files: list(SharedFile, { max: PAGE_ROWS_MAX }), more: flag() },
});

/**
 * Asks for the digests of a file's pieces. A file that is not hashed yet moves to the front. The
 * reply then comes as soon as there are digests from `from` on, or after a while without any, and
 * it has no root until the last digest is known. With `doubt`, the owner first compares that piece
 * of its copies with its digest, since the bytes that it sent did not match.
 */
export const Pieces = request("PIECES", {
  about: "Peer → peer: the SHA-256 digests of a file's pieces, from number `from` on. The body is the digests. " +
    "With `doubt`: check that piece first, since its bytes did not match.",
  data: {
    name: optional(fileName),
    root: optional(root),
    from: pieceIndex,
    limit: count({ min: 1, max: PAGE_DIGESTS_MAX }),
    doubt: optional(pieceIndex),
  },
  exactlyOneOf: ["name", "root"],
  reply: { name: fileName, size: fileSize, modified, executable, root: optional(root) },
  body: true,
});

/**
 * Asks which pieces of a content a peer has, how many others want the content, and whether all
 * upload slots are taken (`full`). The body is one or two bitmaps (lib/core/piece_set.ts). The
 * first has the pieces that are here and is absent when the peer is `complete`. The second has the
 * pieces that were sent, or are promised, to other receivers. A receiver requests other pieces
 * first.
 */
export const Holds = request("HOLDS", {
  about: "Peer → peer: which pieces of this content do you have? The body is bitmaps: those pieces, " +
    "then the pieces that were sent or are promised to others.",
  data: { root },
  reply: { size: fileSize, complete: flag(), asking: count({ max: COUNTED_PEERS_MAX }), full: flag() },
  body: true,
});

/**
 * The answer to a DOWNLOAD waits for a free slot. Sent when the place in the line is known and
 * whenever it changes.
 */
export const Queued = news("QUEUED", {
  about: "Peer → peer: your DOWNLOAD waits in line, with this many before it.",
  data: { before: count({ max: COUNTED_PEERS_MAX }) },
});

/** The answer waits for a person's consent. Sent repeatedly until then. */
export const Asking = news("ASKING", {
  about: "Peer → peer: my owner is asked for consent. Please wait.",
  data: {},
});

/**
 * Requests a range of a file. With `compression`, the range has at most one piece and is packed
 * when that makes it smaller. The reply then says so. With `alone`, the answer is "busy" when
 * others download the content, or when it cannot be sent at once. So a caller can ask before it
 * knows.
 *
 * @throws {Failure} "not-shared", "file-changed", "not-here" for pieces that a partial holder
 * lacks, "refused" by the owner.
 */
export const Download = request("DOWNLOAD", {
  about: "Peer → peer: the bytes of a file from `start` to `end` (default: its end). The body is the bytes. " +
    "With `alone`: only if no other peer downloads it and you can send at once, else `busy`.",
  data: {
    name: optional(fileName),
    root: optional(root),
    start: fileSize,
    end: optional(fileSize),
    compression: optional(compression),
    alone: optional(flag()),
  },
  exactlyOneOf: ["name", "root"],
  reply: {
    name: fileName,
    size: fileSize,
    modified,
    executable,
    root: optional(root),
    compression: optional(compression),
  },
  body: true,
});

/**
 * Requests many whole files, each of at most one piece. The reply has the first of them, as many as
 * the owner sends at once, and the body is their bytes one after the other. `packed` is the size of
 * one that is compressed, and `root` is that of one that was asked for by its name. The caller asks
 * again for the rest.
 *
 * @throws {Failure} As DOWNLOAD, when the very first file cannot be sent.
 */
export const DownloadMany = request("DOWNLOAD_MANY", {
  about: "Peer → peer: many whole files of at most a piece each. The reply has the first of them, one or more. " +
    "The body is their bytes, one file after the other, each compressed to `packed` bytes if that is given.",
  data: {
    files: list(record({ name: optional(fileName), root: optional(root) }, { exactlyOneOf: ["name", "root"] }), {
      max: MANY_FILES_MAX,
    }),
    compression: optional(compression),
  },
  reply: {
    files: list(record({ size: fileSize, modified, executable, root: optional(root), packed: optional(fileSize) }), {
      max: MANY_FILES_MAX,
    }),
  },
  body: true,
});
