/**
 * The hidden folder with a peer's own state: made, locked for one peer, and made again after
 * another program removed it. Nothing is written into it once the shared folder around it is no
 * longer at its path. Called by folder.ts.
 * @module
 */

import { join } from "node:path";
import { failedWith, Failure } from "../../core/failure.ts";
import { printable } from "../../core/printable.ts";
import { closeFile } from "./close_file.ts";
import { demandFolder, demandPlainFile, isThere } from "./odd_file.ts";
import { STATE_FOLDER } from "./shareable.ts";

/** The state of one shared folder. */
export class StateFolder implements Disposable {
  readonly path: string;
  /** The shared folder's real path. */
  readonly #root: string;
  #notKept: Failure | undefined;
  #lock: Deno.FsFile | undefined;

  /** @param root The shared folder's real path. */
  constructor(root: string) {
    this.#root = root;
    this.path = join(root, STATE_FOLDER);
  }

  /**
   * Makes and locks the state for the first time.
   *
   * @throws {Failure} "folder-in-use" when another peer has it, "no-access" when a pipe or device
   * is in its place.
   */
  open(): void {
    for (const each of [this.path, this.#at("incoming")]) demandFolder(each);
    demandPlainFile(this.#at("lock"));
    this.#take();
  }

  /** Why nothing can be written into it. Undefined when it can. */
  get notKept(): Failure | undefined {
    return this.#notKept;
  }

  /** Whether the shared folder is at its path. */
  isInPlace(): boolean {
    return isRealFolder(this.#root);
  }

  /**
   * Makes the state again, if another program removed it and left the shared folder.
   *
   * @returns Whether the shared folder is at its path. If not, nothing may be written there.
   */
  retake(): boolean {
    if (!this.isInPlace()) return false;
    if (this.#notKept !== undefined || isThere(this.path)) return true;
    this.#release();
    this.#take();
    return true;
  }

  /**
   * Makes sure that something can be written into the state, and makes the state again if needed.
   *
   * @throws {Failure} "no-access" when the shared folder is not at its path.
   */
  demand(): void {
    if (this.retake()) return;
    throw new Failure(
      "no-access",
      `Cannot write in "${printable(this.#root)}": the folder of this peer is not there any more`,
      { hint: "move it back, or start the peer again" },
    );
  }

  /**
   * Repeats what a full disk prevented at the start.
   *
   * @throws {Failure} "folder-in-use".
   */
  takeIfRoom(): void {
    if (failedWith(this.#notKept, "disk-full") && this.isInPlace()) this.#take();
  }

  /**
   * Where unfinished files lie.
   *
   * @throws {Failure} "no-access" when the shared folder is not at its path.
   */
  incoming(): string {
    this.demand();
    return this.#at("incoming");
  }

  /**
   * Sets the time of the lock, which the system reports to a watch of the folder.
   *
   * @returns Whether that is possible.
   */
  touchLock(): boolean {
    try {
      const now = new Date();
      this.#lock?.utimeSync(now, now);
      return this.#lock !== undefined;
    } catch {
      return false;
    }
  }

  [Symbol.dispose](): void {
    this.#release();
  }

  /**
   * Makes the folder and locks it, or notes why that is impossible.
   *
   * @throws {Failure} "folder-in-use".
   */
  #take(): void {
    let lock: Deno.FsFile | undefined;
    try {
      Deno.mkdirSync(this.#at("incoming"), { recursive: true, mode: 0o700 });
      lock = Deno.openSync(this.#at("lock"), { create: true, write: true });
      if (lock.tryLockSync(true)) {
        this.#lock = lock;
        this.#notKept = undefined;
        return;
      }
      lock.close();
    } catch (thrown) {
      lock?.close();
      this.#notKept = Failure.from(thrown, "no-access", `Cannot write in "${printable(this.#root)}"`);
      return;
    }
    throw new Failure("folder-in-use", `Cannot share "${printable(this.#root)}": another peer is running on it`);
  }

  #release(): void {
    const lock = this.#lock;
    if (lock === undefined) return;
    this.#lock = undefined;
    // Closing alone is not enough: a process that is just being started still has a copy of the
    // open file, and with it the lock.
    lock.unlockSync();
    closeFile(lock);
  }

  #at(name: string): string {
    return join(this.path, name);
  }
}

/** Whether there is a folder at a path, and no link anywhere in the path. */
export function isRealFolder(path: string): boolean {
  try {
    return Deno.lstatSync(path).isDirectory && Deno.realPathSync(path) === path;
  } catch {
    return false;
  }
}
