/**
 * The answers to a peer's questions: what the index knows, cut to one message, with addresses that
 * the peer can reach. Called by session_routes.ts.
 * @module
 */

import { Failure } from "../core/failure.ts";
import { PAGE_ROWS_MAX } from "../core/limits.ts";
import { fitting } from "../protocol/batch.ts";
import type { DataOf, ReplyOf } from "../protocol/message.ts";
import type { Peers } from "../protocol/presence.ts";
import type { DownloadRequest, Find, FolderFiles, Search } from "../protocol/search.ts";
import type { Hit } from "../protocol/shapes.ts";
import { hostFor, refOf, withRefs } from "./peer_ref.ts";
import type { Session } from "./session.ts";

/** Answers SEARCH. */
export async function search(session: Session, query: DataOf<typeof Search>): Promise<ReplyOf<typeof Search>> {
  const found = await session.ask((index) => index.search(query));
  const hits = withRefs(found.hits, session.viewpoint);
  const { index, journal } = session.parts;
  journal({ event: "searched", peer: session.label, query: query.query, hits: hits.length });
  const sent = fitting(hits);
  const reply = { hits: sent, more: found.more || sent.length < hits.length };
  return index.isCurrent ? reply : { ...reply, old: true };
}

/** Answers FIND. */
export async function find(session: Session, content: DataOf<typeof Find>): Promise<ReplyOf<typeof Find>> {
  const found = await session.ask((index) => index.find(content, content));
  const { viewpoint } = session;
  const holders = found.holders.map(({ peer, name, size, partial }) => {
    return { peer: refOf(peer, viewpoint), name, size, partial };
  });
  const sent = fitting(holders);
  return { holders: sent, more: found.more || sent.length < holders.length };
}

/** Answers FOLDER. */
export async function folder(
  session: Session,
  { prefix, after, limit }: DataOf<typeof FolderFiles>,
): Promise<ReplyOf<typeof FolderFiles>> {
  const found = await session.ask((index) => index.folder(prefix, after, limit));
  const hits = withRefs(found.hits.slice(0, PAGE_ROWS_MAX), session.viewpoint);
  const sent = wholeNames(fitting(hits), found.hits.length);
  return { hits: sent, more: found.more || sent.length < found.hits.length };
}

/** Answers PEERS: with one peer, if the question names it, else with a page of all peers. */
export async function peers(
  session: Session,
  { name, ...page }: DataOf<typeof Peers>,
): Promise<ReplyOf<typeof Peers>> {
  const { index } = session.parts;
  const found = name === undefined
    ? await index.peers(page)
    : { peers: [await index.peer(name)].filter((peer) => peer !== undefined), more: false };
  const { viewpoint } = session;
  const rows = found.peers.map(({ port, ...peer }) => {
    const row = { ...peer, host: hostFor(viewpoint, peer.host) };
    return port === undefined ? row : { ...row, port };
  });
  const sent = fitting(rows);
  return { peers: sent, more: found.more || sent.length < rows.length };
}

/**
 * Answers DOWNLOAD_REQUEST.
 *
 * @throws {Failure} "not-found" when the peer does not list the file.
 */
export async function downloadRequest(
  session: Session,
  { peer: owner, name }: DataOf<typeof DownloadRequest>,
): Promise<ReplyOf<typeof DownloadRequest>> {
  const { index, journal } = session.parts;
  const copy = await index.copy(owner, name);
  journal({ event: "asked", peer: session.label, owner, file: name, found: copy !== undefined });
  if (copy === undefined) throw new Failure("not-found", `"${owner}" does not list "${name}"`);
  const { peer, size, root } = copy;
  const reply = { peer: refOf(peer, session.viewpoint), size };
  return root === undefined ? reply : { ...reply, root };
}

/**
 * Leaves out the hits of the last name if some of them are missing, since the next page begins
 * after the last name of this one.
 *
 * @param count How many hits there were before some were left out.
 */
function wholeNames(hits: readonly Hit[], count: number): readonly Hit[] {
  const last = hits.at(-1)?.name;
  const first = hits.findIndex(({ name }) => name === last);
  return hits.length === count || first === 0 ? hits : hits.slice(0, first);
}
