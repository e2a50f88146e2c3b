/**
 * The peers and their files, over HTTP. Called by routes.ts.
 * @module
 */

import { formatAddress } from "../../core/address.ts";
import { NO_ID } from "../../core/dialect.ts";
import { Failure } from "../../core/failure.ts";
import type { Asked, HttpAnswer } from "../../http/route.ts";
import type { Page, PeerSummary, SearchQuery } from "../../index/search_index.ts";
import { fitting } from "../../protocol/batch.ts";
import { hostFor, withRefs } from "../peer_ref.ts";
import type { IndexHttpParts } from "./parts.ts";
import { HttpPeer } from "./shapes.ts";

/** Answers with a page of the peers. */
export async function listPeers({ index }: IndexHttpParts, asked: Asked, page: Page): Promise<HttpAnswer> {
  const found = await index.peers(page);
  const peers = found.peers.map((peer) => rowOf(peer, asked));
  const sent = fitting(peers);
  return { body: { peers: sent, more: found.more || sent.length < peers.length } };
}

/**
 * Answers with one peer.
 *
 * @throws {Failure} "not-found".
 */
export async function showPeer({ index }: IndexHttpParts, asked: Asked): Promise<HttpAnswer> {
  const peer = await index.peer(asked.segment);
  if (peer === undefined) throw new Failure("not-found", `No peer here has the name "${asked.segment}"`);
  return { body: rowOf(peer, asked) };
}

/** Answers with files, found by words of their names. */
export async function search(
  { index, journal }: IndexHttpParts,
  asked: Asked,
  query: SearchQuery,
): Promise<HttpAnswer> {
  const found = await index.search(query);
  journal({ event: "searched", peer: formatAddress(asked.remote), query: query.query, hits: found.hits.length });
  const hits = withRefs(found.hits, asked).map((hit) => ({ ...hit, peers: hit.peers.map(withProvenId) }));
  const sent = fitting(hits);
  const body = { hits: sent, more: found.more || sent.length < hits.length };
  return { body: index.isCurrent ? body : { ...body, old: true } };
}

/** The fields of a peer that HTTP answers with, which do not include its certificate. */
function rowOf(peer: PeerSummary, asked: Asked): HttpPeer {
  return HttpPeer.check({ ...withProvenId(peer), host: hostFor(asked, peer.host) }, "peer");
}

/** A peer, without its id when it has proven no key. */
function withProvenId<T extends { readonly id: string }>(peer: T): T | Omit<T, "id"> {
  const { id, ...others } = peer;
  return id === NO_ID ? others : peer;
}
