/**
 * Tells when something in the folder changed: names, gathered until it is quiet for a moment, or "everything" when the system lost count.
 * Called by share.ts.
 * @module
 */

import { Bell } from "../../core/flow/bell.ts";
import type { Folder } from "../files/folder.ts";
import { nameInside } from "../files/inside.ts";

/** Names, of files or of folders, below which something may have changed. */
export type Change = ReadonlySet<string> | "everything";

/** How long it has to be quiet before a change is told, and the longest that one is kept back. */
const QUIET_MS = 250;
const KEPT_BACK_MS_MAX = 2_000;
/** How long the system may take to report a change. */
const REPORT_MS_MAX = 5_000;
/** More names than this are not worth looking at one by one. */
const NAMES_MAX = 500;

/** A watched folder. What changes is gathered from the moment it is opened. */
export class FolderWatch implements AsyncDisposable {
  readonly #watcher: Deno.FsWatcher;
  readonly #gathered = new GatheredChange();
  readonly #pump: Promise<void>;
  readonly #probe: string;
  #onEvent: () => void = () => {};

  /** Fails: as the system does when it can watch no more folders. */
  constructor(folder: Folder) {
    this.#watcher = Deno.watchFs(folder.path, { recursive: true });
    this.#probe = folder.statePath("lock");
    this.#pump = this.#gather(folder);
  }

  /** The changes, each when it is quiet for a moment, until the watch is closed. */
  async *changes(): AsyncGenerator<Change> {
    while (await this.#gathered.some()) yield this.#gathered.take();
  }

  /** Closes the watch. One that hangs in a pipe would take the whole program along when it is closed, so it is left to the program's end. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#gathered.end();
    if (!await this.#isAlive()) return;
    try {
      this.#watcher.close();
    } catch (thrown) {
      if (!(thrown instanceof Deno.errors.BadResource)) throw thrown;
    }
    await this.#pump;
  }

  /**
   * Whether the system still reports changes: a file of the peer's own is touched to see that. The system's watcher opens what is new, and hangs in a pipe into
   * which nobody writes.
   */
  async #isAlive(): Promise<boolean> {
    const reported = new Promise<boolean>((resolve) => this.#onEvent = () => resolve(true));
    try {
      const now = new Date();
      Deno.utimeSync(this.#probe, now, now);
    } catch {
      // Where nothing can be written, no pipe can appear.
      return true;
    }
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<boolean>((resolve) => timer = setTimeout(() => resolve(false), REPORT_MS_MAX));
    const ended = this.#pump.then(() => true);
    const isAlive = await Promise.race([reported, ended, late]);
    clearTimeout(timer);
    return isAlive;
  }

  async #gather(folder: Folder): Promise<void> {
    try {
      for await (const event of this.#watcher) {
        this.#onEvent();
        this.#gathered.add(namesOf(folder, event));
      }
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
  readonly #wake = new Bell();

  add(names: readonly string[] | "everything"): void {
    if (names.length === 0) return;
    this.#lastMs = performance.now();
    if (this.#isEmpty()) this.#firstMs = this.#lastMs;
    if (names === "everything") this.#everything = true;
    else names.forEach((name) => this.#names.add(name));
    if (this.#names.size > NAMES_MAX) this.#everything = true;
    if (this.#everything) this.#names.clear();
    this.#wake.ring();
  }

  end(): void {
    this.#ended = true;
    this.#wake.ring();
  }

  /** Resolves when there is something to tell and it is quiet: true; or at the end: false. */
  async some(): Promise<boolean> {
    while (!this.#ended) {
      if (this.#isEmpty()) {
        await this.#wake.next;
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
