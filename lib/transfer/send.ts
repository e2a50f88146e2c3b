/**
 * Sends a range of a file: the body of a `DOWNLOAD_OK`. Called by lib/peer/serve/host.ts. The bytes
 * never pass through a message, and only two buffers of them are in memory.
 *
 * A range is copied through two buffers: one is read while the other is being sent. Without
 * encryption, the last range of a file is piped instead, `file.readable` into `conn.writable`. The
 * reasons and figures are in lib/README.md, "The way of a byte".
 * @module
 */

import { readFull, readFullSync, writeAll } from "../core/bytes.ts";
import { Failure } from "../core/failure.ts";
import { PIECE_BYTES } from "../core/content.ts";
import { BODY_WAIT_MS, UPLOAD_SLOTS } from "../core/limits.ts";
import { onAbort } from "../core/flow/on_abort.ts";
import type { Pace } from "../core/flow/pace.ts";
import { type Range, rangeBytes } from "../core/range.ts";
import type { ByteStream } from "../net/byte_stream.ts";
import { Watchdog } from "../net/watchdog.ts";
import type { OpenFile } from "../store/files/folder.ts";
import { SpareBuffers } from "./pieces/buffers.ts";

/** What a sender without a rate limit reads and writes at once. */
const COPY_BYTES = 256 * 1024;
/**
 * The most that a sender with a rate limit writes at once. Each write wakes both sides; figures are
 * in lib/README.md, "The way of a byte".
 */
const PACED_WRITE_BYTES = PIECE_BYTES / 2;
/**
 * What a sender with a rate limit reads at once. When threads read, waking one for each read cost
 * a class on one computer a tenth of its CPU time.
 */
const PACED_READ_BYTES = PIECE_BYTES;
/** Two for each of as many uploads as usually run at once. */
const KEPT_MAX = 2 * UPLOAD_SLOTS;
/**
 * A sender without a rate limit has small buffers of its own: reading into a part of a large buffer
 * took 0.7 CPU seconds more per GiB.
 */
const COPY_BUFFERS = new SpareBuffers({ bytes: COPY_BYTES, keptMax: KEPT_MAX });
const PACED_BUFFERS = new SpareBuffers({ bytes: PACED_READ_BYTES, keptMax: KEPT_MAX });
/**
 * At most this many bytes are read synchronously: to hand the read to a thread would take longer.
 */
export const AT_ONCE_BYTES_MAX = 64 * 1024;
/** A read that takes longer than this is one from a slow disk. */
const SLOW_READ_MS = 5;
/** How long threads read all files after a slow read. */
const THREADS_MS = 1_000;
/** How often a running pipe is checked. */
const WATCH_MS = 1_000;

/** Follows how fast the receiver of a body is, and decides how long the body may go on. */
export interface SendTurn {
  /** Whether the body has to end after the present piece, because other receivers wait. */
  readonly isOver: boolean;
  /** Aborted when the body has to end immediately. */
  readonly signal: AbortSignal;
  /** Called when bytes are ready for the receiver. */
  waits(): void;
  /** Called when the receiver has accepted bytes. */
  took(bytes: number): void;
}

/** How a body is sent. */
export interface SendOptions {
  /** The pace of all that is sent. */
  readonly pace?: Pace | undefined;
  /** The turn of this receiver, when other receivers may be waiting. */
  readonly turn?: SendTurn | undefined;
  /**
   * Whether the receiver can continue where the body ended. Otherwise only the signal ends its
   * turn. Default: true.
   */
  readonly canResume?: boolean | undefined;
}

/**
 * Writes a range of an open file into a stream, no faster than `pace`. After a failure the
 * connection is of no use, because what was announced has not been sent.
 *
 * @throws {Failure} "file-changed" when the file is no longer what it was when it was opened;
 * "timeout" when the receiver accepts nothing for too long; "busy" when its turn is over.
 */
export async function sendRange(
  open: OpenFile,
  range: Range,
  stream: ByteStream,
  options: SendOptions = {},
): Promise<void> {
  const { pace, turn } = options;
  open.file.seekSync(range.start, Deno.SeekMode.Start);
  const isTail = range.end === open.size && pace === undefined;
  const { writable } = stream;
  using _cut = onAbort(turn?.signal, () => stream.close());
  try {
    await (isTail && writable !== undefined ? pipe(open, writable, options) : copy(open, range, stream, options));
  } catch (thrown) {
    turn?.signal.throwIfAborted();
    throw thrown;
  }
  if (!open.isUnchanged()) throw changed();
}

/** Writes bytes into a stream, no faster than `pace`. */
export async function sendBytes(bytes: Uint8Array, stream: ByteStream, pace: Pace): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const part = bytes.subarray(done, done + pace.turnBytes);
    await pace.take(part.length);
    await writeAll(stream, part);
    done += part.length;
  }
}

/**
 * Reads a range of an open file, which has to fit in memory.
 *
 * @throws {Failure} "file-changed".
 */
export async function readRange(open: OpenFile, range: Range): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(rangeBytes(range));
  open.file.seekSync(range.start, Deno.SeekMode.Start);
  const isSmall = bytes.length <= AT_ONCE_BYTES_MAX;
  const read = isSmall ? readFullSync(open.file, bytes) : await readFull(open.file, bytes);
  if (read < bytes.length || !open.isUnchanged()) throw changed();
  return bytes;
}

async function pipe(
  open: OpenFile,
  writable: WritableStream<Uint8Array<ArrayBuffer>>,
  { turn, canResume = true }: SendOptions,
): Promise<void> {
  const stopped = new AbortController();
  using watchdog = new Watchdog(BODY_WAIT_MS, () => stopped.abort(tooSlow()));
  watchdog.moved();
  turn?.waits();
  let position = await open.file.seek(0, Deno.SeekMode.Current);
  const watch = setInterval(async () => {
    const now = await open.file.seek(0, Deno.SeekMode.Current).catch(() => position);
    if (now !== position) watchdog.moved();
    turn?.took(now - position);
    turn?.waits();
    const hasEndedPiece = Math.floor(now / PIECE_BYTES) > Math.floor(position / PIECE_BYTES);
    if (turn?.isOver === true && canResume && hasEndedPiece) stopped.abort(turnOver());
    position = now;
  }, WATCH_MS);
  try {
    await open.file.readable.pipeTo(writable, {
      preventClose: true,
      preventAbort: true,
      signal: stopped.signal,
    });
  } finally {
    clearInterval(watch);
  }
}

async function copy(
  open: OpenFile,
  range: Range,
  stream: ByteStream,
  { pace, turn, canResume = true }: SendOptions,
): Promise<void> {
  using watchdog = new Watchdog(BODY_WAIT_MS, () => stream.close());
  const partBytes = partOfPiece(pace === undefined ? COPY_BYTES : Math.min(PACED_WRITE_BYTES, pace.turnBytes));
  const send = async (bytes: Uint8Array): Promise<void> => {
    for (let done = 0; done < bytes.length;) {
      const part = bytes.subarray(done, done + partBytes);
      await pace?.take(part.length);
      watchdog.moved();
      turn?.waits();
      const written = await stream.write(part);
      turn?.took(written);
      done += written;
    }
  };
  const buffers = pace === undefined ? COPY_BUFFERS : PACED_BUFFERS;
  let [buffer, other] = [buffers.take(), buffers.take()] as const;
  let writing: Promise<void> = Promise.resolve();
  let isTurnOver = false;
  for (let position = range.start; position < range.end; [buffer, other] = [other, buffer]) {
    const pieceLeft = PIECE_BYTES - position % PIECE_BYTES;
    const wanted = Math.min(buffer.length, range.end - position, pieceLeft);
    const read = await readSome(open.file, buffer.subarray(0, wanted));
    await writing;
    if (read === null) throw changed();
    isTurnOver = pieceLeft === PIECE_BYTES && position > range.start && turn?.isOver === true && canResume;
    if (isTurnOver) break;
    position += read;
    writing = send(buffer.subarray(0, read));
    // It is awaited in the next round, or below. A failure until then must not count as unhandled.
    writing.catch(() => {});
  }
  await writing;
  // After a failure a socket may still use a buffer. Then both are left to the garbage collector.
  buffers.give(buffer);
  buffers.give(other);
  if (isTurnOver) throw turnOver();
}

/** Until when threads read all files. */
let threadsUntilMs = 0;

/**
 * Reads at least one byte. Most files that are sent are in the memory of the system, and to hand
 * each read to a thread takes longer (lib/README.md, "The way of a byte"). After a slow read,
 * threads read for a while, so that a slow disk delays no other peer.
 *
 * @returns How many it read, or null at the end of the file.
 */
function readSome(file: OpenFile["file"], target: Uint8Array): number | null | Promise<number | null> {
  const startMs = performance.now();
  if (startMs < threadsUntilMs) return file.read(target);
  const read = file.readSync(target);
  const endMs = performance.now();
  if (endMs - startMs > SLOW_READ_MS) threadsUntilMs = endMs + THREADS_MS;
  return read;
}

/**
 * The largest equal part of a piece that is not above `bytesMax`. A small rest would cost as much
 * as a whole part.
 */
function partOfPiece(bytesMax: number): number {
  return Math.ceil(PIECE_BYTES / Math.ceil(PIECE_BYTES / bytesMax));
}

function turnOver(): Failure {
  return new Failure("busy", "The receiver's turn is over: others wait");
}

function changed(): Failure {
  return new Failure("file-changed", "The file changed while it was sent");
}

function tooSlow(): Failure {
  return new Failure("timeout", `The other side took nothing for ${BODY_WAIT_MS / 1000} s`);
}
