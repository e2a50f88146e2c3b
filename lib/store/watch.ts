/**
 * Tells when something in the folder changed: names, gathered until it is quiet for a moment, or "everything" when the system lost count.
 * Called by share.ts.
 * @module
 */

import type { Folder } from "./folder.ts";
import { nameInside } from "./inside.ts";

/** Names, of files or of folders, below which something may have changed. */
export type Change = ReadonlySet<string> | "everything";

/** How long it has to be quiet before a change is told, and the longest that one is kept back. */
const QUIET_MS = 250;
const KEPT_BACK_MS_MAX = 2_000;
/** More names than this are not worth looking at one by one. */
const NAMES_MAX = 500;

/** A watched folder. What changes is gathered from the moment it is opened. */
export class FolderWatch implements AsyncDisposable {
  readonly #watcher: Deno.FsWatcher;
  readonly #gathered = new GatheredChange();
  readonly #pump: Promise<void>;

  /** Fails: as the system does when it can watch no more folders. */
  constructor(folder: Folder) {
    this.#watcher = Deno.watchFs(folder.path, { recursive: true });
    this.#pump = this.#gather(folder);
  }

  /** The changes, each when it is quiet for a moment, until the watch is closed. */
  async *changes(): AsyncGenerator<Change> {
    while (await this.#gathered.some()) yield this.#gathered.take();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#gathered.end();
    try {
      this.#watcher.close();
    } catch (thrown) {
      if (!(thrown instanceof Deno.errors.BadResource)) throw thrown;
    }
    await this.#pump;
  }

  async #gather(folder: Folder): Promise<void> {
    try {
      for await (const event of this.#watcher) this.#gathered.add(namesOf(folder, event));
    } catch {
      // The folder itself is gone, or the system gave up: whoever reads the changes learns that there are no more.
    }
    this.#gathered.end();
  }
}

/** The names an event is about; "everything" when the system says that it lost events. */
function namesOf(folder: Folder, event: Deno.FsEvent): readonly string[] | "everything" {
  if (event.paths.length === 0 || event.kind === "any" || event.kind === "other") return "everything";
  return event.paths.flatMap((path) => nameInside(folder.path, path) ?? []).filter((name) => folder.mayShare(name));
}

class GatheredChange {
  #names = new Set<string>();
  #everything = false;
  #ended = false;
  #firstMs = 0;
  #lastMs = 0;
  #wake = Promise.withResolvers<void>();

  add(names: readonly string[] | "everything"): void {
    if (names.length === 0) return;
    this.#lastMs = performance.now();
    if (this.#isEmpty()) this.#firstMs = this.#lastMs;
    if (names === "everything") this.#everything = true;
    else names.forEach((name) => this.#names.add(name));
    if (this.#names.size > NAMES_MAX) this.#everything = true;
    if (this.#everything) this.#names.clear();
    this.#wake.resolve();
  }

  end(): void {
    this.#ended = true;
    this.#wake.resolve();
  }

  /** Resolves when there is something to tell and it is quiet: true; or at the end: false. */
  async some(): Promise<boolean> {
    while (!this.#ended) {
      if (this.#isEmpty()) {
        this.#wake = Promise.withResolvers();
        await this.#wake.promise;
        continue;
      }
      const now = performance.now();
      const due = Math.min(this.#lastMs + QUIET_MS, this.#firstMs + KEPT_BACK_MS_MAX);
      if (now >= due) return true;
      await new Promise((resolve) => setTimeout(resolve, due - now));
    }
    return false;
  }

  take(): Change {
    const change = this.#everything ? "everything" : this.#names;
    this.#names = new Set();
    this.#everything = false;
    return change;
  }

  #isEmpty(): boolean {
    return !this.#everything && this.#names.size === 0;
  }
}

/** A watch, or undefined where there are too many folders for the system to watch. */
export function watchIfPossible(folder: Folder): FolderWatch | undefined {
  try {
    return new FolderWatch(folder);
  } catch {
    return undefined;
  }
}
