/**
 * The records in the bodies of the index's HTTP API, as fields, and their names in its OpenAPI
 * document.
 * @module
 */

import { DIALECTS } from "../../core/dialect.ts";
import {
  HIT_PEERS_MAX,
  HITS_MAX,
  NAME_BYTES_MAX,
  PAGE_ROWS_MAX,
  PEER_NAME_BYTES_MAX,
  REGISTRATION_SECONDS_MAX,
} from "../../core/limits.ts";
import {
  choice,
  count,
  described,
  type Field,
  flag,
  list,
  optional,
  record,
  text,
  type ValueOf,
} from "../../protocol/field.ts";
import { fileName, fileSize, hostField, peerId, peerName, port, root } from "../../protocol/shapes.ts";

const total = count({ max: Number.MAX_SAFE_INTEGER });
const seconds = count({ min: 1, max: REGISTRATION_SECONDS_MAX });

/** The token of a registration: random hex digits. */
export const token = text({ bytesMax: PEER_NAME_BYTES_MAX });

const id = described(
  optional(peerId),
  "SHA-256 of the certificate with which the peer has proven its key. Absent for a program that proves no key.",
);
const plain = described(flag(), "Whether connections to the peer are not encrypted.");
const dialect = described(
  optional(choice(DIALECTS)),
  "Present for a program that is no Recess peer, such as one registered over HTTP: how Recess asks it for a file. " +
    "`json`: with one JSON object. `words`: with one line of words.",
);

/**
 * A connected peer: PEERS' row without the certificate, and without an id where no key is proven.
 */
export const HttpPeer = record({
  name: peerName,
  id,
  host: hostField,
  port: optional(port),
  plain,
  dialect,
  files: total,
  bytes: total,
});
/** A connected peer. */
export type HttpPeer = ValueOf<typeof HttpPeer>;

/** A page of the peers, in order of name. */
export const HttpPeers = record({ peers: list(HttpPeer, { max: PAGE_ROWS_MAX }), more: flag() });

/** A peer that has a file. */
export const HttpHolder = record({ name: peerName, id, host: hostField, port, plain, dialect });

/** A content that was found: as in the reply to SEARCH, but for the ids of its peers. */
export const HttpHit = record({
  name: fileName,
  size: fileSize,
  root: optional(root),
  holders: total,
  peers: list(HttpHolder, { max: HIT_PEERS_MAX }),
});

/** The result of a search. */
export const HttpHits = record({ hits: list(HttpHit, { max: HITS_MAX }), more: flag(), old: optional(flag()) });

/** A wish to register a name. */
export const Registering = record({
  name: text({ bytesMax: NAME_BYTES_MAX }),
  port,
  host: optional(hostField),
  ttl: optional(seconds),
  token: optional(token),
});

/** A registration. A client that sends it back unchanged renews it. */
export const Registered = record({ name: peerName, host: hostField, port, ttl: seconds, token });

/** The status of a healthy server. */
export const Status = record({ status: choice(["ok"]) });

/** The names of the records in the OpenAPI document. */
export const HTTP_SCHEMAS: Readonly<Record<string, Field<unknown>>> = {
  Peer: HttpPeer,
  Peers: HttpPeers,
  Holder: HttpHolder,
  Hit: HttpHit,
  Hits: HttpHits,
  Registering,
  Registered,
  Status,
};
