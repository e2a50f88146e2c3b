/**
 * Gathers what may have changed in a folder until it is quiet for a moment, so that a burst of
 * events is looked at once. watch.ts and folder_follower.ts fill it, folder_follower.ts empties it.
 * @module
 */

import { Bell } from "../../core/flow/bell.ts";

/** Names, of files or folders, below which something may have changed. */
export type Change = ReadonlySet<string> | "everything";

/** How long it has to be quiet before a change is reported, and the longest delay of a report. */
const QUIET_MS = 250;
const KEPT_BACK_MS_MAX = 2_000;
/** With more names than this, looking at the whole folder is faster. */
const NAMES_MAX = 500;

/** What has been reported and not yet looked at. */
export class GatheredChange {
  #names = new Set<string>();
  #everything = false;
  #ended = false;
  #firstMs = 0;
  #lastMs = 0;
  readonly #wake = new Bell();

  /** Adds names below which something may have changed. */
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

  /** Notes that nothing more will be added. */
  end(): void {
    this.#ended = true;
    this.#wake.ring();
  }

  /**
   * Resolves when there is something to report and it is quiet, or at the end.
   *
   * @returns False at the end.
   */
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

  /** Gives out what was gathered. Gathering begins again. */
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
