/**
 * Sends a range of a file: the body of a `DOWNLOAD_OK`. Called by lib/peer/host.ts. The bytes never pass through a message, and never more
 * than two megabytes of them through memory.
 *
 * A whole file, or its end, is piped: `file.readable` into `conn.writable`, which Deno does without running any of our code per chunk.
 * That has no way to stop early, so a range that ends before the file does is copied through two buffers, reading into one while
 * the other is on its way; measured, both are about as fast (DENO.md, 12).
 * @module
 */

import { Failure } from "../core/failure.ts";
import { BODY_WAIT_MS } from "../core/limits.ts";
import type { Pace } from "../core/pace.ts";
import { type Range, rangeBytes } from "../core/range.ts";
import { type ByteStream, writeAll } from "../net/byte_stream.ts";
import { Watchdog } from "../net/watchdog.ts";
import type { OpenFile } from "../store/folder.ts";

const COPY_BYTES = 256 * 1024;
/** How often a running pipe is looked at. */
const WATCH_MS = 1_000;

/**
 * Writes bytes `range` of an open file into a stream, no faster than `pace`. Fails: "file-changed" when the file is no longer what it was when
 * it was opened; "timeout" when the other side takes nothing for too long. The connection is of no use after a failure: what was announced has
 * not been sent.
 */
export async function sendRange(open: OpenFile, range: Range, stream: ByteStream, pace?: Pace): Promise<void> {
  await open.file.seek(range.start, Deno.SeekMode.Start);
  const isTail = range.end === open.size && pace === undefined;
  const { writable } = stream;
  await (isTail && writable !== undefined ? pipe(open, writable) : copy(open, range, stream, pace));
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
  await open.file.seek(range.start, Deno.SeekMode.Start);
  for (let filled = 0; filled < bytes.length;) {
    const read = await open.file.read(bytes.subarray(filled));
    if (read === null) throw changed();
    filled += read;
  }
  if (!open.isUnchanged()) throw changed();
  return bytes;
}

async function pipe(open: OpenFile, writable: WritableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
  const stalled = new AbortController();
  using watchdog = new Watchdog(BODY_WAIT_MS, () => stalled.abort(tooSlow()));
  watchdog.moved();
  let position = -1;
  const watch = setInterval(async () => {
    const now = await open.file.seek(0, Deno.SeekMode.Current).catch(() => position);
    if (now !== position) watchdog.moved();
    position = now;
  }, WATCH_MS);
  try {
    await open.file.readable.pipeTo(writable, {
      preventClose: true,
      preventAbort: true,
      signal: stalled.signal,
    });
  } finally {
    clearInterval(watch);
  }
}

async function copy(open: OpenFile, range: Range, stream: ByteStream, pace: Pace | undefined): Promise<void> {
  using watchdog = new Watchdog(BODY_WAIT_MS, () => stream.close());
  const send = async (bytes: Uint8Array): Promise<void> => {
    for (let done = 0; done < bytes.length;) {
      const part = pace === undefined ? bytes.subarray(done) : bytes.subarray(done, done + pace.turnBytes);
      await pace?.take(part.length);
      watchdog.moved();
      done += await stream.write(part);
    }
  };
  let [buffer, other] = [new Uint8Array(COPY_BYTES), new Uint8Array(COPY_BYTES)] as const;
  let writing: Promise<void> = Promise.resolve();
  for (let position = range.start; position < range.end; [buffer, other] = [other, buffer]) {
    const read = await open.file.read(buffer.subarray(0, Math.min(COPY_BYTES, range.end - position)));
    await writing;
    if (read === null) throw changed();
    position += read;
    writing = send(buffer.subarray(0, read));
    // Awaited in the next round, or below; a failure until then must not count as unhandled.
    writing.catch(() => {});
  }
  await writing;
}

function changed(): Failure {
  return new Failure("file-changed", "The file changed while it was sent");
}

function tooSlow(): Failure {
  return new Failure("timeout", `The other side took nothing for ${BODY_WAIT_MS / 1000} s`);
}
