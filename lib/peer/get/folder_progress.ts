/**
 * How far a folder is: what is here, what came from whom, and what could not be fetched. Called by
 * fetch_folder.ts and fetch_small.ts.
 * @module
 */

import { failedWith, Failure } from "../../core/failure.ts";
import { printable } from "../../core/printable.ts";
import type { Given } from "../../transfer/content/watch.ts";
import type { FailedFile, FetchParts, FetchWatch } from "./fetching.ts";
import type { PlannedFile } from "./folder_plan.ts";

/** Where the files of a folder go, and for whom. */
export interface FolderContext {
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

/** How far a folder is. */
export class FolderProgress {
  readonly failed: FailedFile[];
  /** Bytes that are here. */
  done: number;
  /** Bytes of large files that were copied from pieces on this machine. */
  copied = 0;
  readonly #context: FolderContext;
  readonly #sources: Given[] = [];
  #firstMs: number | undefined;

  constructor(
    context: FolderContext,
    { done, failed }: { readonly done: number; readonly failed: readonly FailedFile[] },
  ) {
    this.#context = context;
    this.done = done;
    this.failed = [...failed];
  }

  /** Time from the request to the first verified bytes. */
  get firstMs(): number | undefined {
    return this.#firstMs;
  }

  /** Notes that verified bytes are here, by default now. */
  began(firstMs: number | undefined = this.#context.parts.clock.now() - this.#context.startMs): void {
    this.#firstMs ??= firstMs;
  }

  /** What each source gave, over all files. */
  get sources(): Given[] {
    const byPeer = new Map<string, Given>();
    for (const { peer, bytes, ms } of this.#sources) {
      const before = byPeer.get(peer) ?? { bytes: 0, ms: 0 };
      byPeer.set(peer, { peer, bytes: before.bytes + bytes, ms: before.ms + ms });
    }
    return [...byPeer.values()];
  }

  /** Notes what sources gave. */
  gave(given: readonly Given[]): void {
    this.#sources.push(...given);
  }

  /** Does the work of one file. It may fail without the others. */
  async placing(file: PlannedFile, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (thrown) {
      this.#context.watch.signal.throwIfAborted();
      this.fail(file, thrown);
    }
  }

  /** Notes why a file is not where it should be. A full disk and a bug end the whole folder. */
  fail({ name }: PlannedFile, thrown: unknown): void {
    const failure = Failure.from(thrown, "internal", `Cannot download "${printable(name)}"`);
    if (failedWith(failure, "disk-full", "internal") && !failure.remote) throw failure;
    this.failed.push({ name, failure });
  }

  /** Reports how far it is, and whom it comes from. */
  report(sources: readonly string[], { isAsking = false } = {}): void {
    this.#context.watch.onProgress({ state: "running", done: this.done, sources, retries: 0, isAsking });
  }
}
