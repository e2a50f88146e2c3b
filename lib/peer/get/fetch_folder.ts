/**
 * Fetches everything below a folder and recreates the tree: small files many at a time, large files
 * one after the other, the next one while the last one is being synced. Called by transfer.ts.
 *
 * A file that is at its place is not fetched again, so an interrupted folder continues where it
 * stopped. Equal contents are fetched once and copied. A file that cannot be fetched or placed does
 * not stop the others; the result names it.
 * @module
 */

import { join } from "node:path";
import { rootOf, smallDigests } from "../../core/content.ts";
import { failedWith, Failure } from "../../core/failure.ts";
import { overlapping } from "../../core/flow/overlapping.ts";
import { printable } from "../../core/printable.ts";
import { CopiesAt } from "../../store/files/copies_at.ts";
import { SmallPlaces } from "../../store/files/place.ts";
import { receivedName } from "../../store/files/received_name.ts";
import { type ArrivedFile, isSmall, type SmallFile } from "../../transfer/small/small_file.ts";
import type { Given } from "../../transfer/content/watch.ts";
import type { WantedFile, WantedFolder } from "../find/wanted.ts";
import { copyTo, knownRoot } from "./copy_here.ts";
import { fetchTo } from "./fetch_file.ts";
import type { Destination, FailedFile, Fetched, FetchParts, FetchWatch, FileWatch, Place } from "./fetching.ts";
import { type FolderPlan, mergedHolders, mixedFrom, planFolder, type PlannedFile } from "./folder_plan.ts";
import { outputFolder } from "./output_folder.ts";

/**
 * Fetches a folder.
 *
 * @throws {Failure} "not-found" when no peer has it; "disk-full". Failures of single files are in
 * the result.
 */
export async function fetchFolder(
  wanted: WantedFolder,
  destination: Destination,
  parts: FetchParts,
  watch: FetchWatch,
): Promise<Fetched> {
  if (destination.kind === "stream") {
    throw new Failure("usage", "Cannot write a folder to standard output", { hint: "name a single file" });
  }
  const startMs = parts.clock.now();
  const files = await parts.finder.folder(wanted);
  if (files.length === 0) throw new Failure("not-found", `No peer here has a folder "${printable(wanted.name)}"`);
  const chosen = destination.kind === "path" ? await outputFolder(destination.path) : undefined;
  const root = chosen ?? parts.folder.path;
  const cut = chosen === undefined ? 0 : wanted.name.length;
  const plan = await planFolder(files, { root, cut, signal: watch.signal }, parts);
  const tree = new Tree(plan, { root, chosen, parts, watch, startMs });
  await tree.fetch();
  const path = chosen ?? join(root, storedFolder(wanted.name));
  return { ...tree.result(), path, mixedFrom: mixedFrom(files) };
}

/** Where a folder of this name is written. */
function storedFolder(name: string): string {
  try {
    return receivedName(`${name}file`).split("/").slice(0, -1).join("/");
  } catch {
    // Then none of its files can be written either.
    return "";
  }
}

interface TreeContext {
  readonly root: string;
  /**
   * The folder that the person chose, which is then also the `root`; undefined for the shared
   * folder.
   */
  readonly chosen: string | undefined;
  readonly parts: FetchParts;
  readonly watch: FetchWatch;
  readonly startMs: number;
}

/** Files with the same content, which is fetched once. */
interface Group {
  readonly content: SmallFile;
  readonly files: readonly PlannedFile[];
}

/** A folder that is being fetched. */
class Tree {
  readonly #plan: FolderPlan;
  readonly #context: TreeContext;
  readonly #copies: CopiesAt;
  readonly #places: SmallPlaces;
  readonly #sources: Given[] = [];
  readonly #failed: FailedFile[];
  #done: number;
  /** Bytes of large files that were copied from pieces on this machine. */
  #copied = 0;
  #firstMs: number | undefined;

  constructor(plan: FolderPlan, context: TreeContext) {
    this.#plan = plan;
    this.#context = context;
    this.#copies = new CopiesAt(context.root);
    const { root, chosen, parts } = context;
    // The chosen folder may be on another disk.
    this.#places = new SmallPlaces(root, () => chosen ?? parts.folder.incomingPath(undefined));
    this.#failed = [...plan.failed];
    const size = bytesOf(plan.files);
    this.#done = size - bytesOf(plan.missing);
    context.watch.onListed(size);
  }

  async fetch(): Promise<void> {
    await this.#fetchSmall(groupsOf(this.#plan.missing.filter(isSmall)));
    const large = this.#plan.missing.filter((file) => !isSmall(file));
    await overlapping(large, (file, onEnding) => this.#fetchLarge(file, onEnding));
  }

  result(): Omit<Fetched, "path"> {
    const { files, count, missing, failed } = this.#plan;
    return {
      size: bytesOf(files),
      files: count,
      alreadyHere: missing.length === 0 && failed.length === 0,
      sources: mergeGiven(this.#sources),
      firstMs: this.#firstMs,
      failed: this.#failed,
    };
  }

  /**
   * Fetches first what no other transfer fetches. The rest is here by then, and is usually copied.
   */
  async #fetchSmall(groups: readonly Group[]): Promise<void> {
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
    const { parts, watch } = this.#context;
    if (!this.#mayBeHere(group)) return [group];
    const left: PlannedFile[] = [];
    for (const file of group.files) {
      await this.#placing(file, async () => {
        const quiet = { signal: watch.signal, onProgress() {}, onFinishing() {} };
        const copied = await copyTo(file, this.#placeOf(file), parts, quiet);
        if (copied === undefined) left.push(file);
        else this.#done += file.size;
      });
    }
    return left.length === 0 ? [] : [{ ...group, files: left }];
  }

  async #download(groups: readonly Group[], held: HeldTurns): Promise<void> {
    if (groups.length === 0) return;
    const { parts, watch, startMs } = this.#context;
    const byName = new Map(groups.map((group) => [group.content.name, group]));
    const filesOf = (name: string): readonly PlannedFile[] => byName.get(name)?.files ?? [];
    const given = await parts.downloads.downloadSmall(groups.map(({ content }) => content), {
      signal: watch.signal,
      compress: watch.compress,
      onFile: ({ name, root, traits, sources }, bytes, digest) => {
        this.#firstMs ??= parts.clock.now() - startMs;
        for (const file of filesOf(name)) this.#placeSmall(file, { root, traits }, bytes, digest);
        held.release(name);
        this.#report(sources.map(({ peer }) => peer));
      },
      onAsking: (peer) => this.#report([peer], { isAsking: true }),
      onFailed: ({ name }, failure) => {
        for (const file of filesOf(name)) this.#failed.push({ name: file.name, failure });
        held.release(name);
      },
    });
    this.#sources.push(...given);
  }

  #placeSmall(
    planned: PlannedFile,
    arrived: Pick<ArrivedFile, "root" | "traits">,
    bytes: Uint8Array,
    digest: Uint8Array,
  ): void {
    const file = { ...planned, ...arrived };
    const { chosen, parts } = this.#context;
    try {
      // For a file with a root, the plan has already looked.
      if (planned.root !== undefined || !this.#isAt(file)) {
        const placed = this.#places.place(bytes, file.stored, file.traits);
        if (chosen !== undefined) parts.local.note(file.root, join(chosen, placed.name));
        else parts.share.adopt({ ...placed, root: file.root }, digest, placed);
      }
      this.#done += file.size;
    } catch (thrown) {
      this.#fail(file, thrown);
    }
  }

  /** Whether a file is at its place already. Its root was not known before it arrived. */
  #isAt({ stored, size, root }: PlannedFile): boolean {
    for (const copy of this.#copies.of(stored, size)) {
      if ((knownRoot(copy, this.#context.parts) ?? rootOfSmall(copy.path)) === root) return true;
    }
    return false;
  }

  /** Fetches a large file. Calls `onArrived` when all its bytes are here. */
  async #fetchLarge(file: PlannedFile, onArrived: () => void): Promise<void> {
    const { parts, watch } = this.#context;
    let arrived = 0;
    const onFinishing = (): void => {
      if (arrived > 0) return;
      arrived = file.size;
      this.#done += arrived;
      onArrived();
    };
    const copiedBefore = this.#copied;
    const fileWatch: FileWatch = {
      signal: watch.signal,
      compress: watch.compress,
      onProgress: (progress) => {
        this.#copied = copiedBefore + (progress.copied ?? 0);
        watch.onProgress({ ...progress, done: this.#done + progress.done, copied: this.#copied });
      },
      onFinishing,
      onBegun: (begun) => watch.onBegun(begun),
    };
    await this.#placing(file, async () => {
      try {
        const fetched = await fetchTo(wantedFile(file), this.#placeOf(file), parts, fileWatch);
        this.#firstMs ??= fetched.firstMs;
        this.#sources.push(...fetched.sources);
        onFinishing();
      } catch (thrown) {
        this.#done -= arrived;
        throw thrown;
      }
    });
  }

  #placeOf({ stored }: PlannedFile): Place {
    return { name: stored, root: this.#context.chosen };
  }

  /** Does the work of one file. It may fail without the others. */
  async #placing(file: PlannedFile, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (thrown) {
      this.#context.watch.signal.throwIfAborted();
      this.#fail(file, thrown);
    }
  }

  /** Notes why a file is not where it should be. A full disk and a bug end the whole folder. */
  #fail({ name }: PlannedFile, thrown: unknown): void {
    const failure = Failure.from(thrown, "internal", `Cannot download "${printable(name)}"`);
    if (failedWith(failure, "disk-full", "internal") && !failure.remote) throw failure;
    this.#failed.push({ name, failure });
  }

  #report(sources: readonly string[], { isAsking = false } = {}): void {
    this.#context.watch.onProgress({ state: "running", done: this.#done, sources, retries: 0, isAsking });
  }
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

/** A file of a folder as a file that is wanted by itself. */
function wantedFile({ name, size, root, peers }: PlannedFile): WantedFile {
  return { kind: "file", name, size, root, peers, others: 0 };
}

/** Files of equal content together. A file that its owner has not hashed is alone. */
function groupsOf(files: readonly PlannedFile[]): Group[] {
  return Map.groupBy(files, ({ root, name }) => root ?? JSON.stringify([name])).values().flatMap((alike) => {
    const [first] = alike;
    if (first === undefined) return [];
    return [{ content: { ...first, ...mergedHolders(alike) }, files: alike }];
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

function bytesOf(files: readonly PlannedFile[]): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}

/** What each source gave, over all files. */
function mergeGiven(all: readonly Given[]): Given[] {
  const byPeer = new Map<string, Given>();
  for (const { peer, bytes, ms } of all) {
    const before = byPeer.get(peer) ?? { bytes: 0, ms: 0 };
    byPeer.set(peer, { peer, bytes: before.bytes + bytes, ms: before.ms + ms });
  }
  return [...byPeer.values()];
}
