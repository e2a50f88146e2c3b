/**
 * The messages with which files are found at an index.
 * @module
 */

import { FOLDER_NAMES_MAX, HITS_MAX, PAGE_ROWS_MAX, QUERY_BYTES_MAX, SEARCH_OFFSET_MAX } from "../core/limits.ts";
import { count, flag, list, optional, text } from "./field.ts";
import { request } from "./message.ts";
import { fileName, fileSize, Hit, Holder, offset, peerName, PeerRef, root } from "./shapes.ts";

/**
 * Finds files by words, each the beginning of a word of the name, or with `exact` by their whole
 * name. The best match comes first.
 */
export const Search = request("SEARCH", {
  about:
    "Peer → index: the files with every word of `query` in their names, or with exactly this name. Without words: " +
    "all files. The reply may be `old` while several servers share the index and cannot reach each other.",
  data: {
    query: text({ bytesMin: 0, bytesMax: QUERY_BYTES_MAX }),
    exact: flag(),
    limit: count({ min: 1, max: HITS_MAX }),
    offset: count({ max: SEARCH_OFFSET_MAX }),
  },
  reply: { hits: list(Hit, { max: HITS_MAX }), more: flag(), old: optional(flag()) },
});

/**
 * Finds the holders of a content. Without a size, it also finds peers that list its root with a
 * false one.
 */
export const Find = request("FIND", {
  about: "Peer → index: which peers list this root, and this size if there is one?",
  data: { root, size: optional(fileSize), limit: count({ min: 1, max: PAGE_ROWS_MAX }), offset },
  reply: { holders: list(Holder, { max: PAGE_ROWS_MAX }), more: flag() },
});

/**
 * Lists every file below a folder, in order of name, page by page. `after` is the last name of the
 * page before.
 */
export const FolderFiles = request("FOLDER", {
  about: "Peer → index: the files with names that begin with `prefix`, in order of name.",
  data: { prefix: fileName, after: optional(fileName), limit: count({ min: 1, max: FOLDER_NAMES_MAX }) },
  reply: { hits: list(Hit, { max: PAGE_ROWS_MAX }), more: flag() },
});

/**
 * Asks whether a peer really lists a file (classroom A), and where the peer is.
 *
 * @throws {Failure} "not-found".
 */
export const DownloadRequest = request("DOWNLOAD_REQUEST", {
  about: "Peer → index: does `peer` list `name`? Where is it?",
  data: { peer: peerName, name: fileName },
  reply: { peer: PeerRef, size: fileSize, root: optional(root) },
});
