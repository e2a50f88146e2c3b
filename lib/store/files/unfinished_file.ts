/**
 * A file on its way in: written beside its place, piece by verified piece, and moved into the
 * folder when it is whole. The file is its own journal. Its pieces are found by hashing it, so no
 * record about it can be out of date. Called by lib/peer/get and lib/peer/inbox.
 * @module
 */

import { readFull, writeAll } from "../../core/bytes.ts";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { digestOf, PIECE_BYTES, pieceCount, pieceRange, sameBytes } from "../../core/content.ts";
import { failedWith, Failure } from "../../core/failure.ts";
import { printable } from "../../core/printable.ts";
import { PieceSet } from "../../core/piece_set.ts";
import { rangeBytes } from "../../core/range.ts";
import type { Folder, OpenFile } from "./folder.ts";
import { closeFile } from "./close_file.ts";
import { isHole } from "./holes.ts";
import { setAside } from "./odd_file.ts";
import { isPlaced, placeAnywhere } from "./place.ts";
import { keepTraits, type Traits } from "./traits.ts";

/** The content that arrives. Without a root until its owner has hashed it. */
interface Content {
  readonly name: string;
  readonly size: number;
  readonly root?: string | undefined;
  /**
   * The id of the peer that puts it here. Two peers that put the same content write different
   * files, and a download writes another one.
   */
  readonly sender?: string | undefined;
}

/** An unfinished file, open for writing. Closing it keeps its bytes. */
export class UnfinishedFile implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #path: string;
  /** The beginning of a failure's message, with the folder on the disk. */
  readonly #doing: string;
  #writing: Promise<void> = Promise.resolve();
  /**
   * Up to here there may be bytes of an earlier attempt or another content. After it there is
   * nothing, or what this download verified.
   */
  #oldBytes: number;
  #bytes: number;

  private constructor(file: Deno.FsFile, path: string, root: string) {
    this.#file = file;
    this.#bytes = this.#oldBytes = file.statSync().size;
    this.#path = path;
    this.#doing = `Cannot write in "${printable(root)}"`;
  }

  /**
   * Opens the unfinished file of a content, with what an earlier attempt left. A file without a
   * known root lies under its name and size. Once the root is known, that file is used.
   *
   * @param root The folder that the file goes to, if it is another one.
   */
  static async open(folder: Folder, content: Content, root?: string): Promise<UnfinishedFile> {
    const { byName, path } = pathsOf(folder.incomingPath(root), content);
    try {
      if (path !== byName && await exists(byName) && !(await exists(path))) await Deno.rename(byName, path);
      await makeWay(path);
      return new UnfinishedFile(
        await Deno.open(path, { create: true, read: true, write: true }),
        path,
        root ?? folder.path,
      );
    } catch (thrown) {
      throw Failure.from(thrown, "no-access", `Cannot write in "${printable(folder.path)}"`);
    }
  }

  /** Whether an earlier attempt has left nothing. */
  get isNew(): boolean {
    return this.#bytes === 0;
  }

  /** Deletes what is kept of a content that nobody is downloading. */
  static async discard(folder: Folder, content: Content): Promise<void> {
    if (folder.notKept !== undefined) return;
    let incoming: string;
    try {
      incoming = folder.incomingPath(undefined);
    } catch (thrown) {
      // What is not where it was written cannot be deleted.
      if (failedWith(thrown, "no-access", "disk-full")) return;
      throw thrown;
    }
    for (const path of new Set(Object.values(pathsOf(incoming, content)))) {
      if (await exists(path)) await Deno.remove(path);
    }
  }

  /**
   * Reads the pieces that are there already and compares them with their digests.
   *
   * @param digestOfPiece Resolves to a digest as soon as it is known.
   * @param onChecked Called with the bytes that have been compared so far.
   * @returns The pieces that match.
   */
  async verified(
    digestOfPiece: (index: number) => Promise<Uint8Array>,
    size: number,
    onChecked: (bytes: number) => void,
  ): Promise<PieceSet> {
    const present = new PieceSet(pieceCount(size));
    this.#oldBytes = (await this.#file.stat()).size;
    const written = Math.min(this.#oldBytes, size);
    const buffer = new Uint8Array(PIECE_BYTES);
    await this.#file.seek(0, Deno.SeekMode.Start);
    for (let index = 0; index < pieceCount(size); index++) {
      const range = pieceRange(index, size);
      if (range.end > written) break;
      const piece = buffer.subarray(0, rangeBytes(range));
      if (await readFull(this.#file, piece) < piece.length) {
        throw new Failure("file-changed", "The unfinished file was changed by another program");
      }
      if (sameBytes(digestOf(piece), await digestOfPiece(index))) present.add(index);
      onChecked(range.end);
    }
    return present;
  }

  /** Opens the file once more, so that others can read it. Only verified pieces may be read. */
  openForReading(size: number): OpenFile {
    const file = Deno.openSync(this.#path);
    return {
      file,
      size,
      modified: 0,
      executable: false,
      changed: undefined,
      isUnchanged: () => true,
      [Symbol.dispose]: () => closeFile(file),
    };
  }

  /**
   * Writes verified bytes at their place. All writes follow each other.
   *
   * @throws {Failure} "disk-full", "no-access".
   */
  write(offset: number, bytes: Uint8Array): Promise<void> {
    const written = this.#writing.then(async () => {
      try {
        await this.#put(offset, bytes);
      } catch (thrown) {
        throw Failure.from(thrown, "no-access", this.#doing);
      }
    });
    this.#writing = written.catch(() => {});
    return written;
  }

  /**
   * Makes sure that the bytes are on the disk, and moves the file to its place.
   *
   * @param root The real path of the folder, on any disk.
   * @param name What `receivedName` gave.
   * @returns The name below the folder that the file got.
   */
  async finish(root: string, name: string, size: number, traits: Traits = {}): Promise<string> {
    await this.#seal(size, traits);
    return await placeAnywhere(this.#path, root, name);
  }

  /** Deletes what is there. */
  async discard(): Promise<void> {
    await this.#writing;
    this[Symbol.dispose]();
    if (await exists(this.#path)) await Deno.remove(this.#path);
  }

  [Symbol.dispose](): void {
    closeFile(this.#file);
  }

  async #put(offset: number, bytes: Uint8Array): Promise<void> {
    const end = offset + bytes.length;
    if (offset >= this.#oldBytes && isHole(bytes)) {
      if (end > this.#bytes) await this.#file.truncate(end);
    } else {
      this.#file.seekSync(offset, Deno.SeekMode.Start);
      await writeAll(this.#file, bytes);
    }
    this.#bytes = Math.max(this.#bytes, end);
  }

  /** Nothing counts as finished before the system confirms that it is on the disk. */
  async #seal(size: number, traits: Traits): Promise<void> {
    await this.#writing;
    try {
      await this.#file.truncate(size);
      await this.#file.syncData();
    } catch (thrown) {
      throw Failure.from(thrown, "no-access", this.#doing);
    }
    this[Symbol.dispose]();
    keepTraits(this.#path, traits);
  }
}

/** Where a content is kept until it is whole, and where it is kept until its root is known. */
function pathsOf(incoming: string, { name, size, root, sender }: Content): { path: string; byName: string } {
  if (sender !== undefined) {
    const putId = createHash("sha256").update(JSON.stringify([sender, root, size])).digest("hex");
    const path = join(incoming, `${putId}.put`);
    return { path, byName: path };
  }
  const nameId = createHash("sha256").update(JSON.stringify([name, size])).digest("hex");
  const byName = join(incoming, `${nameId}.unhashed`);
  return { byName, path: root === undefined ? byName : join(incoming, root) };
}

/**
 * Moves away what is no file, and removes this name of a file that has a second one. A run was then
 * killed after it had placed the file and before it removed this name. Writing here would change
 * the placed file, which belongs to the person by now.
 */
async function makeWay(path: string): Promise<void> {
  if (!await exists(path)) return;
  const info = await Deno.lstat(path);
  if (!info.isFile) setAside(path);
  else if (isPlaced(info)) await Deno.remove(path);
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound || thrown instanceof Deno.errors.NotADirectory) return false;
    throw thrown;
  }
}
