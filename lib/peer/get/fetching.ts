/**
 * What fetching a file and fetching a folder have in common: what they need, what they tell, how they end.
 * @module
 */

import type { Address } from "../../core/address.ts";
import type { Clock } from "../../core/flow/clock.ts";
import type { Failure } from "../../core/failure.ts";
import type { Pace } from "../../core/flow/pace.ts";
import type { Random } from "../../core/random.ts";
import type { Connection } from "../../net/connection.ts";
import type { Folder } from "../../store/files/folder.ts";
import type { Share } from "../../store/share/share.ts";
import type { DownloadProgress, Given, PartialContent } from "../../transfer/download.ts";
import type { Deliverers } from "../../transfer/deliverers.ts";
import type { Connect } from "../../transfer/lane.ts";
import type { Partials } from "../../transfer/partials.ts";
import type { ContentTurns } from "./content_turns.ts";
import type { Directory } from "../find/directory.ts";
import type { WantedFile } from "../find/wanted.ts";
import type { LocalContents } from "./local_contents.ts";

/** Where a download goes: into the folder, to a path the person chose, or into a stream. */
export type Destination =
  | { readonly kind: "folder" }
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "stream"; readonly stream: { write(bytes: Uint8Array): Promise<number> } };

/** Where a file is put: a name that `receivedName` gave, below a folder the person chose (its real path), or else below the one we share. */
export interface Place {
  readonly name: string;
  readonly root?: string | undefined;
}

/** What every transfer of a peer needs. */
export interface FetchParts {
  readonly folder: Folder;
  readonly share: Share;
  /** What is on this machine already. */
  readonly local: LocalContents;
  /** Keeps two transfers from fetching the same content at once. */
  readonly turns: ContentTurns;
  readonly directory: Directory;
  /** Peers that delivered something to this peer before. */
  readonly deliverers: Deliverers;
  readonly partials: Partials;
  /** Tells the index that parts of a content are here for others, or are so no longer. */
  readonly announce: (partial: PartialContent, here: boolean) => void;
  /** Told when a source is given up because of what it sent. */
  /** Called when a download waits until there is room on the disk of the folder or file at `path`. */
  readonly onDiskFull?: (name: string, path: string, failure: Failure) => void;
  /** Called when a download that waited so waits no longer. */
  readonly onDiskRoom?: (path: string) => void;
  readonly onBadSource: (peer: string, name: string, failure: Failure) => void;
  readonly connect: Connect;
  /** Connects without a word to a peer of a classroom dialect; not there on a peer that talks to nobody without encryption. */
  readonly dialPlain?: (address: Address, signal: AbortSignal) => Promise<Connection>;
  readonly clock: Clock;
  readonly random: Random;
  /** The pace of all that is received. */
  readonly pace?: Pace;
  /** Whether to ask for packed pieces. */
  readonly compress?: boolean;
}

/** Who watches a fetch. */
export interface FetchWatch {
  readonly signal: AbortSignal;
  onProgress(progress: DownloadProgress): void;
  /** Called when all bytes are here and only have to be put in their place. */
  onFinishing(): void;
  /** Called with the size when it is known: of a folder that has been listed, of a file whose true size was found out. */
  onListed(size: number): void;
  /** Called with each file of which something may be kept when it ends badly. */
  onBegun(file: WantedFile): void;
}

/** How a fetch ended well. */
export interface Fetched {
  /** The absolute path it has now; undefined for a stream. */
  readonly path: string | undefined;
  /** Of a file only. */
  readonly root?: string;
  readonly size: number;
  readonly files: number;
  /** Whether it was here before, so that nothing had to be fetched. */
  readonly alreadyHere: boolean;
  /** Whether nothing but its size could be compared: it came from a peer of a classroom dialect. */
  readonly unverified?: true;
  readonly sources: readonly Given[];
  /** Time from the request to the first verified bytes; undefined when nothing had to be fetched. */
  readonly firstMs: number | undefined;
  /** Files of a folder that could not be fetched or put in their place. */
  readonly failed: readonly FailedFile[];
  /** The peers whose different files a folder was put together from; empty when one peer has all of it. */
  readonly mixedFrom?: readonly string[];
}

/** A file that is not where it should be, and why. */
export interface FailedFile {
  readonly name: string;
  readonly failure: Failure;
}
