/**
 * The records that several messages carry, and their fields.
 * @module
 */

import { DIGEST_BYTES } from "../core/content.ts";
import { DIALECTS } from "../core/dialect.ts";
import {
  CERTIFICATE_BYTES_MAX,
  FILE_BYTES_MAX,
  HIT_PEERS_MAX,
  HOST_BYTES_MAX,
  NAME_BYTES_MAX,
  PEER_NAME_BYTES_MAX,
  ROW_OFFSET_MAX,
  TIME_MS_MAX,
} from "../core/limits.ts";
import { bytes, choice, count, flag, hex, list, optional, record, text, type ValueOf } from "./field.ts";

/** A file's name in its peer's folder, sub-folders included, with `/` between them. */
export const fileName = text({ bytesMax: NAME_BYTES_MAX });

/** A file's size in bytes. */
export const fileSize = count({ max: FILE_BYTES_MAX });

/** When a file was last changed: milliseconds since 1970, negative before. */
export const modified = count({ min: -TIME_MS_MAX, max: TIME_MS_MAX });

/** Whether a file is a program that may be started; absent when it is not, or not known. */
export const executable = optional(flag());

/** What a file is called by its content (lib/core/content.ts). */
export const root = hex({ bytes: DIGEST_BYTES });

/** What a peer is called. */
export const peerName = text({ bytesMax: PEER_NAME_BYTES_MAX });

const host = text({ bytesMax: HOST_BYTES_MAX });

/** A port that is listened on. */
export const port = count({ min: 1, max: 65_535 });

/** How many rows of a longer answer to pass over. */
export const offset = count({ max: ROW_OFFSET_MAX });

/** What a peer is known by: SHA-256 of its certificate. */
export const peerId = hex({ bytes: DIGEST_BYTES });

/** The classroom dialect of a peer that speaks nothing else: it has no key, its id is zeros, and the sizes of its files are not known. */
const dialect = optional(choice(DIALECTS));

/** A peer, its id, and where it is reached: the address that the index observed and, but for those of a dialect, dialled back. */
export const PeerRef = record({ name: peerName, id: peerId, host, port, plain: flag(), dialect });
/** A peer and where it is reached. */
export type PeerRef = ValueOf<typeof PeerRef>;

/** A file as its peer lists it at the index. Without `root` as long as the peer has not hashed it. */
export const IndexedFile = record({ name: fileName, size: fileSize, root: optional(root) });
/** A file as its peer lists it at the index. */
export type IndexedFile = ValueOf<typeof IndexedFile>;

/** A file as its peer lists it to other peers. */
export const SharedFile = record({ name: fileName, size: fileSize, modified, executable, root: optional(root) });
/** A file as its peer lists it to other peers. */
export type SharedFile = ValueOf<typeof SharedFile>;

/** One content that was found. `holders` counts all peers that have it, `peers` names the first of them. */
export const Hit = record({
  name: fileName,
  size: fileSize,
  root: optional(root),
  holders: count({ max: 1_000_000 }),
  peers: list(PeerRef, { max: HIT_PEERS_MAX }),
});
/** One content that was found. */
export type Hit = ValueOf<typeof Hit>;

/** One peer's copy of a content, under the name it has there. One that is `partial` is still being downloaded. */
export const Holder = record({ peer: PeerRef, name: fileName, size: fileSize, partial: flag() });
/** One peer's copy of a content. */
export type Holder = ValueOf<typeof Holder>;

/** A peer as `PEERS` lists it. One that is not `reachable` has no port others could use, and lists no files. */
export const PeerRow = record({
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

/** The host field, for messages that name one without a port. */
export const hostField = host;
