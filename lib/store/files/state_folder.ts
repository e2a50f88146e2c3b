/**
 * The hidden folder with a peer's own state: made, locked for one peer, and made or locked again
 * after another program removed or replaced it. Nothing is written into it once the shared folder
 * around it is no longer at its path, or belongs to another peer. Called by folder.ts.
 * @module
 */

import { join } from "node:path";
import { failedWith, Failure } from "../../core/failure.ts";
import { printable } from "../../core/printable.ts";
import { utf8Bytes } from "../../core/utf8.ts";
import { closeFile } from "./close_file.ts";
import { demandFolder, demandPlainFile, isThere, notA, oddKindAt } from "./odd_file.ts";
import { STATE_FOLDER } from "./shareable.ts";

/** The state of one shared folder. */
export class StateFolder implements Disposable {
  readonly path: string;
  /** The shared folder's real path. */
  readonly #root: string;
  #notKept: Failure | undefined;
  #lock: Deno.FsFile | undefined;
  /** The state's real path when it was locked. Its owner may have put a link there before. */
  #realPath: string | undefined;
  /** The same of the folder for unfinished files. */
  #incoming: string | undefined;
  /** The text of `identity.pem`, once there is one. */
  #identity: string | undefined;
  /** Whether the state at the path was found to be another peer's. */
  #isForeign = false;

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

  /** Notes which text `identity.pem` has. A state with another one is another peer's. */
  noteIdentity(text: string): void {
    this.#identity = text;
  }

  /** Whether the shared folder is at its path, and its state is not another peer's. */
  isInPlace(): boolean {
    return isRealFolder(this.#root) && !this.#isForeign && this.#lockThere() !== "other";
  }

  /**
   * Makes and locks the state again, if another program removed or replaced it.
   *
   * @returns Whether the shared folder is at its path, with this peer's state. If not, nothing may
   * be written there.
   */
  retake(): boolean {
    if (!isRealFolder(this.#root)) return false;
    if (this.#isForeign || this.#lockThere() !== "ours") this.#isForeign = this.#isOfAnother() || !this.#lockAgain();
    return !this.#isForeign;
  }

  /**
   * Makes sure that something can be written into the state, and makes the state again if needed.
   *
   * @throws {Failure} "no-access" when {@linkcode retake} finds no state of this peer.
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
   * The folder for unfinished files. It is made again, if another program removed it.
   *
   * @throws {Failure} "no-access" when the shared folder is not at its path, or something else is
   * in the place of the folder for unfinished files. "disk-full".
   */
  incoming(): string {
    this.demand();
    const path = this.#at("incoming");
    if (this.#isIncomingAt(path)) return path;
    const kind = oddKindAt(path) ?? "a file";
    if (isThere(path)) throw notA("folder", path, Deno.lstatSync(path).isSymlink ? "a link" : kind);
    try {
      Deno.mkdirSync(path, { mode: 0o700 });
    } catch (thrown) {
      throw Failure.from(thrown, "no-access", `Cannot make "${printable(path)}"`);
    }
    this.#incoming = Deno.realPathSync(path);
    return path;
  }

  /** Whether there is a folder, or the link that its owner had put there before the start. */
  #isIncomingAt(path: string): boolean {
    try {
      const info = Deno.lstatSync(path);
      return info.isDirectory || (info.isSymlink && Deno.realPathSync(path) === this.#incoming);
    } catch {
      return false;
    }
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
    release(this.#lock);
    this.#lock = undefined;
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
        this.#realPath = Deno.realPathSync(this.path);
        this.#incoming = Deno.realPathSync(this.#at("incoming"));
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

  /**
   * Locks the state at the path, and gives up the lock of the one before.
   *
   * @returns Whether no other peer has it.
   */
  #lockAgain(): boolean {
    if (this.#notKept !== undefined || this.#lockThere() === "ours") return true;
    const before = this.#lock;
    this.#lock = undefined;
    try {
      this.#take();
    } catch (thrown) {
      this.#lock = before;
      if (failedWith(thrown, "folder-in-use")) return false;
      throw thrown;
    }
    release(before);
    return true;
  }

  /** Whether the lock at the path is the one that this peer has. */
  #lockThere(): "ours" | "other" | "none" {
    if (this.#lock === undefined) return "none";
    try {
      const [ours, there] = [this.#lock.statSync(), Deno.lstatSync(this.#at("lock"))];
      return there.ino === ours.ino && there.dev === ours.dev ? "ours" : "other";
    } catch {
      return "none";
    }
  }

  /** Whether the state at the path has another identity, or is nothing that a peer makes. */
  #isOfAnother(): boolean {
    try {
      if (!isThere(this.path)) return false;
      if (!Deno.lstatSync(this.path).isDirectory && Deno.realPathSync(this.path) !== this.#realPath) return true;
      // Opening a pipe would wait for ever.
      if (isThere(this.#at("lock")) && !Deno.lstatSync(this.#at("lock")).isFile) return true;
      return isThere(this.#at("identity.pem")) && !this.#hasOurIdentity();
    } catch {
      return true;
    }
  }

  #hasOurIdentity(): boolean {
    if (this.#identity === undefined) return true;
    const path = this.#at("identity.pem");
    const { isFile, size } = Deno.statSync(path);
    return isFile && size === utf8Bytes(this.#identity) && Deno.readTextFileSync(path) === this.#identity;
  }

  #at(name: string): string {
    return join(this.path, name);
  }
}

function release(lock: Deno.FsFile | undefined): void {
  if (lock === undefined) return;
  // Closing alone is not enough: a process that is just being started still has a copy of the open
  // file, and with it the lock.
  lock.unlockSync();
  closeFile(lock);
}

/** Whether there is a folder at a path, and no link anywhere in the path. */
export function isRealFolder(path: string): boolean {
  try {
    return Deno.lstatSync(path).isDirectory && Deno.realPathSync(path) === path;
  } catch {
    return false;
  }
}
