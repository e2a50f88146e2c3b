/**
 * The shared folder on disk: made, locked for one peer, and opened file by file without ever
 * leaving it. Everything in lib/store calls it, and nothing else opens a shared file.
 *
 * Resolving and opening are synchronous: six awaited calls took half a millisecond a file, which is
 * most of the time that a small file takes.
 * @module
 */

import { basename, dirname, join, resolve } from "node:path";
import { Failure } from "../../core/failure.ts";
import { printable } from "../../core/printable.ts";
import { closeFile } from "./close_file.ts";
import { nameInside } from "./inside.ts";
import { isOfInbox, isShareable, STATE_FOLDER } from "./shareable.ts";
import { StateFolder } from "./state_folder.ts";
import { isExecutable } from "./traits.ts";

/** A file that is open for reading, and its properties when it was opened. */
export interface OpenFile extends Disposable {
  readonly file: Deno.FsFile;
  readonly size: number;
  /** Milliseconds since 1970, negative before. */
  readonly modified: number;
  readonly executable: boolean;
  /** When the system noted the last change of any kind. Undefined where it does not. */
  readonly changed: number | undefined;
  /** Whether the path still leads to a file with the same size and time. */
  isUnchanged(): boolean;
}

/** The relative name of the file that is locked while a peer runs on a folder. */
export const LOCK_NAME = `${STATE_FOLDER}/lock`;

/** A folder that only this process shares. */
export class Folder implements Disposable {
  /** The folder's real path, without links. */
  readonly path: string;
  /** Whether the folder was just made. */
  readonly made: boolean;
  /**
   * Other files that are shared, wherever they are: their real paths by name. Only share.ts changes
   * them.
   */
  elsewhere: ReadonlyMap<string, string>;
  /** Whether the files that others put into the inbox are also shared. */
  sharesInbox = false;
  readonly #state: StateFolder;

  private constructor(path: string, made: boolean, elsewhere: ReadonlyMap<string, string>) {
    this.path = path;
    this.made = made;
    this.elsewhere = elsewhere;
    this.#state = new StateFolder(path);
  }

  /**
   * Opens a folder, and makes it when only its last component is missing. A folder that cannot be
   * written can still be shared.
   *
   * @throws {Failure} "not-found" when its parent is also missing or it is no folder,
   * "folder-in-use" when another peer has it, "no-access" when a pipe or device is in the place of
   * its state.
   */
  static async open(path: string, elsewhere: ReadonlyMap<string, string> = new Map()): Promise<Folder> {
    const made = await makeFolder(path);
    const root = await Deno.realPath(path);
    if (!(await Deno.stat(root)).isDirectory) {
      throw new Failure("usage", `Cannot share "${printable(path)}": it is not a folder`, {
        hint: "name a folder: all files in it are shared",
      });
    }
    const folder = new Folder(root, made, elsewhere);
    folder.#state.open();
    return folder;
  }

  /** Why nothing can be written into the folder. Undefined when it can. */
  get notKept(): Failure | undefined {
    return this.#state.notKept;
  }

  /** Notes which text `identity.pem` has. A folder with another one is another peer's. */
  noteIdentity(text: string): void {
    this.#state.noteIdentity(text);
  }

  /**
   * Whether a folder of this peer is at its path. If not, no file of that path is shared, and
   * nothing is written there. A link at the path leads elsewhere, and counts as nothing.
   */
  isInPlace(): boolean {
    return this.#state.isInPlace();
  }

  /**
   * Makes and locks the state again where another program removed or replaced it.
   *
   * @returns What {@linkcode isInPlace} returns then.
   */
  retakeState(): boolean {
    return this.#state.retake();
  }

  /**
   * Makes sure that the state can be written. Called before every file of it is made.
   *
   * @throws {Failure} "no-access" when no folder of this peer is at its path.
   */
  demandState(): void {
    this.#state.demand();
  }

  /**
   * Sets the time of the lock, which the system reports to a watch of the folder.
   *
   * @returns Whether that is possible.
   */
  touchLock(): boolean {
    return this.#state.touchLock();
  }

  /** A path inside the peer's own state. */
  statePath(...components: string[]): string {
    return join(this.#state.path, ...components);
  }

  /**
   * Where a file lies until it is whole: in the folder's own state, or beside its place where the
   * state cannot be written or the folder is not at its path.
   *
   * @param root The folder that the file goes to, if it is another one.
   * @throws {Failure} "no-access" or "disk-full" when the file goes into this folder and it cannot
   * be written, and "no-access" when this folder is not at its path.
   */
  incomingPath(root: string | undefined): string {
    this.#state.takeIfRoom();
    const { notKept } = this;
    const elsewhere = root === this.path ? undefined : root;
    if (elsewhere !== undefined && (notKept !== undefined || !this.retakeState())) return elsewhere;
    if (notKept === undefined) return this.#state.incoming();
    throw new Failure(notKept.code, notKept.message, {
      cause: notKept,
      hint: "choose another place with --output PATH",
    });
  }

  /**
   * Where a relative name is in the folder. Not checked: only for names from the scan or
   * `receivedName`.
   */
  pathOf(name: string): string {
    return join(this.path, ...name.split("/"));
  }

  /**
   * The real path behind a shared name.
   *
   * @throws {Failure} "not-shared" when it is gone, is no plain file, or lies outside the folder or
   * in its hidden parts, by any link.
   */
  realPathOf(name: string): string {
    const refuse = (why: string): Failure => new Failure("not-shared", `Cannot send "${printable(name)}": ${why}`);
    if (!this.mayShare(name) || name.split("/").includes("..")) throw refuse("it is not shared");
    const elsewhere = this.elsewhere.get(name);
    let path: string;
    try {
      path = Deno.realPathSync(elsewhere ?? this.pathOf(name));
    } catch (thrown) {
      if (thrown instanceof Deno.errors.NotFound) throw refuse("it is gone");
      throw Failure.from(thrown, "not-shared", `Cannot send "${printable(name)}"`);
    }
    // A file that a person listed is shared as it was then, wherever it is. A link put in its place
    // is not.
    if (elsewhere === undefined ? !this.shares(path) : path !== elsewhere) {
      throw refuse("it is outside the shared folder");
    }
    return path;
  }

  /**
   * Opens a shared file for reading. The path is resolved before and again after opening, so that a
   * link put in its place in between does not count.
   *
   * @throws {Failure} "not-shared", "no-access".
   */
  openShared(name: string): OpenFile {
    const path = this.realPathOf(name);
    const before = Deno.lstatSync(path);
    if (!before.isFile) throw new Failure("not-shared", `Cannot send "${printable(name)}": it is not a file`);
    let file: Deno.FsFile;
    try {
      file = Deno.openSync(path);
    } catch (thrown) {
      throw Failure.from(thrown, "not-shared", `Cannot send "${printable(name)}"`);
    }
    try {
      const info = file.statSync();
      const after = Deno.lstatSync(this.realPathOf(name));
      if (info.ino !== after.ino || info.dev !== after.dev || after.isSymlink) {
        throw new Failure("not-shared", `Cannot send "${printable(name)}": it was replaced just now`);
      }
      return openFile(path, file, info);
    } catch (thrown) {
      closeFile(file);
      throw thrown;
    }
  }

  /** Whether a relative name would be shared if there were such a file. */
  mayShare(name: string): boolean {
    return isShareable(name) && (this.sharesInbox || !isOfInbox(name) || this.elsewhere.has(name));
  }

  /** Whether a real path is a file's place inside the folder that may be shared under that name. */
  shares(realPath: string): boolean {
    const name = nameInside(this.path, realPath);
    return name !== undefined && this.mayShare(name);
  }

  [Symbol.dispose](): void {
    this.#state[Symbol.dispose]();
  }
}

/**
 * Opens a file that the person at the keyboard named, wherever it is. Links are followed, since
 * they are the person's own.
 *
 * @throws {Failure} "not-found", "no-access", or "usage" when it is no file.
 */
export function openNamed(path: string): OpenFile & { readonly path: string } {
  try {
    const real = Deno.realPathSync(path);
    // Checked before: opening a pipe waits until another program writes into it.
    if (Deno.statSync(real).isFile) {
      const file = Deno.openSync(real);
      return { ...openFile(real, file, file.statSync()), path: real };
    }
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) {
      throw new Failure("not-found", `There is no file "${printable(path)}"`, {
        hint: "check the spelling of the path",
      });
    }
    throw Failure.from(thrown, "no-access", `Cannot open "${printable(path)}"`);
  }
  throw new Failure("usage", `Cannot open "${printable(path)}": it is not a file`);
}

function openFile(path: string, file: Deno.FsFile, info: Deno.FileInfo): OpenFile {
  const { size, mtime, ctime } = info;
  const isUnchanged = (): boolean => {
    const now = statIfThere(path);
    return now?.size === size && now.mtime?.getTime() === mtime?.getTime();
  };
  return {
    file,
    size,
    modified: mtime?.getTime() ?? 0,
    changed: ctime?.getTime(),
    executable: isExecutable(info),
    isUnchanged,
    [Symbol.dispose]: () => closeFile(file),
  };
}

function statIfThere(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch {
    return undefined;
  }
}

async function makeFolder(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return false;
  } catch (thrown) {
    if (!(thrown instanceof Deno.errors.NotFound)) {
      throw Failure.from(thrown, "not-found", `Cannot share "${printable(path)}"`);
    }
  }
  try {
    await Deno.mkdir(path);
    return true;
  } catch (thrown) {
    if (!(thrown instanceof Deno.errors.NotFound)) {
      throw Failure.from(thrown, "no-access", `Cannot make "${printable(path)}"`);
    }
    throw new Failure(
      "not-found",
      `Cannot make the folder "${printable(basename(path))}": there is no "${printable(dirname(resolve(path)))}"`,
      {
        hint: "check the spelling of the path",
        cause: thrown,
      },
    );
  }
}
