/**
 * Finds things: searches the index, asks peers what they share, and turns what a person writes (a number, a name, a content id) into a
 * content and the peers that have it.
 * @module
 */

import { parseAddress } from "../../core/address.ts";
import type { Clock } from "../../core/flow/clock.ts";
import { ROOT_REGEXP } from "../../core/content.ts";
import { failedWith, Failure } from "../../core/failure.ts";
import { FOLDER_FILES_MAX, HITS_MAX, PAGE_ROWS_MAX, TABLE_ROWS_MAX } from "../../core/limits.ts";
import type { Pace } from "../../core/flow/pace.ts";
import { printable } from "../../core/printable.ts";
import { words } from "../../core/words.ts";
import { Peers } from "../../protocol/presence.ts";
import { DownloadRequest, Find, FolderFiles, Search } from "../../protocol/search.ts";
import type { PeerRef, PeerRow } from "../../protocol/shapes.ts";
import type { Content, WantedContent } from "../../transfer/content/content.ts";
import type { Source } from "../../transfer/content/source.ts";
import { folderLike, mostLike } from "./folder_names.ts";
import type { Contacts, PeerRemarks } from "./contacts.ts";
import { holderOf, settled, sourceOf } from "./holders.ts";
import type { IndexSession } from "../session/index_session.ts";
import type { LastTable, Row } from "./last_table.ts";
import { ListTime } from "./list_time.ts";
import { filesOf } from "./peer_list.ts";
import { settleSizes } from "./true_size.ts";
import { classroomPeersAt, type FolderFile, type Wanted, type WantedFile, type WantedFolder } from "./wanted.ts";

export type { PeerRow };

/** What the directory asks. */
export interface DirectoryOptions {
  readonly session: IndexSession;
  readonly contacts: Contacts;
  readonly table: LastTable;
  /** This peer's own name; it is no source for itself. */
  readonly self: () => string | undefined;
  readonly clock: Clock;
  /** The pace of all that is received from peers. */
  readonly pace?: Pace | undefined;
}

/** Rows that were found; `more` says that there are others, `old` that the index has lost touch with its other servers. */
export interface FoundRows {
  readonly rows: readonly Row[];
  readonly more: boolean;
  readonly old?: boolean;
}

/** Hits in which a folder is looked for that is not called as it was typed. */
const FOLDER_NAME_HITS_MAX = 2_000;

/** The asking side of the index and of other peers' lists. */
export class Directory {
  readonly #options: DirectoryOptions;

  constructor(options: DirectoryOptions) {
    this.#options = options;
  }

  /** Searches; the rows become the last table. */
  async search(query: string, options: { exact: boolean; limit: number; offset: number }): Promise<FoundRows> {
    const rows: Row[] = [];
    let more = true;
    let old = false;
    while (more && rows.length < options.limit) {
      const page = await this.#options.session.call(Search, {
        query,
        exact: options.exact,
        limit: Math.min(HITS_MAX, options.limit - rows.length),
        offset: options.offset + rows.length,
      });
      rows.push(...page.hits);
      more = page.more && page.hits.length > 0;
      old ||= page.old ?? false;
    }
    this.#options.table.show(rows);
    return { rows, more, old };
  }

  /** Names of files that begin like a word, for completion. Does not touch the last table. */
  async suggestFiles(word: string, limit: number): Promise<string[]> {
    const page = await this.#options.session.call(Search, { query: word, exact: false, limit, offset: 0 });
    return page.hits.map((hit) => hit.name);
  }

  /** Who is here. */
  async peers(): Promise<{ peers: readonly PeerRow[]; more: boolean }> {
    const peers: PeerRow[] = [];
    let more = true;
    while (more && peers.length < TABLE_ROWS_MAX) {
      const page = await this.#options.session.call(Peers, { limit: PAGE_ROWS_MAX, offset: peers.length });
      peers.push(...page.peers);
      more = page.more && page.peers.length > 0;
    }
    return { peers, more };
  }

  /** What this peer knows of one that is listed. */
  remarks(peer: { readonly name: string; readonly id: string }): PeerRemarks {
    return this.#options.contacts.remarks(peer);
  }

  /** What one peer shares; the rows become the last table. Fails: "not-found" when it is not here, "unreachable". */
  async list(peer: string): Promise<FoundRows> {
    const ref = await this.#peer(peer);
    const { files, more } = await filesOf(ref, { countMax: TABLE_ROWS_MAX }, this.#options);
    const rows = files.map(({ modified: _, executable: __, ...file }) => ({ ...file, holders: 1, peers: [ref] }));
    this.#options.table.show(rows);
    return { rows, more };
  }

  /**
   * What a person means: a number of the last table, a content id, or a file's name. Fails: "not-found".
   */
  async resolve(what: string, options: { from?: string } = {}): Promise<Wanted> {
    const holders = options.from === undefined ? [] : await this.#holders(options.from);
    const [holder] = holders;
    const from = holder?.name;
    if (what.endsWith("/")) {
      const name = from === undefined ? await this.#folderName(what) : await this.#folderNameAt(what, from);
      return { kind: "folder", name, ...(from === undefined ? {} : { from }) };
    }
    const { table } = this.#options;
    const isNumber = /^\d{1,6}$/.test(what);
    const row = isNumber ? table.row(Number(what)) : undefined;
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
        // A file that nobody has and that is called like a number was meant as a row of the table.
        throw isNumber && failedWith(thrown, "not-found") ? table.noRow(Number(what)) : thrown;
      });
    return from === undefined ? wanted : { ...wanted, from };
  }

  /** Who has a content now, except ourselves. */
  async sources(wanted: WantedContent): Promise<Source[]> {
    const all = wanted.root === undefined
      ? await this.#sourcesByName(wanted)
      : await this.#sourcesByRoot(wanted.root, wanted.size);
    const self = this.#options.self();
    return all.filter(({ peer }) => peer !== self && (wanted.from === undefined || peer === wanted.from));
  }

  /**
   * Everything below a folder, each name once: of different contents of one name, the one that most have. What only programs without
   * verification have is there without sources.
   *
   * @throws {Failure} "too-large" when there are more files than can be fetched in one go.
   */
  async folder({ name: prefix, from }: WantedFolder): Promise<FolderFile[]> {
    if (from !== undefined) return await this.#folderOf(from, prefix);
    const { session, self, contacts, clock } = this.#options;
    const time = new ListTime(clock, `"${printable(prefix)}"`);
    const files = new Map<string, FolderFile>();
    const doubtful = new Map<string, FolderFile[]>();
    const seen = new Set<string>();
    let start: { readonly after?: string } = {};
    for (let more = true; more;) {
      time.check();
      const page = await session.call(FolderFiles, { prefix, limit: HITS_MAX, ...start });
      const before = seen.size;
      for (const { name, peers, holders, ...content } of page.hits) {
        seen.add(name);
        const others = peers.filter((peer) => peer.name !== self());
        const refs = others.filter(({ dialect }) => dialect === undefined);
        const known = files.get(name);
        if (others.length === 0 || (known !== undefined && refs.length === 0)) continue;
        const file = folderFile({ name, ...content }, refs, holders > peers.length);
        if (known === undefined || known.refs.length === 0) files.set(name, file);
        else if (known.root !== undefined && known.root === file.root) {
          doubtful.set(name, [...doubtful.get(name) ?? [], file]);
        }
      }
      start = { after: page.hits.at(-1)?.name ?? prefix };
      // An index that gives the same names again and again has no more.
      more = page.more && seen.size > before;
      if (more) checkFolderSize(prefix, seen.size);
    }
    await settleSizes(files, doubtful, (source, signal) => contacts.connect(source, signal));
    return [...files.values()];
  }

  /** The name of the folder that a person means: as typed, or the one most like it that others have. */
  async #folderName(typed: string): Promise<string> {
    const { session, self } = this.#options;
    const isOthers = ({ peers: [first] }: { peers: readonly PeerRef[] }): boolean => first?.name !== self();
    const { hits } = await session.call(FolderFiles, { prefix: typed, limit: HITS_MAX });
    // What only this peer has may be its copy of a folder that is called otherwise there.
    if (hits.some(isOthers) || words(typed).length === 0) return typed;
    const folders = new Set<string>();
    let more = true;
    for (let offset = 0; more && offset < FOLDER_NAME_HITS_MAX;) {
      const page = await session.call(Search, { query: typed, exact: false, limit: HITS_MAX, offset });
      for (const hit of page.hits.filter(isOthers)) {
        const folder = folderLike(hit.name, typed);
        if (folder !== undefined) folders.add(folder);
      }
      offset += page.hits.length;
      more = page.more && page.hits.length > 0;
    }
    return mostLike(folders, typed) ?? typed;
  }

  /** The same among the folders of one peer. */
  async #folderNameAt(typed: string, peer: string): Promise<string> {
    const ref = await this.#peer(peer);
    if ((await filesOf(ref, { prefix: typed, countMax: 1 }, this.#options)).files.length > 0) return typed;
    const { files } = await filesOf(ref, { countMax: FOLDER_FILES_MAX }, this.#options);
    return mostLike(new Set(files.flatMap(({ name }) => folderLike(name, typed) ?? [])), typed) ?? typed;
  }

  /** Everything below a folder of one peer, asked of itself. */
  async #folderOf(peer: string, prefix: string): Promise<FolderFile[]> {
    const ref = await this.#peer(peer);
    const { files, more } = await filesOf(ref, { prefix, countMax: FOLDER_FILES_MAX }, this.#options);
    if (more) checkFolderSize(prefix, files.length);
    return files.map(({ modified: _, executable: __, ...file }) => folderFile(file, [ref], false));
  }

  /** A peer's row at the index, if it is here. */
  async lookUp(name: string): Promise<PeerRow | undefined> {
    return (await this.#options.session.call(Peers, { name, limit: 1, offset: 0 })).peers[0];
  }

  /** Trusts the key that a peer has now. Shape: its id. Fails: "not-found" when it is not here. */
  async trust(name: string): Promise<{ name: string; id: string }> {
    const { name: exact, id } = await this.#peer(name);
    return { name: exact, id: this.#options.contacts.trust({ name: exact, id }) };
  }

  /** How to reach a peer that is here. Fails: "not-found", "unreachable". */
  async contact(name: string): Promise<Source> {
    return sourceOf(await this.#peer(name), "");
  }

  async #peer(name: string): Promise<PeerRef> {
    const row = await this.lookUp(name);
    if (row === undefined) {
      throw new Failure("not-found", `There is no peer "${printable(name)}" here`, {
        hint: "see who is here with: peers",
      });
    }
    if (row.port === undefined) {
      throw new Failure("unreachable", `Cannot reach ${printable(row.name)}: it is behind a firewall`);
    }
    const { name: exact, id, host, port, plain, dialect } = row;
    return { name: exact, id, host, port, plain, ...(dialect === undefined ? {} : { dialect }) };
  }

  /** The peer of this name; at an address under which nobody joined, a classmate's own program in each dialect. */
  async #holders(name: string): Promise<readonly PeerRef[]> {
    const isHere = !/:\d{1,5}$/.test(name) || await this.lookUp(name) !== undefined;
    return isHere ? [await this.#peer(name)] : classroomPeersAt(parseAddress(name, { defaultPort: 0 }));
  }

  /** The same file with its true size, where others list its root with false ones. */
  async settled(wanted: WantedFile): Promise<WantedFile> {
    return await settled(wanted, this.#options);
  }

  async #byRoot(root: string): Promise<WantedFile> {
    const { name, size, peer } = await holderOf(root, this.#options);
    return { kind: "file", name, size, root, peers: [peer], others: 0 };
  }

  async #byName(name: string): Promise<WantedFile> {
    const { hits } = await this.#options.session.call(Search, { query: name, exact: true, limit: HITS_MAX, offset: 0 });
    // What can be verified goes first.
    const best = hits.find(({ peers }) => peers.some(({ dialect }) => dialect === undefined)) ?? hits[0];
    if (best === undefined) throw new Failure("not-found", `No peer here has "${printable(name)}"`);
    return { kind: "file", ...best, others: hits.length - 1 };
  }

  async #byNameAt(name: string, peer: string): Promise<WantedFile> {
    const { peer: ref, size, root } = await this.#options.session.call(DownloadRequest, { peer, name });
    const peers = [ref];
    return { kind: "file", name, size, ...(root === undefined ? {} : { root }), peers, others: 0 };
  }

  async #sourcesByRoot(root: string, size: number): Promise<Source[]> {
    const { holders } = await this.#options.session.call(Find, { root, size, limit: PAGE_ROWS_MAX, offset: 0 });
    return holders.map(({ peer, name }) => sourceOf(peer, name));
  }

  /** As long as a file has no root, only those peers are sources that list it under this name and size. */
  async #sourcesByName({ name, size, peers }: WantedContent): Promise<Source[]> {
    const sources: Source[] = [];
    for (const peer of peers) {
      try {
        const copy = await this.#options.session.call(DownloadRequest, { peer: peer.name, name });
        if (copy.size === size && copy.peer.dialect === undefined) sources.push(sourceOf(copy.peer, name));
      } catch (thrown) {
        if (!failedWith(thrown, "not-found")) throw thrown;
      }
    }
    return sources;
  }
}

/** What would be left out must not be forgotten without a word. */
function checkFolderSize(folder: string, files: number): void {
  if (files < FOLDER_FILES_MAX) return;
  throw new Failure("too-large", `"${printable(folder)}" has more than ${FOLDER_FILES_MAX} files`, {
    hint: "get its sub-folders one after the other",
  });
}

function folderFile(file: Content, refs: readonly PeerRef[], moreHolders: boolean): FolderFile {
  return { ...file, refs, moreHolders, sources: refs.map((ref) => sourceOf(ref, file.name)) };
}
