/**
 * A file of at most one piece, which is downloaded together with many others, and the watch of such
 * a download.
 * @module
 */

import { PIECE_BYTES } from "../../core/content.ts";
import type { Failure } from "../../core/failure.ts";
import type { Traits } from "../../store/files/traits.ts";
import type { WantedContent } from "../content/content.ts";
import type { Source } from "../content/source.ts";

/** A file of at most one piece. It has no root while its owner has not hashed it. */
export interface SmallFile extends WantedContent {
  readonly sources: readonly Source[];
  /** Whether it has holders that are not among its sources. */
  readonly moreHolders: boolean;
}

/** A file that was verified, and what its source says about it beside its bytes. */
export interface ArrivedFile extends SmallFile {
  readonly root: string;
  readonly traits: Traits;
}

/** The caller of one download of small files: when it stops, and where it hears how things go. */
export interface SmallWatch {
  /** Stops the download. */
  readonly signal: AbortSignal;
  /** Whether to ask for compressed files. */
  readonly compress?: boolean | undefined;
  /**
   * Called with each file that was verified. The bytes are only good until it returns.
   *
   * @returns What to wait for before further files are received; undefined when there is room.
   */
  onFile(file: ArrivedFile, bytes: Uint8Array, digests: Uint8Array): Promise<void> | undefined;
  /** Called with each file that no source could give. */
  onFailed(file: SmallFile, failure: Failure): void;
  /** Called while a peer is asking its owner for consent. */
  onAsking?(peer: string): void;
}

/** Whether a file can be downloaded this way. */
export function isSmall({ size }: { readonly size: number }): boolean {
  return size <= PIECE_BYTES;
}
