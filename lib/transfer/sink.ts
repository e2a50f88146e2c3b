/**
 * Where verified bytes go: an unfinished file, or a stream such as standard output.
 * @module
 */

import { pieceCount, pieceRange, sameBytes } from "../core/content.ts";
import { Failure } from "../core/failure.ts";
import { type Range, rangeBytes } from "../core/range.ts";
import { writeAll } from "../net/byte_stream.ts";
import type { UnfinishedFile } from "../store/files/unfinished_file.ts";
import type { PieceList } from "./piece_list.ts";
import type { DownloadState } from "./plan/plan_state.ts";

/** Takes the pieces of one file. */
export interface Sink {
  /** In which order it wants them. */
  readonly order: DownloadState["order"];
  /** What is there from an earlier attempt, compared with the list. `onChecked` is told the bytes looked at. */
  verified(list: PieceList, onChecked: (bytes: number) => void): Promise<Range[]>;
  /** Takes the verified bytes of a piece that belong at `offset`. Resolves when the buffer may be used again. */
  write(offset: number, bytes: Uint8Array): Promise<void>;
  /** Resolves when all that was taken has been written. */
  flush(): Promise<void>;
}

/** Into a file, which may hold pieces from before. */
export function fileSink(file: UnfinishedFile): Sink {
  return {
    order: "rarest-first",
    verified: (list, onChecked) => file.verified((index) => list.digest(index), list.size, onChecked),
    write: (offset, bytes) => file.write(offset, bytes),
    flush: () => Promise.resolve(),
  };
}

/**
 * Into a stream, in order: a piece that comes too soon waits in memory, of which plan.ts bounds how much. What has gone into the
 * stream cannot be taken back, so another source's list has to agree with the one that it was verified against.
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
    async verified(list) {
      const there = [
        { start: 0, end: taken },
        ...Array.from(early, ([start, { length }]) => {
          return { start, end: start + length };
        }),
      ].filter((range) => rangeBytes(range) > 0);
      for (let index = 0; index < pieceCount(list.size); index++) {
        const piece = pieceRange(index, list.size);
        if (!there.some((range) => range.start <= piece.start && piece.end <= range.end)) continue;
        const before = await verifiedBy?.digest(index);
        if (before !== undefined && !sameBytes(before, await list.digest(index))) {
          throw new Failure("file-changed", "The file has changed since its first part was written out");
        }
      }
      verifiedBy = list;
      return there;
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
