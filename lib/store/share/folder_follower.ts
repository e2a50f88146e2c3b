/**
 * Finds out what may have changed in a shared folder while its peer runs: from the system's watch,
 * and by looking at everything now and then. It also notices when the folder itself is gone or was
 * replaced, and then watches the new one. Called by share.ts.
 * @module
 */

import { waited } from "../../core/flow/clock.ts";
import type { Folder } from "../files/folder.ts";
import { type Change, GatheredChange } from "./gathered_change.ts";
import { isThere } from "../files/odd_file.ts";
import { FolderWatch } from "./watch.ts";

/** How often the folder itself is looked for. */
const FOLDER_EVERY_MS = 1_000;
/** How often a watch is checked. */
const CHECK_EVERY_MS = 10_000;
/** How often the whole folder is looked at, for changes that the system did not report. */
const RESCAN_MS = 300_000;
/** How often the whole folder is looked at when the system reports no changes at all. */
const RESCAN_UNWATCHED_MS = 5_000;
/** A file that changed this recently is probably still being written. */
export const SETTLE_MS = 1_000;

/** Stands for a folder that is not at its path, also when a link is there. */
const GONE = "gone";

/**
 * What became of the folder: there is none at its path any more, there is another one, or there is
 * one that belongs to another peer.
 */
export type FolderFate = "folder-gone" | "folder-new" | "folder-foreign";

/** The reactions to a finding. */
export interface FollowerHooks {
  /** Looks at what may have changed. The next change is reported after this has resolved. */
  readonly look: (change: Change) => Promise<void>;
  readonly onFolder: (fate: FolderFate) => void;
}

/** Follows one folder. */
export class FolderFollower implements AsyncDisposable {
  readonly #folder: Folder;
  readonly #follows: boolean;
  readonly #gathered = new GatheredChange();
  /** Files that are still being written. */
  readonly #unsettled = new Set<string>();
  readonly #closing = new AbortController();
  #watch: FolderWatch | undefined;
  /** Whether a watch can be opened: the system can do it, and the last watch is closed. */
  #canWatch: boolean;
  #identity: string | undefined;
  /** Whether the folder that was last seen at the path was this peer's. */
  #isOurs = true;
  /** When the folder was last seen unchanged. */
  #seenMs = performance.now();

  /**
   * Watches the folder at once, so that no change between its first scan and {@linkcode run} is
   * missed.
   *
   * @param options.follows Whether changes are noticed at once. If not, the folder is only looked
   * at every few minutes.
   */
  constructor(folder: Folder, { follows }: { readonly follows: boolean }) {
    this.#folder = folder;
    this.#follows = follows;
    this.#canWatch = follows;
    this.#identity = identityOf(folder.path);
    this.#openWatch();
  }

  /** Follows the folder until the follower is closed. */
  async run(hooks: FollowerHooks): Promise<void> {
    await Promise.all([this.#lookAtChanges(hooks), this.#superviseFolder(hooks)]);
  }

  /** Reports a file once more when it may be complete. */
  lookLater(name: string): void {
    this.#unsettled.add(name);
    if (this.#unsettled.size > 1) return;
    waited(SETTLE_MS, this.#closing.signal).then(() => {
      this.#gathered.add([...this.#unsettled]);
      this.#unsettled.clear();
    });
  }

  /** Ends {@linkcode run}, which may still look at a change. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#gathered.end();
    await this.#watch?.close();
  }

  async #lookAtChanges({ look }: FollowerHooks): Promise<void> {
    while (await this.#gathered.some()) await look(this.#gathered.take());
  }

  async #superviseFolder({ onFolder }: FollowerHooks): Promise<void> {
    let checkedMs = performance.now();
    let scannedMs = checkedMs;
    while (await waited(FOLDER_EVERY_MS, this.#closing.signal)) {
      const fate = await this.#seeToFolder();
      if (fate !== undefined) onFolder(fate);
      if (isDue(checkedMs, CHECK_EVERY_MS)) {
        await this.#watch?.check();
        checkedMs = performance.now();
      }
      if (fate !== undefined || isDue(scannedMs, this.#rescanMs())) {
        this.#gathered.add("everything");
        scannedMs = performance.now();
      }
    }
  }

  #rescanMs(): number {
    return this.#follows && this.#watch?.isReporting !== true ? RESCAN_UNWATCHED_MS : RESCAN_MS;
  }

  /**
   * Watches the folder again when it is another one. Only a new folder, or one with the lock of
   * another peer, is locked again: in every other folder without a lock, a person may be about to
   * remove everything.
   *
   * @returns What became of the folder, if anything did.
   */
  async #seeToFolder(): Promise<FolderFate | undefined> {
    const identity = identityOf(this.#folder.path);
    this.#identity ??= identity;
    const isNew = identity !== undefined && identity !== this.#identity;
    if (isNew) {
      this.#identity = identity;
      await this.#closeWatch();
    } else this.#seenMs = performance.now();
    if (identity === undefined || identity === GONE) return isNew ? "folder-gone" : undefined;
    const isOurs = (!isNew && this.#folder.isInPlace()) || this.#folder.retakeState();
    if (!isNew && isOurs === this.#isOurs) return undefined;
    this.#isOurs = isOurs;
    if (!isOurs) return "folder-foreign";
    this.#openWatch();
    return "folder-new";
  }

  #openWatch(): void {
    if (!this.#canWatch || this.#watch !== undefined || this.#closing.signal.aborted) return;
    this.#watch = FolderWatch.openIfPossible(this.#folder, this.#gathered);
    // A folder that has just gone can be watched when it is back.
    this.#canWatch = this.#watch !== undefined || !isThere(this.#folder.path);
  }

  /**
   * Closes the watch of a folder that is gone. When the system has reported the end of the lock, it
   * still reports changes.
   */
  async #closeWatch(): Promise<void> {
    if (this.#watch === undefined) return;
    this.#canWatch = await this.#watch.close(this.#seenMs);
    if (this.#canWatch) this.#watch = undefined;
  }
}

/**
 * What tells a folder from another one that lies at the same path later, or `GONE`. Undefined when
 * the system cannot tell: a folder may be there.
 */
function identityOf(path: string): string | undefined {
  try {
    const { isDirectory, dev, ino, birthtime } = Deno.lstatSync(path);
    // Some file systems give the number of a removed folder to the next one.
    return isDirectory && Deno.realPathSync(path) === path ? `${dev} ${ino} ${birthtime?.getTime()}` : GONE;
  } catch (thrown) {
    return thrown instanceof Deno.errors.NotFound || thrown instanceof Deno.errors.NotADirectory ? GONE : undefined;
  }
}

function isDue(lastMs: number, everyMs: number): boolean {
  return performance.now() - lastMs >= everyMs;
}
