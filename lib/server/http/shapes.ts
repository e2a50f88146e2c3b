/**
 * The records in the bodies of the index's HTTP API, as fields, and their names in its OpenAPI
 * document.
 * @module
 */

import { DIALECTS } from "../../core/dialect.ts";
import { NAME_BYTES_MAX, PAGE_ROWS_MAX, PEER_NAME_BYTES_MAX, REGISTRATION_SECONDS_MAX } from "../../core/limits.ts";
import { choice, count, type Field, flag, list, optional, record, text, type ValueOf } from "../../protocol/field.ts";
import { Search } from "../../protocol/search.ts";
import { Hit, hostField, peerId, peerName, port } from "../../protocol/shapes.ts";

const total = count({ max: Number.MAX_SAFE_INTEGER });
const seconds = count({ min: 1, max: REGISTRATION_SECONDS_MAX });

/** The token of a registration: random hex digits. */
export const token = text({ bytesMax: PEER_NAME_BYTES_MAX });

/** A connected peer: PEERS' row without the certificate. `id` is the certificate's SHA-256. */
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
/** A connected peer. */
export type HttpPeer = ValueOf<typeof HttpPeer>;

/** A page of the peers, in order of name. */
export const HttpPeers = record({ peers: list(HttpPeer, { max: PAGE_ROWS_MAX }), more: flag() });

/** The result of a search. */
export const HttpHits = Search.reply;

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
  Hit,
  Hits: HttpHits,
  Registering,
  Registered,
  Status,
};
