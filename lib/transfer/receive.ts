/**
 * Receives one file over one connection, from the peer at its other end: fetches what is missing,
 * verifies and writes it as in any download. Called by lib/peer/inbox/inbox.ts. There is only one
 * source, so there is nothing to plan; after a failure the sending peer tries again.
 * @module
 */

import { PIECE_BYTES } from "../core/content.ts";
import { Failure } from "../core/failure.ts";
import { PUT_SPAN_BYTES_MAX } from "../core/limits.ts";
import type { Range } from "../core/range.ts";
import type { Connection } from "../net/connection.ts";
import type { Traits } from "../store/files/traits.ts";
import type { UnfinishedFile } from "../store/files/unfinished_file.ts";
import { Buffers } from "./pieces/buffers.ts";
import type { DownloadTools } from "./content/download_tools.ts";
import { fetchRange } from "./pieces/fetch.ts";
import { PieceList } from "./pieces/piece_list.ts";
import { fileSink } from "./pieces/sink.ts";

/** One piece arrives, one is written, one waits. */
const BUFFERS = 3;

/** What is received, and how. */
export interface ReceiveOptions extends Pick<DownloadTools, "pace"> {
  readonly connection: Connection;
  readonly root: string;
  readonly size: number;
  /** Holds what is there from an earlier attempt, and takes the rest. */
  readonly file: UnfinishedFile;
  /**
   * Called with the bytes that are here, or while `checking`, with those that have been compared.
   */
  readonly onProgress: (done: number, checking: boolean) => void;
}

/**
 * Receives a file. What was verified before a failure stays in the file, but the connection is then
 * of no use.
 *
 * @returns The digests of its pieces, and what the sender says about it beside its bytes.
 * @throws {Failure} "corrupt", "file-changed"; and as the connection and the disk do.
 */
export async function receiveFile(options: ReceiveOptions): Promise<{ digests: Uint8Array; traits: Traits }> {
  const { connection, root, size, file, pace, onProgress } = options;
  const list = new PieceList(size);
  await list.fetch(connection, { root }, { pace });
  // A file of no bytes has no digests to compare with its root.
  if (list.root !== root) throw new Failure("corrupt", "The content is not what it is said to be");
  const sink = fileSink(file);
  const here = await sink.verified(list, (done) => onProgress(done, true));
  onProgress(here.bytes(size), false);
  const order = {
    target: { root },
    list,
    sink,
    buffers: new Buffers(BUFFERS),
    compress: false,
    onPiece(piece: Range) {
      here.addTouched(piece);
      onProgress(here.bytes(size), false);
    },
  };
  for (const range of here.missing(size, PUT_SPAN_BYTES_MAX / PIECE_BYTES)) {
    await fetchRange(range, connection, { order, pace, onNews: () => {} });
  }
  await sink.flush();
  return { digests: list.digests, traits: list.traits };
}
