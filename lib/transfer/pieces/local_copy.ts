/**
 * Copies the pieces of a download that other files of this machine have, beside the sources that
 * send the rest. Called by download.ts.
 *
 * Each piece is verified as if a peer had sent it. A file that was changed, replaced or removed is
 * no error: its pieces are then fetched.
 * @module
 */

import { readFull } from "../../core/bytes.ts";
import { digestOf, PIECE_BYTES, pieceRange, sameBytes } from "../../core/content.ts";
import { Bell } from "../../core/flow/bell.ts";
import { onAbort, unlessAborted } from "../../core/flow/on_abort.ts";
import { PieceSet } from "../../core/piece_set.ts";
import { type Range, rangeBytes } from "../../core/range.ts";
import type { OpenFile } from "../../store/files/folder.ts";
import type { SharedFile } from "../../store/share/file_list.ts";
import type { LocalPiece } from "../../store/share/local_pieces.ts";
import type { DownloadTools } from "../content/download_tools.ts";
import { STREAM_WINDOW_PIECES } from "../plan/plan.ts";
import type { PieceList } from "./piece_list.ts";
import type { Sink } from "./sink.ts";

/** Time for one piece after which the disk is too slow, and sources are asked for the rest. */
const SLOW_MS = 2_000;

/** What is copied, and where its pieces go. */
export interface LocalCopyOptions {
  readonly list: PieceList;
  readonly sink: Sink;
  /** The pieces that are here. The download keeps it current. */
  readonly here: PieceSet;
  /** Called for every piece that was verified and written. */
  readonly onPiece: (range: Range) => void;
  /** Called when a piece is not where it was found, so that a source has to be asked. */
  readonly onGone: () => void;
}

/** The pieces that one download gets from this machine. */
export class LocalCopy {
  /** Bytes that were copied. */
  bytes = 0;
  #pieces: readonly LocalPiece[] = [];
  readonly #options: LocalCopyOptions;
  readonly #tools: Pick<DownloadTools, "local" | "clock">;
  /** The pieces that are still to be copied. */
  readonly #left: PieceSet;
  #buffer = new Uint8Array(0);
  readonly #news = new Bell();
  /** Since when a piece is being read. */
  #readingMs: number | undefined;
  #open: { readonly file: SharedFile; readonly from: OpenFile | undefined } | undefined;

  constructor(options: LocalCopyOptions, tools: Pick<DownloadTools, "local" | "clock">) {
    this.#options = options;
    this.#tools = tools;
    this.#left = new PieceSet(options.here.count);
  }

  /** Finds what is missing of the file with this name. */
  async find(name: string): Promise<void> {
    const { list: { digests }, sink, here } = this.#options;
    const found = await this.#tools.local?.find({ name, digests, here }) ?? [];
    // A stream needs its pieces in its own order. A disk reads them best in the order of its files.
    this.#pieces = sink.order === "in-order" ? found.toSorted((a, b) => a.to - b.to) : found;
    for (const { to } of found) this.#left.add(to);
  }

  /** The pieces to wait for. Undefined when there are none, or when the disk is too slow. */
  get promised(): PieceSet | undefined {
    const nowMs = this.#tools.clock.now();
    const isSlow = nowMs - (this.#readingMs ?? nowMs) > SLOW_MS;
    return this.#left.size === 0 || isSlow ? undefined : this.#left;
  }

  /** Notes that something has arrived, so that a stream may have room again. */
  noteArrival(): void {
    this.#news.ring();
  }

  /**
   * Copies what was found.
   *
   * @param signal Stops the copying.
   * @throws {Failure} As the sink does.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { here, onGone } = this.#options;
    if (this.#pieces.length > 0) this.#buffer = new Uint8Array(PIECE_BYTES);
    using _waking = onAbort(signal, () => this.#news.ring());
    try {
      for (const piece of this.#pieces) {
        await this.#room(piece.to, signal);
        if (signal.aborted) return;
        const isHere = here.has(piece.to) || await this.#copy(piece, signal);
        this.#left.remove(piece.to);
        if (!isHere) onGone();
      }
    } finally {
      this.#open?.from?.[Symbol.dispose]();
    }
  }

  /** Waits until a piece is near enough to what a stream has been given. */
  async #room(to: number, signal: AbortSignal): Promise<void> {
    const { sink, here } = this.#options;
    while (sink.order === "in-order" && to >= here.firstMissing + STREAM_WINDOW_PIECES && !signal.aborted) {
      await this.#news.next;
    }
  }

  /** Copies one piece. @returns Whether it is here now. */
  async #copy({ from: index, to, file }: LocalPiece, signal: AbortSignal): Promise<boolean> {
    const { list, sink, here, onPiece } = this.#options;
    const from = this.#opened(file);
    if (from === undefined) return false;
    const range = pieceRange(to, list.size);
    // A list that lies may give a short piece the digest of a long one. The file is then right.
    if (rangeBytes(range) !== rangeBytes(pieceRange(index, file.size))) return false;
    const piece = this.#buffer.subarray(0, rangeBytes(range));
    this.#readingMs = this.#tools.clock.now();
    // A disk that hangs does not hold up the end.
    const isWhole = await unlessAborted(isRead(from, index * PIECE_BYTES, piece), signal);
    this.#readingMs = undefined;
    if (isWhole !== true) return false;
    if (!sameBytes(digestOf(piece), await list.digest(to))) {
      // Other bytes with the same size and time: its digests are wrong.
      if (from.isUnchanged()) this.#tools.local?.distrust(file);
      return false;
    }
    // While a slow disk was read, a source may have sent it.
    if (signal.aborted || here.has(to)) return true;
    await sink.write(range.start, piece);
    this.bytes += piece.length;
    onPiece(range);
    return true;
  }

  /** Opens a file, unless it is open already. */
  #opened(file: SharedFile): OpenFile | undefined {
    if (this.#open?.file !== file) {
      this.#open?.from?.[Symbol.dispose]();
      this.#open = { file, from: this.#tools.local?.open(file) };
    }
    return this.#open.from;
  }
}

/** Reads a piece. @returns Whether all of it could be read. */
async function isRead({ file }: OpenFile, offset: number, piece: Uint8Array): Promise<boolean> {
  try {
    file.seekSync(offset, Deno.SeekMode.Start);
    return await readFull(file, piece) === piece.length;
  } catch {
    return false;
  }
}
