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
import { Failure } from "../../core/failure.ts";
import { overlapping } from "../../core/flow/overlapping.ts";
import { printable } from "../../core/printable.ts";
import { receivedName } from "../../store/files/received_name.ts";
import { isSmall } from "../../transfer/small/small_file.ts";
import type { WantedFile, WantedFolder } from "../find/wanted.ts";
import { fetchTo } from "./fetch_file.ts";
import { fetchSmall } from "./fetch_small.ts";
import type { Destination, Fetched, FetchParts, FetchWatch, FileWatch } from "./fetching.ts";
import { type FolderPlan, mixedFrom, planFolder, type PlannedFile } from "./folder_plan.ts";
import { type FolderContext, FolderProgress } from "./folder_progress.ts";
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
  const { tree, path, mixedFrom } = await planned(wanted, destination, parts, watch);
  await tree.fetch();
  return { ...tree.result(), path, mixedFrom };
}

/** Lists and plans a folder. What the index said about its files is not kept. */
async function planned(
  wanted: WantedFolder,
  destination: Destination,
  parts: FetchParts,
  watch: FetchWatch,
): Promise<{ readonly tree: Tree; readonly path: string; readonly mixedFrom: string[] }> {
  const startMs = parts.clock.now();
  const files = await parts.finder.folder(wanted);
  if (files.length === 0) throw new Failure("not-found", `No peer here has a folder "${printable(wanted.name)}"`);
  const chosen = destination.kind === "path" ? await outputFolder(destination.path) : undefined;
  const root = chosen ?? parts.folder.path;
  const cut = chosen === undefined ? 0 : wanted.name.length;
  const plan = await planFolder(files, { root, cut, signal: watch.signal }, parts);
  return {
    tree: new Tree(plan, { root, chosen, parts, watch, startMs }),
    path: chosen ?? join(root, storedFolder(wanted.name)),
    mixedFrom: mixedFrom(files),
  };
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

/** A folder that is being fetched. */
class Tree {
  readonly #context: FolderContext;
  readonly #progress: FolderProgress;
  readonly #size: number;
  readonly #files: number;
  readonly #isHere: boolean;
  readonly #small: PlannedFile[];
  readonly #large: readonly PlannedFile[];

  /** Takes from the plan what is missing, and keeps nothing of the files that are here. */
  constructor({ files, count, missing, failed }: FolderPlan, context: FolderContext) {
    this.#context = context;
    this.#size = bytesOf(files);
    this.#files = count;
    this.#isHere = missing.length === 0 && failed.length === 0;
    this.#small = missing.filter(isSmall);
    this.#large = missing.filter((file) => !isSmall(file));
    this.#progress = new FolderProgress(context, { done: this.#size - bytesOf(missing), failed });
    context.watch.onListed(this.#size);
  }

  async fetch(): Promise<void> {
    await fetchSmall(this.#small, this.#context, this.#progress);
    await overlapping(this.#large, (file, onEnding) => this.#fetchLarge(file, onEnding));
  }

  result(): Omit<Fetched, "path"> {
    return {
      size: this.#size,
      files: this.#files,
      alreadyHere: this.#isHere,
      sources: this.#progress.sources,
      firstMs: this.#progress.firstMs,
      failed: this.#progress.failed,
    };
  }

  /** Fetches a large file. Calls `onArrived` when all its bytes are here. */
  async #fetchLarge(file: PlannedFile, onArrived: () => void): Promise<void> {
    const { parts, watch, chosen } = this.#context;
    const progress = this.#progress;
    let arrived = 0;
    const onFinishing = (): void => {
      if (arrived > 0) return;
      arrived = file.size;
      progress.done += arrived;
      onArrived();
    };
    const copiedBefore = progress.copied;
    const fileWatch: FileWatch = {
      signal: watch.signal,
      compress: watch.compress,
      onProgress: (now) => {
        progress.copied = copiedBefore + (now.copied ?? 0);
        watch.onProgress({ ...now, done: progress.done + now.done, copied: progress.copied });
      },
      onFinishing,
      onBegun: (begun) => watch.onBegun(begun),
    };
    await progress.placing(file, async () => {
      try {
        const fetched = await fetchTo(wantedFile(file), { name: file.stored, root: chosen }, parts, fileWatch);
        progress.began(fetched.firstMs);
        progress.gave(fetched.sources);
        onFinishing();
      } catch (thrown) {
        progress.done -= arrived;
        throw thrown;
      }
    });
  }
}

/** A file of a folder as a file that is wanted by itself. */
function wantedFile({ name, size, root, peers }: PlannedFile): WantedFile {
  return { kind: "file", name, size, root, peers, others: 0 };
}

function bytesOf(files: readonly PlannedFile[]): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}
