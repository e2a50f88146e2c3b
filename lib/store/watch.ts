/**
 * Tells when something in the folder changed: names, gathered until it is quiet for a moment, or "everything" when the system lost count.
 * Called by share.ts.
 * @module
 */

import { relative, SEPARATOR } from "@std/path";
import type { Folder } from "./folder.ts";
import { isShareable } from "./shareable.ts";

/** Names, of files or of folders, below which something may have changed. */
export type Change = ReadonlySet<string> | "everything";

/** How long it has to be quiet before a change is told, and the longest that one is kept back. */
const QUIET_MS = 250;
const KEPT_BACK_MS_MAX = 2_000;
/** More names than this are not worth looking at one by one. */
const NAMES_MAX = 500;

/** Watches until the signal. Fails: as the system does when it can watch no more folders. */
export async function* watchFolder(folder: Folder, signal: AbortSignal): AsyncGenerator<Change> {
  using watcher = Deno.watchFs(folder.path, { recursive: true });
  const gathered = new GatheredChange();
  const stop = (): void => {
    watcher.close();
    gathered.end();
  };
  if (signal.aborted) return;
  signal.addEventListener("abort", stop, { once: true });
  const pump = (async () => {
    for await (const event of watcher) gathered.add(namesOf(folder, event));
  })().catch(() => gathered.end());
  while (await gathered.some()) yield gathered.take();
  await pump;
}

/** The names an event is about; "everything" when the system says that it lost events. */
function namesOf(folder: Folder, event: Deno.FsEvent): readonly string[] | "everything" {
  if (event.paths.length === 0 || event.kind === "any" || event.kind === "other") return "everything";
  return event.paths.map((path) => relative(folder.path, path).replaceAll(SEPARATOR, "/")).filter(isShareable);
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
