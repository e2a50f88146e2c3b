/**
 * What a peer shares now. Files are listed at once by name, size and time, get their roots as the
 * background hashing continues, and stay current while the folder changes. Called by lib/peer,
 * which tells the index and serves other peers.
 * @module
 */

import { settlesWithin } from "../../core/flow/clock.ts";
import { DIGEST_BYTES, pieceCount } from "../../core/content.ts";
import { failedWith, Failure } from "../../core/failure.ts";
import { PIECES_WAIT_MS } from "../../core/limits.ts";
import { printable } from "../../core/printable.ts";
import { FileList, type KnownPieces, sameVersion, type SharedFile } from "./file_list.ts";
import type { Folder, OpenFile } from "../files/folder.ts";
import { FolderFollower, SETTLE_MS } from "./folder_follower.ts";
import type { Change } from "./gathered_change.ts";
import type { HashResult } from "./hash_job.ts";
import { Hashing } from "./hashing.ts";
import { ListedReader } from "./listed_read.ts";
import { pieceFits } from "./piece_check.ts";
import { removeFile } from "./remove_file.ts";
import type { FoundFile } from "../files/found_file.ts";
import { lookAt, scan } from "./scan.ts";
import type { HashedFile, State } from "../state/state.ts";
import { type ShareTrouble, Troubles } from "./troubles.ts";

/** The files of one folder. */
export class Share implements AsyncDisposable {
  readonly #folder: Folder;
  readonly #state: State;
  /** Opened before the first scan, so that no change between the two is missed. */
  readonly #follower: FolderFollower;
  readonly #reader: ListedReader;
  readonly #files = new FileList();
  readonly #hashing: Hashing;
  readonly #troubles = new Troubles();
  readonly #closing = new AbortController();
  #onChange: (names: readonly string[]) => void = () => {};
  readonly #onUnnamable = (name: string): void => this.#troubles.tell("unnamable", name);
  /** What goes on in the background. All of it ends before the database closes. */
  readonly #background = new Set<Promise<void>>();

  private constructor(folder: Folder, state: State, follows: boolean) {
    this.#folder = folder;
    this.#state = state;
    this.#reader = new ListedReader(folder);
    this.#hashing = new Hashing({
      cores: navigator.hardwareConcurrency,
      pathOf: (file) => folder.realPathOf(file.name),
      onHashed: (file, result) => this.#hashed(file, result),
      onFailed: (file, failure) => this.#notHashed(file, failure),
    });
    this.#follower = new FolderFollower(folder, { follows });
  }

  /**
   * Lists the folder.
   *
   * @param options.follows Whether changes are noticed at once (default: yes). If not, the folder
   * is only looked at every few minutes.
   */
  static async open(folder: Folder, state: State, { follows = true }: { follows?: boolean } = {}): Promise<Share> {
    const share = new Share(folder, state, follows);
    const hashed = new Map(state.hashedFiles().map((file) => [file.name, file]));
    for await (const found of scan(folder, "", share.#onUnnamable)) {
      for (const file of found) {
        const known = hashed.get(file.name);
        share.#put(known !== undefined && sameVersion(known, file) ? { ...file, root: known.root } : file);
        // It was changed while nobody looked, so its bytes may differ with the same size and time.
        if (known !== undefined && known.changed !== file.changed) share.#hashing.add(file);
        hashed.delete(file.name);
      }
    }
    state.forgetPieces([...hashed.keys()]);
    return share;
  }

  /**
   * Begins to hash and to follow changes, until the share is closed. `onChange` is called with the
   * names of files that came, went, changed or got their root. `onTrouble` is called with problems
   * for the owner.
   */
  start(onChange: (names: readonly string[]) => void, onTrouble: (trouble: ShareTrouble) => void = () => {}): void {
    this.#onChange = onChange;
    this.#troubles.listen(onTrouble);
    this.#goOn(this.#follower.run({
      look: (change) => this.#look(change),
      onFolder: (fate) => this.#troubles.tellFate(fate, this.#folder.path),
    }));
    this.#hashing.goOn();
  }

  /** What is shared now. */
  get files(): Omit<FileList, "put" | "drop"> {
    return this.#files;
  }

  /** How much of a file is hashed, from 0 to 1. Undefined while it waits for its turn. */
  hashedPart(file: SharedFile): number | undefined {
    if (file.root !== undefined) return 1;
    const job = this.#hashing.jobOf(file.name);
    return job && job.digests.length / DIGEST_BYTES / Math.max(1, pieceCount(file.size));
  }

  /**
   * Opens a file for reading.
   *
   * @throws {Failure} "not-shared", or "file-changed" when it is no longer what is listed.
   */
  open(file: SharedFile): OpenFile {
    const opened = this.#folder.openShared(file.name);
    if (sameVersion(opened, file)) return opened;
    opened[Symbol.dispose]();
    this.#goOn(this.#look(new Set([file.name])));
    throw changed(file.name);
  }

  /** Notes that another peer downloads, until this is disposed of: then hashing can wait. */
  serve(): Disposable {
    return this.#hashing.serve();
  }

  /**
   * Reads a small file whole.
   *
   * @returns Undefined when it has to be opened with {@linkcode open}.
   */
  read(file: SharedFile): Uint8Array<ArrayBuffer> | undefined {
    return this.#reader.read(file);
  }

  /**
   * The digests of a file from number `from` on. Asking for a file that is not hashed yet moves it
   * to the front. The result is then what is known, after a moment's wait if that is nothing.
   *
   * @throws {Failure} "file-changed".
   */
  async pieces(file: SharedFile, from: number): Promise<KnownPieces> {
    const start = from * DIGEST_BYTES;
    if (file.root !== undefined) {
      const digests = this.#state.digestsOf(file.name, file.root);
      if (digests !== undefined) return { file, digests: digests.subarray(start) };
    }
    const job = this.#hashing.hurry(file);
    const deadlineMs = performance.now() + PIECES_WAIT_MS;
    while (job.digests.length <= start && !job.ended && performance.now() < deadlineMs) {
      await settlesWithin(deadlineMs - performance.now(), job.news);
    }
    if (job.ended) {
      await job.done.catch((failure) => {
        throw failedWith(failure, "file-changed") ? changed(file.name) : failure;
      });
    }
    const now = this.#files.get(file.name);
    if (now === undefined || !sameVersion(now, file)) throw changed(file.name);
    return { file: now, digests: job.digests.slice(start) };
  }

  /**
   * Adds a file that was just written, with its known pieces. When another version is at its place,
   * that one is hashed.
   *
   * @param found The file as it was seen at its place. Default: as it is there now.
   */
  adopt(file: HashedFile, digests: Uint8Array, found = lookAt(this.#folder, file.name).file): void {
    if (found === undefined || !this.#folder.mayShare(found.name)) return;
    const { root } = file;
    if (sameVersion(found, file)) {
      this.#state.putPieces([{ ...found, root, digests }]);
      this.#put({ ...found, root });
    } else {
      this.#put(found);
      this.#hashing.goOn();
    }
    this.#onChange([file.name]);
  }

  /**
   * Compares a piece of every copy of a content with its digest, because a peer got bytes that do
   * not match. A copy that no longer matches has no root until it is hashed again.
   */
  async doubt(root: string, index: number): Promise<void> {
    for (const file of this.#files.copiesOf(root)) {
      const digests = this.#state.digestsOf(file.name, root);
      if (digests === undefined || await pieceFits(this.#folder, file, digests, index)) continue;
      this.distrust(file);
    }
  }

  /**
   * Removes the root of a file when its bytes no longer match, reports this to the owner, and
   * hashes the file again.
   */
  distrust({ root: _, ...unknown }: SharedFile): void {
    this.#state.forgetPieces([unknown.name]);
    this.#put(unknown);
    this.#troubles.tell("other-bytes", unknown.name);
    this.#onChange([unknown.name]);
    this.#hashing.goOn();
  }

  /**
   * Shares these files besides those of the folder, instead of the ones before.
   *
   * @param elsewhere Real paths by name.
   */
  async shareElsewhere(elsewhere: ReadonlyMap<string, string>): Promise<void> {
    const before = this.#folder.elsewhere;
    const all = [...before.keys(), ...elsewhere.keys()];
    const names = new Set(all.filter((name) => before.get(name) !== elsewhere.get(name)));
    this.#folder.elsewhere = elsewhere;
    // Another file under the same name may have the same size and time.
    const gone = [...names].filter((name) => this.#files.get(name) !== undefined);
    for (const name of gone) this.#drop(name);
    this.#state.forgetPieces(gone);
    if (gone.length > 0) this.#onChange(gone);
    await this.#look(names);
  }

  /** The real path of a file. @throws {Failure} "not-shared". */
  pathOf(file: SharedFile): string {
    return this.#folder.realPathOf(file.name);
  }

  /**
   * Deletes a file of the folder, which is then no longer shared.
   *
   * @throws {Failure} What `removeFile` throws.
   */
  remove(file: FoundFile): void {
    removeFile(this.#folder, file);
    if (this.#files.get(file.name) === undefined) return;
    this.#drop(file.name);
    this.#state.forgetPieces([file.name]);
    this.#onChange([file.name]);
  }

  /** Stops following and hashing. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Failure("closed", "The peer is closing"));
    this.#hashing[Symbol.dispose]();
    await this.#follower[Symbol.asyncDispose]();
    await Promise.all(this.#background);
  }

  #goOn(work: Promise<void>): void {
    const ended = work.finally(() => this.#background.delete(ended));
    this.#background.add(ended);
  }

  #put(file: SharedFile): void {
    this.#hashing.drop(file.name);
    this.#files.put(file);
    if (file.root === undefined) this.#hashing.add(file);
  }

  #drop(name: string): void {
    this.#hashing.drop(name);
    this.#files.drop(name);
  }

  /** Looks at what may have changed, and updates the list. */
  async #look(change: Change): Promise<void> {
    const changed: string[] = [];
    const roots = change === "everything" ? [""] : change;
    for (const root of roots) {
      const gone = new Set(this.#files.namesBelow(root));
      for await (const found of scan(this.#folder, root, this.#onUnnamable)) {
        if (this.#closing.signal.aborted) return;
        for (const file of found) {
          gone.delete(file.name);
          if (this.#take(file)) changed.push(file.name);
        }
      }
      for (const name of gone) this.#drop(name);
      this.#state.forgetPieces([...gone]);
      changed.push(...gone);
    }
    if (changed.length > 0) this.#onChange(changed);
    this.#hashing.goOn();
  }

  /** Updates the list with one file as it was found. @returns Whether that changed anything. */
  #take(found: FoundFile): boolean {
    const known = this.#files.get(found.name);
    if (known !== undefined && sameVersion(known, found)) {
      const { root, changed } = known;
      if (changed === found.changed && known.executable === found.executable && known.inode === found.inode) {
        return false;
      }
      this.#files.put(root === undefined ? found : { ...found, root });
      if (changed !== found.changed) this.#hashing.add(found);
      return false;
    }
    const age = Date.now() - found.modified;
    if (age >= 0 && age < SETTLE_MS) {
      this.#follower.lookLater(found.name);
      return false;
    }
    this.#put(found);
    return true;
  }

  #notHashed(file: SharedFile, failure: unknown): void {
    // The file changed or is gone: the watcher reports that.
    if (failedWith(failure, "not-shared") && lookAt(this.#folder, file.name).file !== undefined) {
      this.#troubles.tell("unreadable", file.name);
    }
  }

  #hashed(file: SharedFile, { root, digests, ...version }: HashResult): void {
    const now = this.#files.get(file.name);
    if (now === undefined || !sameVersion(now, version)) return;
    const hashed = { ...now, ...version, root };
    this.#state.putPieces([{ ...hashed, digests }]);
    this.#put(hashed);
    // A file that was changed meanwhile has to be looked at once more.
    if (now.changed !== file.changed) this.#hashing.add(hashed);
    if (now.root === root) return;
    if (now.root !== undefined) this.#troubles.tell("other-bytes", file.name);
    this.#onChange([file.name]);
  }
}

function changed(name: string): Failure {
  return new Failure("file-changed", `Cannot send "${printable(name)}": it has changed since it was listed`);
}
