/**
 * Finds pieces of a wanted file in the shared files of this machine, so that they are copied and
 * not fetched. Digests are read from the database, file by file: none are kept in memory. Called by
 * lib/transfer.
 * @module
 */

import { DIGEST_BYTES } from "../../core/content.ts";
import { Failure } from "../../core/failure.ts";
import { nextTurn } from "../../core/flow/clock.ts";
import type { PieceSet } from "../../core/piece_set.ts";
import { isNamedLike } from "../files/copies_at.ts";
import type { OpenFile } from "../files/folder.ts";
import type { State } from "../state/state.ts";
import type { SharedFile } from "./file_list.ts";
import { likelyFiles } from "./likely_files.ts";
import { type EqualPiece, PieceLookUp } from "./piece_lookup.ts";
import type { Share } from "./share.ts";

/** How long a look-up may take: the download waits for it. */
const LOOK_MS = 250;
/** Digests that are compared for each missing piece: as many take less time than to fetch it. */
const DIGESTS_PER_PIECE = 64;
/** Digests that are compared, and files that are looked at, before the event loop gets a turn. */
const SLICE_DIGESTS = 8_192;
const SLICE_FILES = 64;

/** What is wanted: a file's name and digests, and what is here of it. */
export interface WantedPieces {
  readonly name: string;
  readonly digests: Uint8Array;
  readonly here: PieceSet;
}

/** A wanted piece, and where it is on this machine. */
export interface LocalPiece extends EqualPiece {
  readonly file: SharedFile;
}

/** The pieces of the shared files. */
export class LocalPieces {
  readonly #share: Pick<Share, "files" | "open" | "distrust">;
  readonly #state: Pick<State, "digestsOf">;

  constructor(share: Pick<Share, "files" | "open" | "distrust">, state: Pick<State, "digestsOf">) {
    this.#share = share;
    this.#state = state;
  }

  /**
   * Where the missing pieces of a file are on this machine, in the order in which a disk reads them
   * best. What a file is said to have may no longer be there.
   */
  async find({ name, digests, here }: WantedPieces): Promise<LocalPiece[]> {
    const missing = here.count - here.size;
    const lookUp = new PieceLookUp(digests, here);
    const found: LocalPiece[] = [];
    const endMs = performance.now() + LOOK_MS;
    let left = missing * DIGESTS_PER_PIECE;
    for (const [index, file] of likelyFiles(this.#share.files, name, missing).entries()) {
      if (index % SLICE_FILES === SLICE_FILES - 1) await nextTurn();
      const known = this.#state.digestsOf(file.name, file.root) ?? new Uint8Array(0);
      for (let first = 0; first * DIGEST_BYTES < known.length; first += SLICE_DIGESTS) {
        if (first > 0) await nextTurn();
        if (lookUp.isDone || left <= 0 || performance.now() > endMs) return found;
        const compared = known.subarray(first * DIGEST_BYTES, (first + SLICE_DIGESTS) * DIGEST_BYTES);
        for (const equal of lookUp.take(compared, first)) found.push({ ...equal, file });
        left -= compared.length / DIGEST_BYTES;
      }
    }
    return found;
  }

  /** Whether another version of the file may be shared here, because a file is named like it. */
  mayHaveVersion(name: string): boolean {
    const [likeliest] = likelyFiles(this.#share.files, name, 1);
    return likeliest !== undefined && isNamedLike(likeliest.name, name);
  }

  /** Opens a file. Undefined when it is gone, was changed or cannot be read. */
  open(file: SharedFile): OpenFile | undefined {
    try {
      return this.#share.open(file);
    } catch (thrown) {
      if (thrown instanceof Failure) return undefined;
      throw thrown;
    }
  }

  /** Hashes a file again that has other bytes than its digests say. */
  distrust(file: SharedFile): void {
    this.#share.distrust(file);
  }
}
