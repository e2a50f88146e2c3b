/**
 * Asks peers what they share, page by page. Called by finder.ts and directory.ts.
 * @module
 */

import type { Clock } from "../../core/flow/clock.ts";
import { PAGE_ROWS_MAX } from "../../core/limits.ts";
import type { Pace } from "../../core/flow/pace.ts";
import { printable } from "../../core/printable.ts";
import { ask } from "../../net/caller.ts";
import type { Connection } from "../../net/connection.ts";
import { List } from "../../protocol/files.ts";
import type { ReplyOf } from "../../protocol/message.ts";
import type { SharedFile } from "../../protocol/shapes.ts";
import type { ReachedPeer } from "./contacts.ts";
import { ListTime } from "./list_time.ts";

/** What asking for lists needs. */
export interface PeerListsOptions {
  readonly clock: Clock;
  /** The pace of everything that is received from peers. */
  readonly pace?: Pace | undefined;
}

/** Which part of a list is wanted. */
export interface ListBounds {
  /** Only names that begin with it. Default: all. */
  readonly prefix?: string | undefined;
  /** How many files are enough. The list may be longer by up to one page. */
  readonly countMax: number;
}

/** The lists of files that peers keep of what they share. */
export class PeerLists {
  readonly #options: PeerListsOptions;

  constructor(options: PeerListsOptions) {
    this.#options = options;
  }

  /**
   * The files that a peer lists, in order of name.
   *
   * @returns The files, and whether the peer has more of them.
   * @throws {Failure} "timeout" when the list does not end in time, and whatever the peer answers.
   */
  async filesOf(
    { peer, connection }: ReachedPeer,
    { prefix = "", countMax }: ListBounds,
  ): Promise<{ files: SharedFile[]; more: boolean }> {
    const time = new ListTime(this.#options.clock, `what ${printable(peer.name)} shares`);
    const files: SharedFile[] = [];
    let more = true;
    while (more && files.length < countMax) {
      time.check();
      const page = await this.#page(connection, files.at(-1)?.name ?? (prefix === "" ? undefined : prefix), time);
      const below = page.files.filter((file) => file.name.startsWith(prefix));
      files.push(...below);
      more = page.more && below.length > 0 && below.length === page.files.length;
    }
    return { files, more };
  }

  async #page(
    connection: Connection,
    after: string | undefined,
    time: ListTime,
  ): Promise<ReplyOf<typeof List>> {
    const { pace } = this.#options;
    const before = connection.bytesRead;
    const { data } = await ask(connection, List, { after, limit: PAGE_ROWS_MAX });
    if (pace !== undefined) await time.without(pace.take(connection.bytesRead - before));
    return data;
  }
}
