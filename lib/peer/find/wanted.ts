/**
 * What a download is to fetch, and the peers that have it. Pure values: lib/peer/find makes them
 * from what a person typed, and lib/peer/get fetches them.
 * @module
 */

import { type Address, formatAddress } from "../../core/address.ts";
import { type Dialect, DIALECTS, NO_ID } from "../../core/dialect.ts";
import type { PeerRef } from "../../protocol/shapes.ts";
import type { WantedContent } from "../../transfer/content/content.ts";
import type { Source } from "../../transfer/content/source.ts";

/** What a download is to fetch. */
export type Wanted = WantedFile | WantedFolder;

/** A file that is to be fetched. */
export interface WantedFile extends WantedContent {
  readonly kind: "file";
  /** How many other contents have the same name. This one was chosen among them. */
  readonly others: number;
}

/** All files below a folder. `name` is the beginning of their names, and ends in a slash. */
export interface WantedFolder {
  readonly kind: "folder";
  readonly name: string;
  /** Only this peer's copy is wanted. Default: any peer's. */
  readonly from?: string | undefined;
}

/** A file of a folder, and the peers that have it. */
export interface FolderFile extends WantedContent {
  /**
   * The same peers, as sources of this file. They have its name only when it has no root, since it
   * is then asked for by its name.
   */
  readonly sources: readonly Source[];
  /** Whether peers that are not among `peers` have it as well. */
  readonly moreHolders: boolean;
}

/**
 * The peers of a wanted file when all of them are classroom clients.
 *
 * @returns None when a peer that can verify the file has it.
 */
export function classroomHolders({ peers, from }: WantedFile): readonly PeerRef[] {
  const asked = peers.filter(({ name }) => from === undefined || name === from);
  return asked.every(({ dialect }) => dialect !== undefined) ? asked : [];
}

/**
 * A classroom client that a person named by its address alone. Nothing says which dialect it
 * speaks, so it stands here once for each. The dialect that announces how many bytes follow comes
 * first.
 */
export function classroomPeersAt(address: Address): readonly [PeerRef, ...PeerRef[]] {
  const [first, ...others] = DIALECTS;
  const speaking = (dialect: Dialect): PeerRef => {
    return { name: formatAddress(address), id: NO_ID, ...address, plain: true, dialect };
  };
  return [speaking(first), ...others.map(speaking)];
}
