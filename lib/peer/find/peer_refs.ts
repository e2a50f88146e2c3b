/**
 * A peer in the three forms in which this program meets it: the row that the index lists, the
 * reference that a search names, and the source that a download connects to. Pure; called by
 * everything in lib/peer that goes from one form to the next.
 * @module
 */

import type { PeerRef, PeerRow } from "../../protocol/shapes.ts";
import type { Source } from "../../transfer/content/source.ts";

/**
 * A listed peer as a reference.
 *
 * @returns Undefined for a peer without an open port: nobody can connect to it.
 */
export function refOf(row: PeerRow): PeerRef | undefined {
  const { certificate: _, files: __, bytes: ___, port, ...ref } = row;
  return port === undefined ? undefined : { ...ref, port };
}

/**
 * A peer as a source to connect to.
 *
 * @param file The name that the peer shares the wanted file under. Default: none, for a connection
 * that is about no file.
 */
export function sourceOf({ name, id, host, port, plain }: PeerRef, file = ""): Source {
  return { peer: name, id, address: { host, port }, plain, name: file };
}
