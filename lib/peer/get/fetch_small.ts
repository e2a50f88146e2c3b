/**
 * Fetches the small files of a folder, many at a time, and places them. Called by fetch_folder.ts.
 * @module
 */

import { join } from "node:path";
import { rootOf, smallDigests } from "../../core/content.ts";
import { Failure } from "../../core/failure.ts";
import { CopiesAt } from "../../store/files/copies_at.ts";
import type { FoundFile } from "../../store/files/found_file.ts";
import type { Traits } from "../../store/files/traits.ts";
import { SmallPlacer } from "../../store/small/small_placer.ts";
import type { SmallFile } from "../../transfer/small/small_file.ts";
import { copyTo, knownRoot } from "./copy_here.ts";
import type { FolderContext, FolderProgress } from "./folder_progress.ts";
import { mergedHolders, type PlannedFile } from "./folder_plan.ts";

/**
 * Files that are fetched together, before the next ones; up to half as many more when no others are
 * left. What a download notes of each file takes two kilobytes, and at its end it runs dry for a
 * moment.
 */
const FILES_TOGETHER = 8_192;

/** Files with the same content, which is fetched once. */
interface Group {
  readonly content: SmallFile;
  readonly files: readonly PlannedFile[];
}

/** A file that has arrived, and whether its root was known before. */
interface VerifiedFile extends PlannedFile {
  readonly root: string;
  readonly wasHashed: boolean;
}

/**
 * Fetches the small files of a folder that are missing. They are taken out of the list, so that no
 * more is kept of those that are here.
 *
 * @throws {Failure} "disk-full", or why the download was stopped. Other failures of files are in
 * the progress.
 */
export async function fetchSmall(
  missing: PlannedFile[],
  context: FolderContext,
  progress: FolderProgress,
): Promise<void> {
  const fetch = new SmallFetch(context, progress);
  while (missing.length > 0) {
    const isRest = missing.length <= FILES_TOGETHER * 3 / 2;
    await fetch.fetch(groupsOf(missing.splice(0, isRest ? missing.length : FILES_TOGETHER)));
  }
}

/** The small files of a folder on their way. */
class SmallFetch {
  readonly #context: FolderContext;
  readonly #progress: FolderProgress;
  readonly #copies: CopiesAt;

  constructor(context: FolderContext, progress: FolderProgress) {
    this.#context = context;
    this.#progress = progress;
    this.#copies = new CopiesAt(context.root);
  }

  /**
   * Fetches first what no other transfer fetches. The rest is here by then, and is usually copied.
   */
  async fetch(groups: readonly Group[]): Promise<void> {
    const { turns } = this.#context.parts;
    const busy: Group[] = [];
    {
      using held = new HeldTurns();
      const asked: Group[] = [];
      for (const group of groups) {
        const turn = turns.takeIfFree(group.content);
        if (turn === undefined) busy.push(group);
        else {
          held.add(group, turn);
          if (this.#mayBeHere(group)) asked.push(...await this.#copyGroup(group));
          else asked.push(group);
        }
      }
      await this.#download(asked, held);
    }
    using held = new HeldTurns();
    const asked: Group[] = [];
    for (const group of busy) {
      held.add(group, await turns.take(group.content, this.#context.watch.signal));
      const left = await this.#copyGroup(group);
      if (left.length === 0) held.release(group.content.name);
      asked.push(...left);
    }
    await this.#download(asked, held);
  }

  #mayBeHere({ content: { root } }: Group): boolean {
    return root !== undefined && this.#context.parts.local.mayHave(root);
  }

  /**
   * Copies a content that is on this machine to all its places.
   *
   * @returns The group of files that still have to be fetched, if there are any.
   */
  async #copyGroup(group: Group): Promise<Group[]> {
    const { parts, watch, chosen } = this.#context;
    if (!this.#mayBeHere(group)) return [group];
    const left: PlannedFile[] = [];
    for (const file of group.files) {
      await this.#progress.placing(file, async () => {
        const quiet = { signal: watch.signal, onProgress() {}, onFinishing() {} };
        const copied = await copyTo(file, { name: file.stored, root: chosen }, parts, quiet);
        if (copied === undefined) left.push(file);
        else this.#progress.done += file.size;
      });
    }
    return left.length === 0 ? [] : [{ ...group, files: left }];
  }

  async #download(groups: readonly Group[], held: HeldTurns): Promise<void> {
    if (groups.length === 0) return;
    const { root, chosen, parts, watch } = this.#context;
    const byName = new Map(groups.map((group) => [group.content.name, group]));
    const filesOf = (name: string): readonly PlannedFile[] => byName.get(name)?.files ?? [];
    const all = groups.flatMap(({ files }) => files);
    const bytes = all.reduce((sum, { size }) => sum + size, 0);
    // The chosen folder may be on another disk.
    const incoming = (): string => chosen ?? parts.folder.incomingPath(undefined);
    const stopping = new AbortController();
    await using placer = new SmallPlacer({ root, incoming, files: all.length, bytes });
    const given = await parts.downloads.downloadSmall(groups.map(({ content }) => content), {
      signal: AbortSignal.any([watch.signal, stopping.signal]),
      compress: watch.compress,
      onFile: (arrived, bytes, digests) => {
        this.#progress.began();
        const alike = filesOf(arrived.name);
        let left = alike.length;
        const waits = alike.map((planned) => {
          const file = { ...planned, root: arrived.root, wasHashed: planned.root !== undefined };
          return this.#place(file, { bytes, traits: arrived.traits, placer }, (placed) => {
            try {
              this.#placed(file, digests, placed);
            } catch (thrown) {
              stopping.abort(thrown);
            }
            left -= 1;
            if (left > 0) return;
            held.release(arrived.name);
            this.#progress.report(arrived.sources.map(({ peer }) => peer));
          });
        }).filter((wait) => wait !== undefined);
        return waits.length === 0 ? undefined : settled(waits);
      },
      onAsking: (peer) => this.#progress.report([peer], { isAsking: true }),
      onFailed: ({ name }, failure) => {
        for (const file of filesOf(name)) this.#progress.failed.push({ name: file.name, failure });
        held.release(name);
      },
    });
    this.#progress.gave(given);
    await placer.finish();
    stopping.signal.throwIfAborted();
  }

  /** Places a file, unless it is at its place. `onPlaced` then gets nothing. */
  #place(
    file: VerifiedFile,
    { bytes, traits, placer }: {
      readonly bytes: Uint8Array;
      readonly traits: Traits;
      readonly placer: SmallPlacer;
    },
    onPlaced: (placed: FoundFile | Failure | undefined) => void,
  ): Promise<void> | undefined {
    if (!this.#isAt(file)) return placer.place(bytes, file.stored, traits, onPlaced);
    onPlaced(undefined);
    return undefined;
  }

  #placed(file: VerifiedFile, digests: Uint8Array, placed: FoundFile | Failure | undefined): void {
    const { chosen, parts } = this.#context;
    if (placed instanceof Failure) return this.#progress.fail(file, placed);
    try {
      if (placed !== undefined && chosen !== undefined) parts.local.note(file.root, join(chosen, placed.name));
      else if (placed !== undefined) parts.share.adopt({ ...placed, root: file.root }, digests, placed);
      this.#progress.done += file.size;
    } catch (thrown) {
      this.#progress.fail(file, thrown);
    }
  }

  /** Whether a file is at its place already. */
  #isAt({ stored, size, root, wasHashed }: VerifiedFile): boolean {
    // For a file that its owner had hashed, the plan has already looked.
    if (wasHashed) return false;
    for (const copy of this.#copies.of(stored, size)) {
      if ((knownRoot(copy, this.#context.parts) ?? rootOfSmall(copy.path)) === root) return true;
    }
    return false;
  }
}

async function settled(all: readonly Promise<void>[]): Promise<void> {
  await Promise.all(all);
}

/** The turns of a folder's small files. Each is given back as soon as its file is here. */
class HeldTurns implements Disposable {
  readonly #turns = new Map<string, Disposable>();

  add({ content }: Group, turn: Disposable): void {
    this.#turns.set(content.name, turn);
  }

  release(name: string): void {
    this.#turns.get(name)?.[Symbol.dispose]();
    this.#turns.delete(name);
  }

  [Symbol.dispose](): void {
    for (const name of [...this.#turns.keys()]) this.release(name);
  }
}

/** Files of equal content together. A file that its owner has not hashed is alone. */
function groupsOf(files: readonly PlannedFile[]): Group[] {
  return Map.groupBy(files, ({ root, name }) => root ?? JSON.stringify([name])).values().flatMap((alike) => {
    const [first] = alike;
    if (first === undefined) return [];
    return [{ content: alike.length === 1 ? first : { ...first, ...mergedHolders(alike) }, files: alike }];
  }).toArray();
}

/** The root of a file of at most one piece; undefined when it cannot be read. */
function rootOfSmall(path: string): string | undefined {
  try {
    const bytes = Deno.readFileSync(path);
    return rootOf(bytes.length, smallDigests(bytes));
  } catch {
    return undefined;
  }
}
