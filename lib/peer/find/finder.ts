/**
 * Finds what downloads need to know: the peers that have a content, its true size, the files of a
 * folder. Called by lib/peer/get.
 * @module
 */

import type { Clock } from "../../core/flow/clock.ts";
import { failedWith, Failure } from "../../core/failure.ts";
import { FOLDER_FILES_MAX } from "../../core/limits.ts";
import { printable } from "../../core/printable.ts";
import type { FolderFiles as FolderPage } from "../../protocol/search.ts";
import type { ReplyOf } from "../../protocol/message.ts";
import type { Holder } from "../../protocol/shapes.ts";
import type { WantedContent } from "../../transfer/content/content.ts";
import type { SourceFinder } from "../../transfer/content/finder.ts";
import type { Source } from "../../transfer/content/source.ts";
import type { Contacts } from "./contacts.ts";
import { FolderFiles, SharedHolders } from "./folder_files.ts";
import { holderOf, settled } from "./holders.ts";
import type { IndexQueries } from "./index_queries.ts";
import { ListTime } from "./list_time.ts";
import type { PeerLists } from "./peer_lists.ts";
import { sourceOf } from "./peer_refs.ts";
import { settleSizes } from "./true_size.ts";
import type { FolderFile, WantedFile, WantedFolder } from "./wanted.ts";

/** What finding needs. */
export interface FinderOptions {
  readonly queries: IndexQueries;
  readonly contacts: Contacts;
  readonly lists: PeerLists;
  /** This peer's own name, so that it is no source for itself; undefined for a guest. */
  readonly self: () => string | undefined;
  readonly clock: Clock;
}

/** Finds sources for downloads. */
export class Finder implements SourceFinder {
  readonly #options: FinderOptions;

  constructor(options: FinderOptions) {
    this.#options = options;
  }

  /** The peers that have a file now, except this one. */
  async sources(wanted: WantedContent): Promise<Source[]> {
    const all = wanted.root === undefined
      ? await this.#sourcesByName(wanted)
      : await this.#sourcesByRoot(wanted.root, wanted.size);
    const self = this.#options.self();
    return all.filter(({ peer }) => peer !== self && (wanted.from === undefined || peer === wanted.from));
  }

  /**
   * The same file with its sources, and with its true size when peers list its root with different
   * ones.
   */
  async settled(wanted: WantedFile): Promise<WantedFile> {
    return await settled(wanted, this.#options);
  }

  /**
   * A peer that has the content with this root, of its true size.
   *
   * @throws {Failure} "not-found" when no peer lists it.
   */
  async holderOf(root: string): Promise<Holder> {
    return await holderOf(root, this.#options);
  }

  /**
   * The files below a folder, each name once. When peers have different contents under one name,
   * the one that most of them have is chosen. A file that only classroom clients have is listed
   * without sources.
   *
   * @throws {Failure} "too-large" when there are more files than can be fetched in one go.
   */
  async folder({ name: prefix, from }: WantedFolder): Promise<FolderFile[]> {
    if (from !== undefined) return await this.#folderAt(from, prefix);
    const { queries, contacts, self, clock } = this.#options;
    const time = new ListTime(clock, `"${printable(prefix)}"`);
    const files = new FolderFiles(self());
    type Page = ReplyOf<typeof FolderPage>;
    let next: Promise<Page> | undefined = queries.folderPage(prefix);
    while (next !== undefined) {
      time.check();
      const { hits, more }: Page = await next;
      // The index finds the next page while this one is taken in.
      next = more ? queries.folderPage(prefix, hits.at(-1)?.name) : undefined;
      next?.catch(() => {});
      const before = files.names;
      for (const hit of hits) files.add(hit);
      // An index that returns the same names again and again has no more.
      if (files.names === before) break;
      if (more) checkFolderSize(prefix, files.names);
    }
    await settleSizes(files.chosen, files.doubtful, (source, signal) => contacts.connect(source, signal));
    return [...files.chosen.values()];
  }

  /** The files below a folder of one peer, as that peer lists them. */
  async #folderAt(peer: string, prefix: string): Promise<FolderFile[]> {
    using reached = await this.#options.contacts.reach(peer);
    const { files, more } = await this.#options.lists.filesOf(reached, { prefix, countMax: FOLDER_FILES_MAX });
    if (more) checkFolderSize(prefix, files.length);
    const holders = new SharedHolders();
    return files.map(({ modified: _, executable: __, ...file }) => {
      return { ...file, ...holders.of(file, [reached.peer]), moreHolders: false };
    });
  }

  async #sourcesByRoot(root: string, size: number): Promise<Source[]> {
    const { holders } = await this.#options.queries.holders(root, { size, offset: 0 });
    return holders.map(({ peer, name }) => sourceOf(peer, name));
  }

  /**
   * As long as a file has no root, only those peers are sources that list it under this name and
   * size.
   */
  async #sourcesByName({ name, size, peers }: WantedContent): Promise<Source[]> {
    const sources: Source[] = [];
    for (const peer of peers) {
      try {
        const copy = await this.#options.queries.copyAt(peer.name, name);
        if (copy.size === size && copy.peer.dialect === undefined) sources.push(sourceOf(copy.peer, name));
      } catch (thrown) {
        if (!failedWith(thrown, "not-found")) throw thrown;
      }
    }
    return sources;
  }
}

/**
 * Refuses a folder with more files than one download may have, so that none is left out unnoticed.
 */
function checkFolderSize(folder: string, files: number): void {
  if (files < FOLDER_FILES_MAX) return;
  throw new Failure("too-large", `"${printable(folder)}" has more than ${FOLDER_FILES_MAX} files`, {
    hint: "get its sub-folders one after the other",
  });
}
