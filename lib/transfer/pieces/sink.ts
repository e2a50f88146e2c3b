/**
 * Where verified bytes go: an unfinished file, or a stream such as standard output.
 * @module
 */

import { writeAll } from "../../core/bytes.ts";
import { pieceCount, pieceRange, sameBytes } from "../../core/content.ts";
import { Failure } from "../../core/failure.ts";
import { PieceSet } from "../../core/piece_set.ts";
import type { OpenFile } from "../../store/files/folder.ts";
import type { UnfinishedFile } from "../../store/files/unfinished_file.ts";
import type { PieceList } from "./piece_list.ts";
import type { DownloadState } from "../plan/plan_state.ts";

/** Takes the pieces of one file. */
export interface Sink {
  /** In which order it needs them. */
  readonly order: DownloadState["order"];
  /** Whether nothing is there from an earlier attempt. */
  readonly isNew: boolean;
  /**
   * Compares what is there from an earlier attempt with the list.
   *
   * @param onChecked Called with the bytes that have been compared.
   * @returns The pieces that are there and match.
   */
  verified(list: PieceList, onChecked: (bytes: number) => void): Promise<PieceSet>;
  /**
   * Writes the verified bytes of a piece at `offset`. Resolves when the buffer may be used again.
   */
  write(offset: number, bytes: Uint8Array): Promise<void>;
  /** Resolves when everything that it was given has been written. */
  flush(): Promise<void>;
  /**
   * Opens what is there of a file of `size` bytes, so that other peers can read it. Not possible
   * with a stream.
   */
  readonly open?: ((size: number) => OpenFile) | undefined;
}

/** A sink into a file, which may already hold pieces. */
export function fileSink(file: UnfinishedFile): Sink {
  return {
    order: "rarest-first",
    isNew: file.isNew,
    verified: (list, onChecked) => file.verified((index) => list.digest(index), list.size, onChecked),
    write: (offset, bytes) => file.write(offset, bytes),
    flush: () => Promise.resolve(),
    open: (size) => file.openForReading(size),
  };
}

/**
 * A sink into a stream, which needs its pieces in order. A piece that comes too early waits in
 * memory; plan.ts limits how many do. What the stream has received cannot be taken back, so the
 * list of another source has to agree with the list against which it was verified.
 */
export function streamSink(stream: { write(bytes: Uint8Array): Promise<number> }): Sink {
  const early = new Map<number, Uint8Array>();
  let taken = 0;
  let writing: Promise<void> = Promise.resolve();
  let verifiedBy: PieceList | undefined;
  const append = (bytes: Uint8Array): Promise<void> => {
    taken += bytes.length;
    const written = writing.then(() => writeOut(stream, bytes));
    writing = written.catch(() => {});
    return written;
  };
  return {
    order: "in-order",
    isNew: true,
    async verified(list) {
      const here = new PieceSet(pieceCount(list.size));
      for (let index = 0; index < here.count; index++) {
        const { start, end } = pieceRange(index, list.size);
        if (end > taken && !early.has(start)) continue;
        const before = await verifiedBy?.digest(index);
        if (before !== undefined && !sameBytes(before, await list.digest(index))) {
          throw new Failure("file-changed", "The file has changed since its first part was written out");
        }
        here.add(index);
      }
      verifiedBy = list;
      return here;
    },
    async write(offset, bytes) {
      if (offset > taken) return void early.set(offset, bytes.slice());
      if (offset < taken) return;
      const written = [append(bytes)];
      for (let next = early.get(taken); next !== undefined; next = early.get(taken)) {
        early.delete(taken);
        written.push(append(next));
      }
      await Promise.all(written);
    },
    flush: () => writing,
  };
}

async function writeOut(stream: { write(bytes: Uint8Array): Promise<number> }, bytes: Uint8Array): Promise<void> {
  try {
    await writeAll(stream, bytes);
  } catch (thrown) {
    throw Failure.from(thrown, "cancelled", "Cannot write on: the output was closed");
  }
}
