/**
 * Gathers what may have changed in a folder until it is quiet for a moment, so that a burst of events is looked at once. Filled by watch.ts and folder_follower.ts,
 * emptied by folder_follower.ts.
 * @module
 */

import { Bell } from "../../core/flow/bell.ts";

/** Names, of files or of folders, below which something may have changed. */
export type Change = ReadonlySet<string> | "everything";

/** How long it has to be quiet before a change is told, and the longest that one is kept back. */
const QUIET_MS = 250;
const KEPT_BACK_MS_MAX = 2_000;
/** More names than this are not worth looking at one by one. */
const NAMES_MAX = 500;

/** What has been reported and not yet been looked at. */
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

  /** Says that nothing is added any more. */
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

  /** Hands over what was gathered; gathering begins again. */
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
