/**
 * Messages by which one peer gets files from another.
 * @module
 */

import { FILE_BYTES_MAX, PAGE_DIGESTS_MAX, PAGE_ROWS_MAX } from "../core/limits.ts";
import { choice, count, flag, list, optional } from "./field.ts";
import { news, request } from "./message.ts";
import { executable, fileName, fileSize, modified, root, SharedFile } from "./shapes.ts";

/** Ways in which a body may be packed. */
const compression = choice(["gzip"]);

const pieceIndex = count({ max: FILE_BYTES_MAX / 1024 ** 2 });

/** Lists what a peer shares, in order of name, page by page: `after` is the last name of the page before. */
export const List = request("LIST", {
  about: "Peer → peer: what do you share?",
  data: { after: optional(fileName), limit: count({ min: 1, max: PAGE_ROWS_MAX }) },
  reply: { files: list(SharedFile, { max: PAGE_ROWS_MAX }), more: flag() },
});

/**
 * Asks for the digests of a file's pieces. Of a file that is not hashed yet, asking moves it to the front; the reply then comes as soon as
 * there are digests from `from` on (or none for a while), and has no root until the last one is known. With `doubt`, the owner first compares that
 * piece of its copies with its digest, since what it sent did not fit.
 */
export const Pieces = request("PIECES", {
  about:
    "Peer → peer: the SHA-256 digests of a file's pieces, from number `from` on. The body is the digests. With `doubt`: look at that piece first, it did not fit.",
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
 * Asks which pieces of a content a peer has, how much others want it, and whether all upload slots are taken (`full`). The body is a bitmap (lib/core/piece_set.ts): the pieces it has, none
 * if it is `complete`, and after them the pieces that it has sent to other receivers or will send to those in its line. A receiver requests other pieces first.
 */
export const Holds = request("HOLDS", {
  about:
    "Peer → peer: which pieces of this content do you have? The body is bitmaps: those pieces, then those given away or promised.",
  data: { root },
  reply: { size: fileSize, complete: flag(), asking: count({ max: 1_000_000 }), full: flag() },
  body: true,
});

/** The owner's answer waits for a free slot; told when the place in the line is known, and whenever it changes. */
export const Queued = news("QUEUED", {
  about: "Peer → peer: your DOWNLOAD waits for its turn, and this many are before it.",
  data: { before: count({ max: 1_000_000 }) },
});

/** The owner's answer waits for a person to say yes; told again and again until then. */
export const Asking = news("ASKING", {
  about: "Peer → peer: my owner is asked whether you may; wait.",
  data: {},
});

/**
 * Asks for a range of a file. With `compression`, the range may hold no more than a piece, and comes packed if that makes it smaller; the reply
 * then says so. Fails: "not-shared", "file-changed", "not-here" for pieces that a partial holder lacks, "refused" by the owner.
 */
export const Download = request("DOWNLOAD", {
  about: "Peer → peer: the bytes of a file from `start` up to `end` (its end, if absent). The body is the bytes.",
  data: {
    name: optional(fileName),
    root: optional(root),
    start: fileSize,
    end: optional(fileSize),
    compression: optional(compression),
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
