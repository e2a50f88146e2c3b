/**
 * Tells a client where it reaches a peer. Called by whatever answers with peers: sessions,
 * classroom dialects and HTTP.
 *
 * A peer on the index's own machine connects over loopback, and its address there is of no use to
 * others. A client on another machine gets the host under which it reached the index itself.
 * @module
 */

import { type Address, isLoopback } from "../core/address.ts";
import type { IndexedPeer } from "../index/search_index.ts";
import type { Connection } from "../net/connection.ts";
import type { PeerRef } from "../protocol/shapes.ts";

/** Where a client stands. */
export interface Viewpoint {
  /** The client's address, as the index observes it. */
  readonly remote: Address;
  /** The host under which the client reached the index, if that is known. */
  readonly reachedAt: string | undefined;
}

/** The viewpoint of the client at the other end of a connection. */
export function viewpointOf({ local, remote }: Pick<Connection, "local" | "remote">): Viewpoint {
  return { remote, reachedAt: local.host };
}

/** The host at which a client reaches a peer that the index observed at `host`. */
export function hostFor({ remote, reachedAt }: Viewpoint, host: string): string {
  return isLoopback(host) && !isLoopback(remote.host) ? reachedAt ?? host : host;
}

/**
 * A peer with the address at which a client reaches it.
 *
 * @throws {TypeError} when the index has never reached the peer, so that nobody can.
 */
export function refOf({ name, id, host, port, plain, dialect }: IndexedPeer, viewpoint: Viewpoint): PeerRef {
  if (port === undefined) throw new TypeError(`Cannot give out ${name}: it was never reached`);
  const ref = { name, id, host: hostFor(viewpoint, host), port, plain };
  return dialect === undefined ? ref : { ...ref, dialect };
}

/** Hits with the addresses at which a client reaches their peers. */
export function withRefs<Hit extends { readonly peers: readonly IndexedPeer[] }>(
  hits: readonly Hit[],
  viewpoint: Viewpoint,
): (Omit<Hit, "peers"> & { readonly peers: PeerRef[] })[] {
  return hits.map((hit) => ({ ...hit, peers: hit.peers.map((peer) => refOf(peer, viewpoint)) }));
}
