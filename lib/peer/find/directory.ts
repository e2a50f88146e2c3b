/**
 * What a person sees and what a person means: shows found files as numbered rows, and turns a
 * number, a name or a content id that was typed into a file or folder to download. Called by the
 * shell.
 * @module
 */

import { parseAddress } from "../../core/address.ts";
import { ROOT_REGEXP } from "../../core/content.ts";
import { failedWith, Failure } from "../../core/failure.ts";
import { FOLDER_FILES_MAX, FOLDER_NAME_HITS_MAX, HITS_MAX, TABLE_ROWS_MAX } from "../../core/limits.ts";
import { printable } from "../../core/printable.ts";
import { words } from "../../core/words.ts";
import type { PeerRef } from "../../protocol/shapes.ts";
import type { Contacts } from "./contacts.ts";
import type { Finder } from "./finder.ts";
import { folderLike, mostLike } from "./folder_names.ts";
import type { FoundRows, IndexQueries, SearchBounds } from "./index_queries.ts";
import type { LastTable } from "./last_table.ts";
import type { PeerLists } from "./peer_lists.ts";
import { classroomPeersAt, type Wanted, type WantedFile } from "./wanted.ts";

/** What a directory needs. */
export interface DirectoryOptions {
  readonly queries: IndexQueries;
  readonly contacts: Contacts;
  readonly lists: PeerLists;
  readonly finder: Finder;
  readonly table: LastTable;
  /** This peer's own name; undefined for a guest. */
  readonly self: () => string | undefined;
}

/** Numbered rows, and the meaning of what a person types. */
export class Directory {
  readonly #options: DirectoryOptions;

  constructor(options: DirectoryOptions) {
    this.#options = options;
  }

  /** Searches the index; the rows become the last table. */
  async search(query: string, options: SearchBounds & { readonly exact: boolean }): Promise<FoundRows> {
    const found = await this.#options.queries.search(query, options);
    this.#options.table.show(found.rows);
    return found;
  }

  /**
   * Lists the files that one peer shares; the rows become the last table.
   *
   * @throws {Failure} "not-found" when the peer has not joined, "unreachable".
   */
  async list(peer: string): Promise<FoundRows> {
    const { contacts, lists, table } = this.#options;
    using reached = await contacts.reach(peer);
    const { files, more } = await lists.filesOf(reached, { countMax: TABLE_ROWS_MAX });
    const peers = [reached.peer];
    const rows = files.map(({ modified: _, executable: __, ...file }) => ({ ...file, holders: 1, peers }));
    table.show(rows);
    return { rows, more };
  }

  /**
   * Finds what a person means by a number of the last table, a content id, the name of a file, or
   * the name of a folder with a slash at its end.
   *
   * @param options.from Only this peer's copy is wanted. Default: any peer's.
   * @throws {Failure} "not-found".
   */
  async resolve(what: string, options: { from?: string | undefined } = {}): Promise<Wanted> {
    const holders = options.from === undefined ? [] : await this.#holders(options.from);
    const [holder] = holders;
    const from = holder?.name;
    if (what.endsWith("/")) {
      if (from === undefined) return { kind: "folder", name: await this.#folderName(what) };
      return { kind: "folder", name: await this.#folderNameAt(what, from), from };
    }
    const isNumber = /^\d{1,6}$/.test(what);
    const row = isNumber ? this.#options.table.row(Number(what)) : undefined;
    if (holder?.dialect !== undefined) {
      return { kind: "file", name: row?.name ?? what, size: 0, from: holder.name, peers: holders, others: 0 };
    }
    const wanted = row !== undefined
      ? { kind: "file" as const, ...row, others: 0 }
      : ROOT_REGEXP.test(what)
      ? await this.#byRoot(what)
      : from !== undefined
      ? await this.#byNameAt(what, from)
      : await this.#byName(what).catch((thrown) => {
        // The person meant a row of the table if no peer has a file that is called like the number.
        throw isNumber && failedWith(thrown, "not-found") ? this.#options.table.noRow(Number(what)) : thrown;
      });
    return from === undefined ? wanted : { ...wanted, from };
  }

  /**
   * The peer of this name. An address at which no peer has joined is a classroom client, once in
   * each dialect.
   */
  async #holders(name: string): Promise<readonly PeerRef[]> {
    const { contacts, queries } = this.#options;
    const isHere = !/:\d{1,5}$/.test(name) || await queries.lookUp(name) !== undefined;
    return isHere ? [await contacts.find(name)] : classroomPeersAt(parseAddress(name, { defaultPort: 0 }));
  }

  async #byRoot(root: string): Promise<WantedFile> {
    const { name, size, peer } = await this.#options.finder.holderOf(root);
    return { kind: "file", name, size, root, peers: [peer], others: 0 };
  }

  async #byName(name: string): Promise<WantedFile> {
    const { hits } = await this.#options.queries.searchPage(name, { exact: true, limit: HITS_MAX, offset: 0 });
    // A content that can be verified is preferred to one that only classroom clients have.
    const best = hits.find(({ peers }) => peers.some(({ dialect }) => dialect === undefined)) ?? hits[0];
    if (best === undefined) throw new Failure("not-found", `No peer here has "${printable(name)}"`);
    return { kind: "file", ...best, others: hits.length - 1 };
  }

  async #byNameAt(name: string, peer: string): Promise<WantedFile> {
    const { peer: ref, ...content } = await this.#options.queries.copyAt(peer, name);
    return { kind: "file", name, ...content, peers: [ref], others: 0 };
  }

  /**
   * The name of the folder that a person means: as typed, or the most similar one that other peers
   * have.
   */
  async #folderName(typed: string): Promise<string> {
    const { queries, self } = this.#options;
    const isOthers = ({ peers: [first] }: { peers: readonly PeerRef[] }): boolean => first?.name !== self();
    const { hits } = await queries.folderPage(typed);
    // A folder that only this peer has may be its copy of one that has a slightly different name
    // elsewhere.
    if (hits.some(isOthers) || words(typed).length === 0) return typed;
    const folders = new Set<string>();
    let more = true;
    for (let offset = 0; more && offset < FOLDER_NAME_HITS_MAX;) {
      const page = await queries.searchPage(typed, { exact: false, limit: HITS_MAX, offset });
      for (const hit of page.hits.filter(isOthers)) {
        const folder = folderLike(hit.name, typed);
        if (folder !== undefined) folders.add(folder);
      }
      offset += page.hits.length;
      more = page.more && page.hits.length > 0;
    }
    return mostLike(folders, typed) ?? typed;
  }

  /** The name of the folder that a person means among those of one peer. */
  async #folderNameAt(typed: string, peer: string): Promise<string> {
    const { contacts, lists } = this.#options;
    using reached = await contacts.reach(peer);
    if ((await lists.filesOf(reached, { prefix: typed, countMax: 1 })).files.length > 0) return typed;
    const { files } = await lists.filesOf(reached, { countMax: FOLDER_FILES_MAX });
    return mostLike(new Set(files.flatMap(({ name }) => folderLike(name, typed) ?? [])), typed) ?? typed;
  }
}
