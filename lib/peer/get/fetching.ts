/**
 * What fetching a file and fetching a folder have in common: what they need, what they report, and
 * how they end.
 * @module
 */

import type { Address } from "../../core/address.ts";
import type { Failure } from "../../core/failure.ts";
import type { Connection } from "../../net/connection.ts";
import type { Folder } from "../../store/files/folder.ts";
import type { Share } from "../../store/share/share.ts";
import type { DownloadTools } from "../../transfer/content/download_tools.ts";
import type { Downloads } from "../../transfer/downloads.ts";
import type { DownloadWatch, Given } from "../../transfer/content/watch.ts";
import type { Finder } from "../find/finder.ts";
import type { WantedFile } from "../find/wanted.ts";
import type { ContentTurns } from "./content_turns.ts";
import type { LocalContents } from "./local_contents.ts";

/** Where a download goes: into the folder, to a path that the person chose, or into a stream. */
export type Destination =
  | { readonly kind: "folder" }
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "stream"; readonly stream: { write(bytes: Uint8Array): Promise<number> } };

/** Where a file is put. */
export interface Place {
  /** The path below the root, as `receivedName` gave it. */
  readonly name: string;
  /** The real path of a folder that the person chose. Default: the shared folder. */
  readonly root?: string | undefined;
}

/** What every transfer of a peer needs. */
export interface FetchParts extends Pick<DownloadTools, "clock" | "random" | "pace"> {
  readonly folder: Folder;
  readonly share: Share;
  /** What is on this machine already. */
  readonly local: LocalContents;
  /** Keeps two transfers from fetching the same content at once. */
  readonly turns: ContentTurns;
  readonly finder: Finder;
  readonly downloads: Downloads;
  /**
   * Connects to a classroom client, without HELLO. Absent unless this peer runs without encryption.
   */
  readonly dialPlain?: ((address: Address, signal: AbortSignal) => Promise<Connection>) | undefined;
  /**
   * Called when a download waits until there is room on the disk of the folder or file at `path`.
   */
  readonly onDiskFull?: ((name: string, path: string, failure: Failure) => void) | undefined;
  /** Called when a download stops waiting for room. */
  readonly onDiskRoom?: ((path: string) => void) | undefined;
}

/** The caller of fetching one file into its place. */
export interface FileWatch extends DownloadWatch {
  /** Called when all bytes are here and only have to be put in their place. */
  onFinishing(): void;
  /**
   * Called with a file before its download. Something of it may be kept when the download fails.
   */
  onBegun(file: WantedFile): void;
}

/** The caller of fetching a file or a folder. */
export interface FetchWatch extends FileWatch {
  /**
   * Called with the size when it is known: of a folder after it was listed, of a file after its
   * size was confirmed.
   */
  onListed(size: number): void;
}

/** How a fetch ended well. */
export interface Fetched {
  /** The absolute path it has now; undefined for a stream. */
  readonly path: string | undefined;
  /** Of a file only. */
  readonly root?: string | undefined;
  readonly size: number;
  readonly files: number;
  /** Whether it was here before, so that nothing had to be fetched. */
  readonly alreadyHere: boolean;
  /** Whether only its size could be checked, because it came from a classroom client. */
  readonly unverified?: true | undefined;
  readonly sources: readonly Given[];
  /**
   * Time from the request to the first verified bytes, also copied ones; undefined when everything
   * was here before.
   */
  readonly firstMs: number | undefined;
  /** Files of a folder that could not be fetched or put in their place. */
  readonly failed: readonly FailedFile[];
  /** The peers that gave different files to one folder; empty when one peer has all of them. */
  readonly mixedFrom?: readonly string[] | undefined;
}

/** A file that is not where it should be, and why. */
export interface FailedFile {
  readonly name: string;
  readonly failure: Failure;
}
