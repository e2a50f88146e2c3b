/**
 * The records that several messages carry, and their fields.
 * @module
 */

import { DIGEST_BYTES } from "../core/content.ts";
import { DIALECTS } from "../core/dialect.ts";
import {
  CERTIFICATE_BYTES_MAX,
  COUNTED_PEERS_MAX,
  FILE_BYTES_MAX,
  HIT_PEERS_MAX,
  HOST_BYTES_MAX,
  NAME_BYTES_MAX,
  PEER_NAME_BYTES_MAX,
  ROW_OFFSET_MAX,
  TIME_MS_MAX,
} from "../core/limits.ts";
import { bytes, choice, count, flag, hex, list, named, optional, text, type ValueOf } from "./field.ts";

/** A file's name in its peer's folder, with its folders and `/` between them. */
export const fileName = text({ bytesMax: NAME_BYTES_MAX });

/** A file's size in bytes. */
export const fileSize = count({ max: FILE_BYTES_MAX });

/** When a file was last changed, in milliseconds since 1970. Negative before. */
export const modified = count({ min: -TIME_MS_MAX, max: TIME_MS_MAX });

/** Whether a file is a program that may be started. Absent when it is not, or nobody knows. */
export const executable = optional(flag());

/** The identity of a file's content (lib/core/content.ts). */
export const root = hex({ bytes: DIGEST_BYTES });

/** The name of a peer. */
export const peerName = text({ bytesMax: PEER_NAME_BYTES_MAX });

const host = text({ bytesMax: HOST_BYTES_MAX });

/** A port on which somebody listens. */
export const port = count({ min: 1, max: 65_535 });

/** How many rows of a longer answer to skip. */
export const offset = count({ max: ROW_OFFSET_MAX });

/** The identity of a peer: SHA-256 of its certificate. */
export const peerId = hex({ bytes: DIGEST_BYTES });

/**
 * The classroom dialect of a peer that speaks nothing else. Such a peer has no key, its id is
 * zeros, and the sizes of its files are unknown.
 */
const dialect = optional(choice(DIALECTS));

/**
 * A peer, its id and its address. The index observed the address and, except for peers of a
 * dialect, dialled it back.
 */
export const PeerRef = named("PeerRef", { name: peerName, id: peerId, host, port, plain: flag(), dialect });
/** A peer and where it is reached. */
export type PeerRef = ValueOf<typeof PeerRef>;

/** A file as its peer lists it at the index. Without `root` until the peer has hashed it. */
export const IndexedFile = named("IndexedFile", { name: fileName, size: fileSize, root: optional(root) });
/** A file as its peer lists it at the index. */
export type IndexedFile = ValueOf<typeof IndexedFile>;

/** A file as its peer lists it to other peers. */
export const SharedFile = named("SharedFile", {
  name: fileName,
  size: fileSize,
  modified,
  executable,
  root: optional(root),
});
/** A file as its peer lists it to other peers. */
export type SharedFile = ValueOf<typeof SharedFile>;

/**
 * One content that was found. `holders` counts all peers that have it. `peers` names the first of
 * them.
 */
export const Hit = named("Hit", {
  name: fileName,
  size: fileSize,
  root: optional(root),
  holders: count({ max: COUNTED_PEERS_MAX }),
  peers: list(PeerRef, { max: HIT_PEERS_MAX }),
});
/** One content that was found. */
export type Hit = ValueOf<typeof Hit>;

/**
 * One peer's copy of a content, under the peer's own name for it. A `partial` copy is still being
 * downloaded.
 */
export const Holder = named("Holder", { peer: PeerRef, name: fileName, size: fileSize, partial: flag() });
/** One peer's copy of a content. */
export type Holder = ValueOf<typeof Holder>;

/** A peer as `PEERS` lists it. One that nobody can reach has no port and lists no files. */
export const PeerRow = named("PeerRow", {
  name: peerName,
  id: peerId,
  certificate: bytes({ bytesMax: CERTIFICATE_BYTES_MAX }),
  host,
  port: optional(port),
  plain: flag(),
  dialect,
  files: count({ max: Number.MAX_SAFE_INTEGER }),
  bytes: count({ max: Number.MAX_SAFE_INTEGER }),
});
/** A peer as `PEERS` lists it. */
export type PeerRow = ValueOf<typeof PeerRow>;

/** The host field, for messages that name a host without a port. */
export const hostField = host;
