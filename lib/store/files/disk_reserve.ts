/**
 * Room that a peer keeps on its disk for its own database: a file that really uses its blocks.
 * Asking the system how much room a disk has would need another permission. Called by
 * lib/peer/inbox/inbox.ts, which accepts files from others only while the reserve exists.
 * @module
 */

import { Failure } from "../../core/failure.ts";
import { DISK_RESERVE_BYTES } from "../../core/limits.ts";
import { printable } from "../../core/printable.ts";
import type { Folder } from "./folder.ts";
import { removeIfPossible } from "./remove_if_possible.ts";

const BLOCK_BYTES = 64 * 1024;

/** One such file. */
export class DiskReserve {
  readonly #folder: Folder;
  readonly #path: string;

  /** @param folder The shared folder with the state that the room is kept for. */
  constructor(folder: Folder) {
    this.#folder = folder;
    this.#path = folder.statePath("reserve");
  }

  /**
   * Makes sure that the reserve exists. It is made only where as much again is free, so that a
   * reserve that was just released is not taken again at once.
   *
   * @throws {Failure} "disk-full", "no-access".
   */
  hold(): void {
    this.#folder.demandState();
    try {
      if (sizeOf(this.#path) === DISK_RESERVE_BYTES) return;
      using file = Deno.openSync(this.#path, { create: true, write: true, truncate: true });
      // Random bytes, so that a disk that compresses needs as much room.
      const block = crypto.getRandomValues(new Uint8Array(BLOCK_BYTES));
      for (let done = 0; done < 2 * DISK_RESERVE_BYTES;) done += file.writeSync(block);
      file.truncateSync(DISK_RESERVE_BYTES);
    } catch (thrown) {
      this.release();
      throw Failure.from(thrown, "no-access", `Cannot keep room for "${printable(this.#path)}"`);
    }
  }

  /** Gives the room back to the disk, so that the peer's own writes fit. */
  release(): void {
    if (this.#folder.isInPlace()) removeIfPossible(this.#path);
  }
}

function sizeOf(path: string): number | undefined {
  try {
    return Deno.lstatSync(path).size;
  } catch {
    return undefined;
  }
}
