/**
 * Who is here and what they have, over HTTP. Called by http_routes.ts.
 * @module
 */

import { formatAddress, isLoopback } from "../core/address.ts";
import { Failure } from "../core/failure.ts";
import type { IndexedPeer, Page, PeerSummary, SearchQuery } from "../index/search_index.ts";
import { fitting } from "../protocol/batch.ts";
import type { PeerRef } from "../protocol/shapes.ts";
import type { Asked, HttpAnswer, HttpParts } from "./http_route.ts";
import type { HttpPeer } from "./http_shapes.ts";

/** Some of those who are here. */
export async function listPeers({ index }: HttpParts, asked: Asked, page: Page): Promise<HttpAnswer> {
  const found = await index.peers(page);
  const peers = found.peers.map((peer) => rowOf(peer, asked));
  const sent = fitting(peers);
  return { body: { peers: sent, more: found.more || sent.length < peers.length } };
}

/** One of them. Fails: "not-found". */
export async function showPeer({ index }: HttpParts, asked: Asked): Promise<HttpAnswer> {
  const peer = await index.peer(asked.name);
  if (peer === undefined) throw new Failure("not-found", `Nobody here is called "${asked.name}"`);
  return { body: rowOf(peer, asked) };
}

/** Files by words of their names. */
export async function search({ index, journal }: HttpParts, asked: Asked, query: SearchQuery): Promise<HttpAnswer> {
  const found = await index.search(query);
  journal({ event: "searched", peer: formatAddress(asked.remote), query: query.query, hits: found.hits.length });
  const hits = found.hits.map((hit) => ({ ...hit, peers: hit.peers.flatMap((peer) => refOf(peer, asked)) }));
  const sent = fitting(hits);
  const old = index.isCurrent ? {} : { old: true };
  return { body: { hits: sent, more: found.more || sent.length < hits.length, ...old } };
}

/** At which host the asker reaches a peer: one on the index's own machine where the asker reached the index itself. */
export function hostFor({ remote, reachedAt }: Asked, host: string): string {
  return isLoopback(host) && !isLoopback(remote.host) ? reachedAt ?? host : host;
}

function rowOf({ name, id, host, port, plain, dialect, files, bytes }: PeerSummary, asked: Asked): HttpPeer {
  return {
    name,
    id,
    host: hostFor(asked, host),
    ...(port === undefined ? {} : { port }),
    plain,
    ...(dialect === undefined ? {} : { dialect }),
    files,
    bytes,
  };
}

/** A peer that holds something, which it can only as long as it can be reached. */
function refOf({ name, id, host, port, plain, dialect }: IndexedPeer, asked: Asked): PeerRef[] {
  if (port === undefined) return [];
  return [{ name, id, host: hostFor(asked, host), port, plain, ...(dialect === undefined ? {} : { dialect }) }];
}
