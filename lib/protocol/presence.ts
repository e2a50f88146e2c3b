/**
 * Messages by which a peer is present at an index.
 * @module
 */

import { BATCH_FILES_MAX, FILES_PER_PEER_MAX, MESSAGE_BYTES_MAX, PAGE_ROWS_MAX } from "../core/limits.ts";
import { count, flag, list, optional, text } from "./field.ts";
import { news, request } from "./message.ts";
import { fileName, fileSize, hostField, IndexedFile, offset, peerName, PeerRow, port, root } from "./shapes.ts";

/** Takes a name, for the key that was proven (each PROVE is good for one): nobody else gets it as long as the index runs. The index then dials the observed address at `port` and says in REACHED what came of it. */
export const Join = request("JOIN", {
  about:
    "Peer → index: I am `name`, reached at `port` (without encryption, if `plain`), with so many files to list. Names are compared without case or accents. A PROVE is good for one JOIN. `REACHED` follows.",
  data: {
    name: peerName,
    port,
    files: count({ max: FILES_PER_PEER_MAX }),
    plain: flag(),
  },
  reply: { name: peerName, host: hostField },
});

/** What came of the index's attempt to reach a peer that has joined. A peer that it cannot reach may search and download, but lists nothing. */
export const Reached = news("REACHED", {
  about:
    "Index → peer, after JOIN: I reached you where you said, so others may and you can list files; or, if not `reachable`, I did not, and you cannot.",
  data: { reachable: flag() },
});

/** Changes what the peer lists. A name that is added again replaces the earlier entry. */
export const Update = request("UPDATE", {
  about: "Peer → index: list these files, and no longer those. Answered with how many are listed now.",
  data: {
    add: list(IndexedFile, { max: BATCH_FILES_MAX }),
    remove: list(fileName, { max: BATCH_FILES_MAX }),
  },
  reply: { files: count({ max: FILES_PER_PEER_MAX }) },
});

/** Says that one downloads a content and serves what is here of it, or (not `here`) does so no longer. */
export const Partial = request("PARTIAL", {
  about: "Peer → index: I have parts of this content and serve them; or, if not `here`, no longer.",
  data: { root, name: fileName, size: fileSize, here: flag() },
  reply: {},
});

/** Leaves: name and files are gone when the reply arrives. */
export const Leave = request("LEAVE", { about: "Peer → index: goodbye.", data: {}, reply: {} });

/** Shows that one is there. */
export const Ping = request("PING", { about: "Peer → index: I am still here. Are you?", data: {}, reply: {} });

/** Lists who is here, or looks one peer up. */
export const Peers = request("PEERS", {
  about: "Peer → index: who is here? In order of name; or only `name`, if that is here.",
  data: { name: optional(peerName), limit: count({ min: 1, max: PAGE_ROWS_MAX }), offset },
  reply: { peers: list(PeerRow, { max: PAGE_ROWS_MAX }), more: flag() },
});

/** The index is about to close. */
export const Closing = news("CLOSING", {
  about: "Index → peer: I am closing; `reason` says why. Join elsewhere, or again later.",
  data: { reason: optional(text({ bytesMax: MESSAGE_BYTES_MAX })) },
});

/** The index wants to know whether this session still lives, since somebody claims its name with the right secret. */
export const Probe = news("PROBE", {
  about: "Index → peer: are you there? Any message is an answer; a PING does.",
  data: {},
});
