/**
 * A connection: messages in order, each perhaps followed by a body of raw bytes. Both sides use the same class; who may ask what is
 * decided above, in lib/server/session.ts, lib/peer/serve/host.ts and lib/net/caller.ts.
 *
 * Reading is pulled (`receive`, then `readBody` for exactly the announced bytes), so that a slow reader slows the sender and nothing
 * piles up. Writing is queued in order; the queue is bounded. Waits end with a typed failure by closing the stream, because the platform's
 * `read` takes no signal.
 * @module
 */

import type { Address } from "../core/address.ts";
import { settlesWithin } from "../core/flow/clock.ts";
import type { Pace } from "../core/flow/pace.ts";
import { Failure } from "../core/failure.ts";
import { BODY_WAIT_MS, HELLO_LINE_BYTES_MAX, LINE_BYTES_MAX, SEND_QUEUE_BYTES_MAX } from "../core/limits.ts";
import { decodeLine, type Envelope } from "../protocol/envelope.ts";
import { LineBuffer } from "../protocol/line_buffer.ts";
import { type ByteStream, joinBytes } from "./byte_stream.ts";
import { Deadlines } from "./deadlines.ts";

/** First read buffer of an idle connection, and the largest one a busy connection grows to. */
const READ_BYTES_MIN = 256;
const READ_BYTES_MAX = 64 * 1024;

/** Writes the body of a reply into the stream, exactly the announced bytes. */
export type BodyWriter = (stream: ByteStream) => Promise<void>;

/** Where a connection's ends are. */
export interface ConnectionEnds {
  readonly local: Address;
  readonly remote: Address;
  /** The id of who was called, if the connection is encrypted; else empty. */
  readonly calledId?: string;
}

/** One connection. Closing it more than once is harmless. */
export class Connection implements Disposable {
  static readonly #reads = new Deadlines<Connection>((late, waitMs) => void late.#end(silent(waitMs)));
  static readonly #writes = new Deadlines<Connection>((late, waitMs) => void late.#end(silent(waitMs)));
  readonly local: Address;
  readonly remote: Address;
  /** The id of who was called, if the connection is encrypted; else empty. */
  readonly calledId: string;
  readonly #stream: ByteStream;
  readonly #buffer = new LineBuffer(HELLO_LINE_BYTES_MAX);
  #scratchBytes = READ_BYTES_MIN;
  #queue: Promise<void> = Promise.resolve();
  #queuedBytes = 0;
  /** Lines that wait until what is being written is over, and then go together: one call of the system for all of them. */
  #joined: { readonly lines: Uint8Array[]; readonly written: Promise<void> } | undefined;
  #ended: Failure | undefined;
  #bytesRead = 0;
  #bytesWritten = 0;
  /** A read that went on when `more` had waited long enough. */
  #reading: Promise<number | null> | undefined;

  constructor(stream: ByteStream, ends: ConnectionEnds) {
    this.#stream = stream;
    this.local = ends.local;
    this.remote = ends.remote;
    this.calledId = ends.calledId ?? "";
  }

  /** Why the connection is closed, or undefined while it is open. */
  get ended(): Failure | undefined {
    return this.#ended;
  }

  /** Called once, with the id of the key that the caller has proven. Fails: "busy" when there is no place for it. */
  onKnown: (id: string) => void = doNothing;

  /** Notes that the caller has proven who it is. Fails: as `onKnown` does. */
  known(id: string): void {
    const { onKnown } = this;
    this.onKnown = doNothing;
    onKnown(id);
  }

  /** Bytes that have arrived so far. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** Bytes of lines that were handed to the system so far; bodies go past this. */
  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  /** Accepts lines of full length, once the other side has said who it is. */
  trust(): void {
    this.#buffer.lineBytesMax = LINE_BYTES_MAX;
  }

  /**
   * The next message, or null when the other side closed between two messages. Fails: "malformed" (the line is consumed; going on is
   * possible), "too-large", "timeout" after `waitMs`, "closed" in the middle of a line.
   */
  receive(options: { waitMs: number }): Promise<Envelope | null> {
    return this.#readMessage(options.waitMs);
  }

  /**
   * Fills `target` with the next bytes of a body, no faster than `pace`. Fails: "closed" when it ends before, "timeout" when it stalls.
   */
  async readBody(target: Uint8Array, pace?: Pace): Promise<void> {
    let filled = this.#buffer.take(target);
    // What came together with the line before it has taken its part of the rate.
    if (filled > 0) await pace?.take(filled);
    while (filled < target.length) {
      const end = pace === undefined ? target.length : Math.min(target.length, filled + pace.turnBytes);
      await pace?.take(end - filled);
      while (filled < end) {
        const read = await this.#readSome(target.subarray(filled, end), BODY_WAIT_MS);
        if (read === null) {
          throw this.#end(new Failure("closed", "Cannot read on: the other side closed in the middle"));
        }
        filled += read;
      }
    }
  }

  /** What has arrived and was not taken yet: for those who do not know yet in which way the other side speaks. Valid until more is read. */
  get arrived(): Uint8Array {
    return this.#buffer.waiting;
  }

  /** Takes the first bytes of what has arrived, of which there have to be so many. */
  take(bytes: number): Uint8Array<ArrayBuffer> {
    const taken = new Uint8Array(bytes);
    this.#buffer.take(taken);
    return taken;
  }

  /**
   * Reads on, behind what has arrived. Shape: whether there is more, or the other side has closed; "quiet" when nothing came for `quietMs`, and
   * then only `more` may be called to read. Fails: "timeout" after `waitMs`, if there is one; "closed".
   */
  async more(options: { waitMs?: number; quietMs?: number }): Promise<"more" | "end" | "quiet"> {
    const { waitMs, quietMs } = options;
    const reading = this.#reading ??= this.#readOn();
    // Whoever is told that it is quiet may never ask again.
    reading.catch(() => {});
    if (quietMs !== undefined && !(await settlesWithin(quietMs, reading))) return "quiet";
    if (waitMs !== undefined) this.#startWait(Connection.#reads, waitMs);
    const read = await reading.finally(() => {
      if (waitMs !== undefined) Connection.#reads.stop(this, waitMs);
    });
    this.#reading = undefined;
    return read === null ? "end" : "more";
  }

  /** Sends one encoded line. Resolves when it was handed to the system. Fails: "closed"; "busy" when the reader is too slow. */
  send(line: Uint8Array): Promise<void> {
    if (this.#queuedBytes + line.length > SEND_QUEUE_BYTES_MAX) {
      return Promise.reject(this.#end(new Failure("busy", "Cannot send: the other side does not read")));
    }
    this.#queuedBytes += line.length;
    if (this.#joined !== undefined) {
      this.#joined.lines.push(line);
      return this.#joined.written;
    }
    const lines = [line];
    const written = this.#enqueue(async () => {
      if (this.#joined?.lines === lines) this.#joined = undefined;
      const bytes = joinBytes(lines);
      try {
        await this.#writeAll(bytes);
      } finally {
        this.#queuedBytes -= bytes.length;
      }
    });
    this.#joined = { lines, written };
    return written;
  }

  /** Sends a reply's line and its body, with nothing between them. When the body fails midway, the connection is of no use and is closed. */
  sendWithBody(line: Uint8Array, writeBody: BodyWriter): Promise<void> {
    this.#joined = undefined;
    return this.#enqueue(async () => {
      try {
        await this.#writeAll(line);
        await writeBody(this.#stream);
      } catch (thrown) {
        throw this.#end(Failure.from(thrown, "closed", "Cannot send"));
      }
    });
  }

  /** Says that nothing more will come, once everything queued has been sent. Reading goes on. */
  async endWriting(): Promise<void> {
    await this.#queue;
    await this.#stream.closeWrite?.();
  }

  /** Closes at once; what waits to be sent is dropped. */
  close(reason: Failure = new Failure("closed", "The connection was closed here")): void {
    this.#end(reason);
  }

  /** Closes at once when the signal comes, until what this gives is disposed of. */
  closeOn(signal: AbortSignal): Disposable {
    const close = (): void => this.close();
    signal.addEventListener("abort", close);
    return { [Symbol.dispose]: () => signal.removeEventListener("abort", close) };
  }

  /** Closes when everything queued has been sent, or after `waitMs`. */
  async closeAfterSending(waitMs: number): Promise<void> {
    const timer = setTimeout(() => this.close(), waitMs);
    await this.#queue;
    clearTimeout(timer);
    this.close();
  }

  /**
   * Says that nothing more will come, and closes when the other side has, or after `waitMs`. Closing at once, while something of theirs is unread,
   * makes the system throw away what is still on its way to them.
   */
  async closeInOrder(waitMs: number): Promise<void> {
    await this.#queue;
    const timer = setTimeout(() => this.close(), waitMs);
    try {
      await this.endWriting();
      while (this.#stream.closeWrite !== undefined && await this.more({ waitMs }) === "more") {
        this.take(this.#buffer.size);
      }
    } catch {
      // They were gone before, or do not go.
    }
    clearTimeout(timer);
    this.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** One function that waits, not one that calls another: each would take half a kilobyte on every idle connection. */
  async #readMessage(waitMs: number): Promise<Envelope | null> {
    let line = this.#buffer.line();
    if (line !== undefined) return decodeLine(line);
    this.#startWait(Connection.#reads, waitMs);
    try {
      while (line === undefined) {
        const scratch = new Uint8Array(this.#scratchBytes);
        let read: number | null;
        try {
          read = await this.#stream.read(scratch);
        } catch (thrown) {
          throw this.#end(Failure.from(thrown, "closed", "The connection broke"));
        }
        // A stream that was closed here may end as if the other side had closed it.
        if (this.#ended !== undefined) throw this.#ended;
        if (read === null && this.#buffer.size === 0) return null;
        if (read === null) {
          throw this.#end(new Failure("closed", "Cannot read on: the other side closed in the middle of a message"));
        }
        this.#bytesRead += read;
        this.#arrive(scratch, read);
        line = this.#buffer.line();
      }
    } finally {
      Connection.#reads.stop(this, waitMs);
    }
    return decodeLine(line);
  }

  /** Reads some bytes into the buffer. Shape: how many, or null at the end. */
  async #readOn(): Promise<number | null> {
    const scratch = new Uint8Array(this.#scratchBytes);
    const read = await this.#readSome(scratch);
    if (read !== null) this.#arrive(scratch, read);
    return read;
  }

  #arrive(scratch: Uint8Array, read: number): void {
    this.#scratchBytes = nextReadBytes(this.#scratchBytes, read);
    this.#buffer.push(scratch.subarray(0, read));
  }

  /** Reads some bytes. Shape: how many, or null at the end. Fails: "timeout" when none come for `waitMs`, "closed". */
  async #readSome(target: Uint8Array, waitMs?: number): Promise<number | null> {
    if (waitMs !== undefined) this.#startWait(Connection.#reads, waitMs);
    try {
      const read = await this.#stream.read(target);
      this.#bytesRead += read ?? 0;
      // A stream that was closed here may end as if the other side had closed it.
      if (this.#ended === undefined) return read;
    } catch (thrown) {
      throw this.#end(Failure.from(thrown, "closed", "The connection broke"));
    } finally {
      if (waitMs !== undefined) Connection.#reads.stop(this, waitMs);
    }
    throw this.#ended;
  }

  #enqueue(write: () => Promise<void>): Promise<void> {
    const written = this.#queue.then(() => {
      if (this.#ended !== undefined) throw this.#ended;
      return write();
    });
    this.#queue = written.catch(() => {});
    return written;
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    try {
      for (let sent = 0; sent < bytes.length;) {
        this.#startWait(Connection.#writes, BODY_WAIT_MS);
        const written = await this.#stream.write(sent === 0 ? bytes : bytes.subarray(sent));
        this.#bytesWritten += written;
        sent += written;
      }
    } catch (thrown) {
      throw this.#end(Failure.from(thrown, "closed", "The connection broke"));
    } finally {
      Connection.#writes.stop(this, BODY_WAIT_MS);
    }
  }

  /** Begins a wait, which closes the stream when it takes too long. One that is closed waits for nothing. */
  #startWait(deadlines: Deadlines<Connection>, waitMs: number): void {
    if (this.#ended === undefined) deadlines.start(this, waitMs);
  }

  #end(reason: Failure): Failure {
    if (this.#ended !== undefined) return this.#ended;
    this.#ended = reason;
    Connection.#reads.leave(this);
    Connection.#writes.leave(this);
    try {
      this.#stream.close();
    } catch (thrown) {
      if (!(thrown instanceof Deno.errors.BadResource)) throw thrown;
    }
    return reason;
  }
}

function doNothing(): void {}

function silent(waitMs: number): Failure {
  return new Failure("timeout", `The other side was silent for ${Math.round(waitMs / 1000)} s`);
}

/** Grows a read buffer that was filled and shrinks one that was far too large, so that only busy connections hold large ones. */
function nextReadBytes(current: number, read: number): number {
  if (read === current) return Math.min(READ_BYTES_MAX, current * 4);
  return read * 4 < current ? Math.max(READ_BYTES_MIN, current / 4) : current;
}
