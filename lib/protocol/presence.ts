/**
 * The messages with which a peer is present at an index.
 * @module
 */

import { BATCH_FILES_MAX, FILES_PER_PEER_MAX, MESSAGE_BYTES_MAX, PAGE_ROWS_MAX } from "../core/limits.ts";
import { count, flag, list, optional, text } from "./field.ts";
import { news, request } from "./message.ts";
import { fileName, fileSize, hostField, IndexedFile, offset, peerName, PeerRow, port, root } from "./shapes.ts";

/**
 * Takes a name for the key that was proven. Each PROVE is good for one JOIN. No other key gets the
 * name while the index runs. The index then dials the observed address at `port` and reports the
 * result in REACHED.
 */
export const Join = request("JOIN", {
  about:
    "Peer → index: I am `name`, listen at `port` (without encryption, if `plain`), and have this many files to list. " +
    "Names are compared without case and accents. A PROVE is good for one JOIN. `REACHED` follows.",
  data: {
    name: peerName,
    port,
    files: count({ max: FILES_PER_PEER_MAX }),
    plain: flag(),
  },
  reply: { name: peerName, host: hostField },
});

/**
 * The result of the index's attempt to reach a peer that has joined. A peer that it cannot reach
 * may search and download, but lists nothing. When the index reaches it later, it reports again.
 */
export const Reached = news("REACHED", {
  about:
    "Index → peer, after JOIN: whether I reached you at your port. Only a peer that is `reachable` may list files. " +
    "After a no, a yes may follow.",
  data: { reachable: flag() },
});

/** Changes the list of a peer. A name that is added again replaces its earlier entry. */
export const Update = request("UPDATE", {
  about:
    "Peer → index: list the files in `add`, and no longer those in `remove`. The reply has how many are listed now.",
  data: {
    add: list(IndexedFile, { max: BATCH_FILES_MAX }),
    remove: list(fileName, { max: BATCH_FILES_MAX }),
  },
  reply: { files: count({ max: FILES_PER_PEER_MAX }) },
});

/**
 * Announces that a peer downloads a content and serves the pieces that it has, or, without `here`,
 * that it no longer does.
 */
export const Partial = request("PARTIAL", {
  about: "Peer → index: I have parts of this content and serve them. If not `here`, I no longer do.",
  data: { root, name: fileName, size: fileSize, here: flag() },
  reply: {},
});

/** Leaves. The name and the files are gone when the reply arrives. */
export const Leave = request("LEAVE", { about: "Peer → index: goodbye.", data: {}, reply: {} });

/** A sign of life. */
export const Ping = request("PING", { about: "Peer → index: I am still here.", data: {}, reply: {} });

/** Lists the peers that are here, or looks one up. */
export const Peers = request("PEERS", {
  about: "Peer → index: which peers are here, in order of name? With `name`, only that peer.",
  data: { name: optional(peerName), limit: count({ min: 1, max: PAGE_ROWS_MAX }), offset },
  reply: { peers: list(PeerRow, { max: PAGE_ROWS_MAX }), more: flag() },
});

/** The index is about to close. */
export const Closing = news("CLOSING", {
  about: "Index → peer: I am closing, for this `reason`. Join elsewhere, or later.",
  data: { reason: optional(text({ bytesMax: MESSAGE_BYTES_MAX })) },
});

/**
 * The index wants to know whether this session still lives, since somebody with the same key claims
 * its name.
 */
export const Probe = news("PROBE", {
  about: "Index → peer: are you there? Any message is an answer, such as a PING.",
  data: {},
});
