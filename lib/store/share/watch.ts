/**
 * The system's watch of a folder. It gathers the names of what has changed, or "everything" when
 * the system lost count. Called by folder_follower.ts.
 *
 * The system's watcher has a thread that opens whatever an event is about. In a pipe into which
 * nothing is written, that thread hangs. Then no change is reported any more, and a call that
 * closes a watch or opens another one hangs as well.
 * @module
 */

import { Bell } from "../../core/flow/bell.ts";
import { settlesWithin } from "../../core/flow/clock.ts";
import { type Folder, LOCK_NAME } from "../files/folder.ts";
import type { GatheredChange } from "./gathered_change.ts";
import { nameInside } from "../files/inside.ts";

/** How long the system may take to report a change. */
const REPORT_MS_MAX = 5_000;

/** A watched folder. Changes are gathered from the moment it is opened. */
export class FolderWatch {
  readonly #folder: Folder;
  readonly #gathered: GatheredChange;
  readonly #watcher: Deno.FsWatcher;
  readonly #pump: Promise<void>;
  /** When a change of the lock, or a loss, was reported last, and the next such report. */
  #reportedMs = -Infinity;
  readonly #report = new Bell();
  #isLate = false;
  #hasEnded = false;

  private constructor(folder: Folder, gathered: GatheredChange) {
    this.#folder = folder;
    this.#gathered = gathered;
    this.#watcher = Deno.watchFs(folder.path, { recursive: true });
    this.#pump = this.#gather();
  }

  /** Watches a folder. Undefined where there are too many folders for the system to watch. */
  static openIfPossible(folder: Folder, gathered: GatheredChange): FolderWatch | undefined {
    try {
      return new FolderWatch(folder, gathered);
    } catch {
      return undefined;
    }
  }

  /** Whether the system reports changes, as far as {@linkcode check} has found out. */
  get isReporting(): boolean {
    return !this.#isLate && !this.#hasEnded;
  }

  /**
   * Finds out whether the system still reports changes: it touches the lock of the folder and waits
   * for the report.
   *
   * @param sinceMs An earlier report is enough when it came after this moment of
   * `performance.now()`.
   */
  async check(sinceMs = performance.now()): Promise<void> {
    // Where nothing can be written, no pipe can appear.
    if (!this.isReporting || !this.#folder.touchLock() || this.#reportedMs >= sinceMs) return;
    this.#isLate = !await settlesWithin(REPORT_MS_MAX, Promise.race([this.#report.next, this.#pump]));
  }

  /**
   * Closes the watch. A watch that reports nothing is left to the end of the program.
   *
   * @param sinceMs As for {@linkcode check}.
   * @returns Whether it is closed.
   */
  async close(sinceMs?: number): Promise<boolean> {
    await this.check(sinceMs);
    if (this.#isLate) return false;
    try {
      this.#watcher.close();
    } catch (thrown) {
      if (!(thrown instanceof Deno.errors.BadResource)) throw thrown;
    }
    await this.#pump;
    return true;
  }

  async #gather(): Promise<void> {
    try {
      for await (const event of this.#watcher) this.#note(event);
    } catch {
      // The folder itself is gone, or the system gave up.
    }
    this.#hasEnded = true;
  }

  /**
   * Gathers the names that an event is about, or "everything" when the system says that it lost
   * events.
   */
  #note({ paths, kind }: Deno.FsEvent): void {
    const names = paths.flatMap((path) => nameInside(this.#folder.path, path) ?? []);
    const hasLost = paths.length === 0 || kind === "any" || kind === "other";
    // What was lost may be a report of the lock.
    if (hasLost || names.includes(LOCK_NAME)) this.#noteReport();
    if (hasLost) this.#gathered.add("everything");
    else this.#gathered.add(names.filter((name) => this.#folder.mayShare(name)));
  }

  #noteReport(): void {
    this.#isLate = false;
    this.#reportedMs = performance.now();
    this.#report.ring();
  }
}
