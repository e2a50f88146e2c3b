/**
 * Sends a range of a file: the body of a `DOWNLOAD_OK`. Called by lib/peer/serve/host.ts. The bytes never pass through a message, and never more
 * than two megabytes of them through memory.
 *
 * A whole file, or its end, is piped: `file.readable` into `conn.writable`, which Deno does without running any of our code per chunk.
 * That has no way to stop early, so a range that ends before the file does is copied through two buffers, reading into one while
 * the other is on its way; measured, both are about as fast (DENO.md, 12).
 * @module
 */

import { Failure } from "../core/failure.ts";
import { PIECE_BYTES } from "../core/content.ts";
import { BODY_WAIT_MS, UPLOAD_SLOTS } from "../core/limits.ts";
import type { Pace } from "../core/flow/pace.ts";
import { type Range, rangeBytes } from "../core/range.ts";
import { type ByteStream, writeAll } from "../net/byte_stream.ts";
import { Watchdog } from "../net/watchdog.ts";
import type { OpenFile } from "../store/files/folder.ts";
import { SpareBuffers } from "./pieces/buffers.ts";

/** The most that is written at once, and what is read at once by a sender without a limit. */
const COPY_BYTES = 256 * 1024;
/** What is read at once by a sender with a limit: each read wakes a thread, which cost a class on one computer a tenth of its CPU time. */
const PACED_READ_BYTES = PIECE_BYTES;
/** Two for each of as many uploads as usually run at once. */
const UPLOAD_BUFFERS = new SpareBuffers(2 * UPLOAD_SLOTS);
/** So few bytes are read without a thread of their own, which would take longer than the system does. */
const AT_ONCE_BYTES_MAX = 64 * 1024;
/** How often a running pipe is looked at. */
const WATCH_MS = 1_000;

/** Hears how the receiver of a body keeps up, and decides how long the body may go on. */
export interface SendTurn {
  /** Whether the body has to end with the piece that is under way, because others wait. */
  readonly isOver: boolean;
  /** Aborted when the body has to end at once. */
  readonly signal: AbortSignal;
  /** Bytes are ready, and the receiver is waited for. */
  waits(): void;
  /** The receiver took them. */
  took(bytes: number): void;
}

/** What a body goes by. */
export interface SendOptions {
  /** The pace of all that is sent. */
  readonly pace?: Pace | undefined;
  /** The turn of this receiver, where others may wait. */
  readonly turn?: SendTurn | undefined;
  /** Whether the receiver can go on where the body ended; else its turn ends only by the signal. */
  readonly canResume?: boolean;
}

/**
 * Writes bytes `range` of an open file into a stream, no faster than `pace`. Fails: "file-changed" when the file is no longer what it was when
 * it was opened; "timeout" when the other side takes nothing for too long; "busy" when its turn is over. The connection is of
 * no use after a failure: what was announced has not been sent.
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
  using _cut = closeOn(stream, turn?.signal);
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

/** Reads bytes `range` of an open file, which have to fit in memory. Fails: "file-changed". */
export async function readRange(open: OpenFile, range: Range): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(rangeBytes(range));
  open.file.seekSync(range.start, Deno.SeekMode.Start);
  for (let filled = 0; filled < bytes.length;) {
    const rest = bytes.subarray(filled);
    const read = rest.length <= AT_ONCE_BYTES_MAX ? open.file.readSync(rest) : await open.file.read(rest);
    if (read === null) throw changed();
    filled += read;
  }
  if (!open.isUnchanged()) throw changed();
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
  const partBytes = partOfPiece(Math.min(COPY_BYTES, pace?.turnBytes ?? COPY_BYTES));
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
  const readBytes = pace === undefined ? COPY_BYTES : PACED_READ_BYTES;
  let [buffer, other] = [UPLOAD_BUFFERS.take(), UPLOAD_BUFFERS.take()] as const;
  let writing: Promise<void> = Promise.resolve();
  let isTurnOver = false;
  for (let position = range.start; position < range.end; [buffer, other] = [other, buffer]) {
    const pieceLeft = PIECE_BYTES - position % PIECE_BYTES;
    const wanted = Math.min(readBytes, range.end - position, pieceLeft);
    const read = await open.file.read(buffer.subarray(0, wanted));
    await writing;
    if (read === null) throw changed();
    isTurnOver = pieceLeft === PIECE_BYTES && position > range.start && turn?.isOver === true && canResume;
    if (isTurnOver) break;
    position += read;
    writing = send(buffer.subarray(0, read));
    // Awaited in the next round, or below; a failure until then must not count as unhandled.
    writing.catch(() => {});
  }
  await writing;
  // After a failure a socket may still hold one: then they are left to the garbage collector.
  UPLOAD_BUFFERS.give(buffer);
  UPLOAD_BUFFERS.give(other);
  if (isTurnOver) throw turnOver();
}

/** The part, of at most so many bytes, into which a piece divides evenly: a small rest would cost as much as a whole turn. */
function partOfPiece(bytesMax: number): number {
  return Math.ceil(PIECE_BYTES / Math.ceil(PIECE_BYTES / bytesMax));
}

/** Closes a stream when the signal comes, until what this returns is disposed of. */
function closeOn(stream: ByteStream, signal: AbortSignal | undefined): Disposable {
  const close = (): void => stream.close();
  signal?.addEventListener("abort", close);
  return { [Symbol.dispose]: () => signal?.removeEventListener("abort", close) };
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
