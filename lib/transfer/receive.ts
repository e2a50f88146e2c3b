/**
 * Receives one file over one connection, from the peer at its other end: what is missing of it, verified and written as in any download.
 * Called by lib/peer/inbox/inbox.ts. There is one source and no other, so there is nothing to plan; whoever puts the file tries again.
 * @module
 */

import { Failure } from "../core/failure.ts";
import { PUT_SPAN_BYTES_MAX } from "../core/limits.ts";
import type { Pace } from "../core/flow/pace.ts";
import { type Range, rangeBytes } from "../core/range.ts";
import type { Connection } from "../net/connection.ts";
import type { Traits } from "../store/files/traits.ts";
import type { UnfinishedFile } from "../store/files/unfinished_file.ts";
import { Buffers } from "./buffers.ts";
import { fetchRange } from "./fetch.ts";
import { PieceList } from "./piece_list.ts";
import { fileSink } from "./sink.ts";

/** One piece arrives, one is written, one waits. */
const BUFFERS = 3;

/** What is received, and how. */
export interface ReceiveOptions {
  readonly connection: Connection;
  readonly root: string;
  readonly size: number;
  /** What is there from an earlier attempt, and where the rest goes. */
  readonly file: UnfinishedFile;
  readonly pace: Pace | undefined;
  /** Told the bytes that are here, or while `checking`, those looked at. */
  readonly onProgress: (done: number, checking: boolean) => void;
}

/**
 * Receives a file. Shape: the digests of its pieces, and what the sender says of it beside its bytes. Fails: "corrupt", "file-changed"; as the connection and the disk do. What was verified
 * until then stays in the file. After a failure the connection is of no use.
 */
export async function receiveFile(options: ReceiveOptions): Promise<{ digests: Uint8Array; traits: Traits }> {
  const { connection, root, size, file, pace, onProgress } = options;
  const list = new PieceList(size);
  await list.fetch(connection, { root }, { pace });
  // A file of no bytes has no digests to compare with its root.
  if (list.root !== root) throw new Failure("corrupt", "The content is not what it is said to be");
  const sink = fileSink(file);
  const here = await sink.verified(list, (done) => onProgress(done, true));
  let done = here.reduce((sum, range) => sum + rangeBytes(range), 0);
  onProgress(done, false);
  const buffers = new Buffers(BUFFERS);
  for (const range of spans(missing(here, size))) {
    await fetchRange(range, {
      connection,
      target: { root },
      list,
      sink,
      buffers,
      pace,
      compress: false,
      onNews: () => {},
      onBegin: () => {},
      onPiece: (piece) => {
        done += rangeBytes(piece);
        onProgress(done, false);
      },
    });
  }
  await sink.flush();
  return { digests: list.digests, traits: list.traits };
}

/** What of a file of `size` bytes is in none of the sorted ranges that are here. */
export function missing(here: readonly Range[], size: number): Range[] {
  const gaps: Range[] = [];
  let start = 0;
  for (const range of [...here, { start: size, end: size }]) {
    if (range.start > start) gaps.push({ start, end: range.start });
    start = range.end;
  }
  return gaps;
}

/** The same ranges, in parts that are asked for at a time. */
function* spans(ranges: readonly Range[]): Generator<Range> {
  for (const { start, end } of ranges) {
    for (let at = start; at < end; at += PUT_SPAN_BYTES_MAX) {
      yield { start: at, end: Math.min(end, at + PUT_SPAN_BYTES_MAX) };
    }
  }
}
