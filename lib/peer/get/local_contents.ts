/**
 * Where contents are on this machine: in the shared folder, and at the places to which this peer
 * has downloaded. A content that is here is copied, not fetched. Called by fetch_file.ts,
 * fetch_folder.ts and copy_here.ts.
 * @module
 */

import { BoundedMap } from "../../core/bounded_map.ts";
import { PLACED_REMEMBERED_MAX } from "../../core/limits.ts";
import { Failure } from "../../core/failure.ts";
import type { SharedFile } from "../../store/share/file_list.ts";
import { type OpenFile, openNamed } from "../../store/files/folder.ts";
import type { Share } from "../../store/share/share.ts";

/** Copies by content. Places outside the shared folder are remembered while the peer runs. */
export class LocalContents {
  readonly #share: Share;
  readonly #placed = new BoundedMap<string, string>(PLACED_REMEMBERED_MAX);

  constructor(share: Share) {
    this.#share = share;
  }

  /** Remembers that a content was placed outside the folder, at an absolute path. */
  note(root: string, path: string): void {
    this.#placed.set(root, path);
  }

  /** Whether a copy may be on this machine. */
  mayHave(root: string): boolean {
    return this.#placed.has(root) || this.#share.files.byRoot(root) !== undefined;
  }

  /**
   * The shared files of a content that can be opened and have not changed since they were hashed.
   */
  *shared(root: string): Generator<SharedFile> {
    for (const file of this.#share.files.copiesOf(root)) if (this.#open(file)) yield file;
  }

  /** Opens the copies of a content, one after the other. The caller closes each. */
  *open(root: string): Generator<OpenFile> {
    for (const file of this.#share.files.copiesOf(root)) {
      const open = ifPossible(() => this.#share.open(file));
      if (open !== undefined) yield open;
    }
    const path = this.#placed.get(root);
    const open = path === undefined ? undefined : ifPossible(() => openNamed(path));
    if (open !== undefined) yield open;
  }

  #open(file: SharedFile): boolean {
    const open = ifPossible(() => this.#share.open(file));
    open?.[Symbol.dispose]();
    // A file that was touched since then may be damaged, whatever its size and time. It counts when
    // it is hashed again.
    return open !== undefined && open.changed === file.changed;
  }
}

/** Opens a copy; undefined when it cannot be opened. */
function ifPossible<T>(open: () => T): T | undefined {
  try {
    return open();
  } catch (thrown) {
    if (thrown instanceof Failure) return undefined;
    throw thrown;
  }
}
