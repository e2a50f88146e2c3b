/**
 * What peers are downloading: contents that they have, and serve, only in part so far. Called by
 * local_index.ts.
 * @module
 */

import { Failure } from "../../core/failure.ts";
import { PARTIALS_PER_PEER_MAX } from "../../core/limits.ts";
import type { PartialFile, WantedContent } from "../search_index.ts";
import { FileTable } from "./file_table.ts";

/** The names are kept here by row, so that no search finds them. */
const NO_NAME = 0;

/** Peers are numbers, as in file_table.ts. */
export class PartialFiles {
  readonly #table = new FileTable();
  readonly #names: string[] = [];

  /**
   * Notes that a peer is downloading a content, under the name that it gave last.
   *
   * @throws {Failure} "too-large" beyond the bound for one peer.
   */
  put(peer: number, { name, size, root }: PartialFile): void {
    let row = this.#table.findRoot(peer, root);
    if (row !== 0) this.#table.change(row, size, root);
    else if (this.#table.ofPeer(peer, PARTIALS_PER_PEER_MAX).length < PARTIALS_PER_PEER_MAX) {
      row = this.#table.add({ peer, name: NO_NAME, size, root });
    } else throw new Failure("too-large", `Cannot announce more than ${PARTIALS_PER_PEER_MAX} downloads`);
    this.#names[row] = name;
  }

  /** Notes that a peer is no longer downloading a content. */
  delete(peer: number, root: string): void {
    const row = this.#table.findRoot(peer, root);
    if (row !== 0) this.#forget(row);
  }

  /** Forgets all downloads of a peer. */
  deletePeer(peer: number): void {
    for (const row of this.#table.ofPeer(peer, Infinity)) this.#forget(row);
  }

  /** What one peer is downloading. */
  ofPeer(peer: number): PartialFile[] {
    return this.#table.ofPeer(peer, Infinity).map((row) => this.of(row).file);
  }

  /**
   * The downloads of a content, those of the peers that joined first before others.
   *
   * @param limit How many downloads of contents with this root are looked at.
   * @returns Their rows.
   */
  ofContent(content: WantedContent, limit: number): number[] {
    return this.#table.ofContent(content, { limit, ofPeerMax: 1 });
  }

  /** The download in a row, and the peer it belongs to. */
  of(row: number): { peer: number; file: PartialFile } {
    const { peer, size, root = "" } = this.#table.row(row);
    return { peer, file: { name: this.#names[row] ?? "", size, root } };
  }

  #forget(row: number): void {
    this.#table.delete(row);
    this.#names[row] = "";
  }
}
