/**
 * What a download fetches: a content, and what is known about it before and while it arrives.
 * @module
 */

import type { PieceSet } from "../../core/piece_set.ts";
import type { PeerRef } from "../../protocol/shapes.ts";
import type { Traits } from "../../store/files/traits.ts";
import type { Source } from "./source.ts";

/** A file to download. It has no root while its owner has not hashed it. */
export interface Content {
  readonly name: string;
  readonly size: number;
  readonly root?: string | undefined;
}

/** A content, and what is known about the peers that have it. */
export interface WantedContent extends Content {
  /** Only this peer's copy is wanted. */
  readonly from?: string | undefined;
  /** Peers that had it when it was found. */
  readonly peers: readonly PeerRef[];
  /** Its sources, if they were looked up a moment ago. Then a download begins with them. */
  readonly sources?: readonly Source[] | undefined;
}

/** The pieces of a download that have arrived, which other peers can already fetch. */
export interface PartialContent extends Content {
  readonly root: string;
  readonly digests: Uint8Array;
  readonly traits: Traits;
  /** Grows as pieces arrive. */
  readonly here: PieceSet;
}
