/**
 * What goes over HTTP: the records of its bodies, as fields, and their names in the document that describes the API.
 * @module
 */

import { DIALECTS } from "../core/dialect.ts";
import { NAME_BYTES_MAX, PAGE_ROWS_MAX, PEER_NAME_BYTES_MAX, REGISTRATION_SECONDS_MAX } from "../core/limits.ts";
import { FailureData } from "../protocol/envelope.ts";
import { choice, count, type Field, flag, list, optional, record, text, type ValueOf } from "../protocol/field.ts";
import { Search } from "../protocol/search.ts";
import { Hit, hostField, peerId, peerName, port } from "../protocol/shapes.ts";

const total = count({ max: Number.MAX_SAFE_INTEGER });
const seconds = count({ min: 1, max: REGISTRATION_SECONDS_MAX });

/** A token of a registration: hex digits, from which nothing follows for whoever holds it. */
export const token = text({ bytesMax: PEER_NAME_BYTES_MAX });

/** A peer that is here: PEERS' row without the certificate, of which `id` is the SHA-256. */
export const HttpPeer = record({
  name: peerName,
  id: peerId,
  host: hostField,
  port: optional(port),
  plain: flag(),
  dialect: optional(choice(DIALECTS)),
  files: total,
  bytes: total,
});
/** A peer that is here. */
export type HttpPeer = ValueOf<typeof HttpPeer>;

/** Some of them, in order of name. */
export const HttpPeers = record({ peers: list(HttpPeer, { max: PAGE_ROWS_MAX }), more: flag() });

/** What was found. */
export const HttpHits = Search.reply;

/** What is to be registered. */
export const Registering = record({
  name: text({ bytesMax: NAME_BYTES_MAX }),
  port,
  host: optional(hostField),
  ttl: optional(seconds),
  token: optional(token),
});

/** What is registered; given back as it is, it renews. */
export const Registered = record({ name: peerName, host: hostField, port, ttl: seconds, token });

/** That all is well. */
export const Status = record({ status: choice(["ok"]) });

/** Why there is no other answer. */
export const HttpError = record({ error: FailureData });

/** Their names in the document. */
export const HTTP_SCHEMAS: Readonly<Record<string, Field<unknown>>> = {
  Peer: HttpPeer,
  Peers: HttpPeers,
  Hit,
  Hits: HttpHits,
  Registering,
  Registered,
  Status,
  Error: HttpError,
};
