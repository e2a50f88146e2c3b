/**
 * Where verified bytes go: an unfinished file, or a stream such as standard output.
 * @module
 */

import { pieceCount, sameBytes } from "../core/content.ts";
import { Failure } from "../core/failure.ts";
import type { Range } from "../core/range.ts";
import type { UnfinishedFile } from "../store/unfinished_file.ts";
import type { PieceList } from "./piece_list.ts";

/** Takes the pieces of one file. */
export interface Sink {
  /** What is there from an earlier attempt, compared with the list. `onChecked` is told the bytes looked at. */
  verified(list: PieceList, onChecked: (bytes: number) => void): Promise<Range[]>;
  /** Takes verified bytes that belong at `offset`. Resolves when the bytes may be overwritten; writes are done in the order of the calls. */
  write(offset: number, bytes: Uint8Array): Promise<void>;
}

/** Into a file, which may hold pieces from before. */
export function fileSink(file: UnfinishedFile): Sink {
  return {
    verified: (list, onChecked) => file.verified((index) => list.digest(index), list.size, onChecked),
    write: (offset, bytes) => file.write(offset, bytes),
  };
}

/**
 * Into a stream, in order. What has gone into it cannot be taken back, so another source's list has to agree with the one that it was
 * verified against.
 */
export function streamSink(stream: { write(bytes: Uint8Array): Promise<number> }): Sink {
  let position = 0;
  let writing: Promise<void> = Promise.resolve();
  let verifiedBy: PieceList | undefined;
  return {
    async verified(list) {
      for (let index = 0; index < pieceCount(position); index++) {
        const before = await verifiedBy?.digest(index);
        if (before !== undefined && !sameBytes(before, await list.digest(index))) {
          throw new Failure("file-changed", "The file has changed since its first part was written out");
        }
      }
      verifiedBy = list;
      return position === 0 ? [] : [{ start: 0, end: position }];
    },
    write(offset, bytes) {
      if (offset !== position) throw new RangeError(`Cannot stream from ${offset}: the stream is at ${position}`);
      position += bytes.length;
      const written = writing.then(() => writeAll(stream, bytes));
      writing = written.catch(() => {});
      return written;
    },
  };
}

async function writeAll(stream: { write(bytes: Uint8Array): Promise<number> }, bytes: Uint8Array): Promise<void> {
  try {
    for (let done = 0; done < bytes.length;) done += await stream.write(bytes.subarray(done));
  } catch (thrown) {
    throw Failure.from(thrown, "cancelled", "Cannot write on: the output was closed");
  }
}
