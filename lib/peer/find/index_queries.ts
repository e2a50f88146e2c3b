/**
 * The questions that a peer asks its index. Nothing here asks another peer. Called by everything in
 * lib/peer that looks something up, and by the shell.
 * @module
 */

import { FOLDER_NAMES_MAX, HITS_MAX, PAGE_ROWS_MAX, TABLE_ROWS_MAX } from "../../core/limits.ts";
import { Peers } from "../../protocol/presence.ts";
import { DownloadRequest, Find, FolderFiles, Search } from "../../protocol/search.ts";
import type { ReplyOf } from "../../protocol/message.ts";
import type { Hit, PeerRow } from "../../protocol/shapes.ts";
import type { IndexSession } from "../session/index_session.ts";

export type { PeerRow };

/** What a search found. */
export interface FoundRows {
  readonly rows: readonly Hit[];
  /** Whether there are more matches. */
  readonly more: boolean;
  /** Whether the rows may be out of date: the index has lost touch with its other servers. */
  readonly old?: boolean | undefined;
}

/** The part of a search's results that is wanted. */
export interface SearchBounds {
  readonly limit: number;
  readonly offset: number;
}

/** Asks one index. Every method throws what {@linkcode IndexSession.call} throws. */
export class IndexQueries {
  readonly #session: Pick<IndexSession, "call">;

  constructor(session: Pick<IndexSession, "call">) {
    this.#session = session;
  }

  /** The peer of this name; undefined when none has joined under it. */
  async lookUp(name: string): Promise<PeerRow | undefined> {
    return (await this.#session.call(Peers, { name, limit: 1, offset: 0 })).peers[0];
  }

  /**
   * The name that a key has at the index.
   *
   * @param claimed The name that the owner of the key calls itself by.
   * @returns Undefined when the key has not joined under that name, or the index does not answer.
   */
  async nameOf(claimed: string | undefined, id: string): Promise<string | undefined> {
    const row = claimed === undefined ? undefined : await this.lookUp(claimed).catch(() => undefined);
    return row?.id === id ? row.name : undefined;
  }

  /** The peers that have joined. */
  async peers(): Promise<{ peers: readonly PeerRow[]; more: boolean }> {
    const peers: PeerRow[] = [];
    let more = true;
    while (more && peers.length < TABLE_ROWS_MAX) {
      const page = await this.#session.call(Peers, { limit: PAGE_ROWS_MAX, offset: peers.length });
      peers.push(...page.peers);
      more = page.more && page.peers.length > 0;
    }
    return { peers, more };
  }

  /** Files with names that match a query, page after page until `limit` is reached. */
  async search(query: string, options: SearchBounds & { readonly exact: boolean }): Promise<FoundRows> {
    const rows: Hit[] = [];
    let more = true;
    let old = false;
    while (more && rows.length < options.limit) {
      const page = await this.searchPage(query, {
        exact: options.exact,
        limit: Math.min(HITS_MAX, options.limit - rows.length),
        offset: options.offset + rows.length,
      });
      rows.push(...page.hits);
      more = page.more && page.hits.length > 0;
      old ||= page.old ?? false;
    }
    return { rows, more, old };
  }

  /** One page of a search. */
  async searchPage(
    query: string,
    options: SearchBounds & { readonly exact: boolean },
  ): Promise<ReplyOf<typeof Search>> {
    return await this.#session.call(Search, { query, ...options });
  }

  /** Names of files that begin like a word, for completion. */
  async suggestFiles(word: string, limit: number): Promise<string[]> {
    const page = await this.searchPage(word, { exact: false, limit, offset: 0 });
    return page.hits.map(({ name }) => name);
  }

  /**
   * One page of the files below a folder, in order of name.
   *
   * @param after The last name of the page before.
   */
  async folderPage(prefix: string, after?: string): Promise<ReplyOf<typeof FolderFiles>> {
    return await this.#session.call(FolderFiles, { prefix, limit: FOLDER_NAMES_MAX, after });
  }

  /**
   * One page of the peers that list a content.
   *
   * @param options.size Only peers that list it with this size. Default: with any.
   */
  async holders(
    root: string,
    { size, offset }: { readonly size?: number; readonly offset: number },
  ): Promise<ReplyOf<typeof Find>> {
    return await this.#session.call(Find, { root, size, limit: PAGE_ROWS_MAX, offset });
  }

  /**
   * The file that one peer lists under a name.
   *
   * @throws {Failure} "not-found" when it lists none.
   */
  async copyAt(peer: string, name: string): Promise<ReplyOf<typeof DownloadRequest>> {
    return await this.#session.call(DownloadRequest, { peer, name });
  }
}
