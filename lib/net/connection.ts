/**
 * A connection: messages in order, each perhaps followed by a body of raw bytes. Both sides use the
 * same class. lib/server/session.ts, lib/peer/serve/host.ts and lib/net/caller.ts decide what each
 * side may ask.
 *
 * Reading is pulled (`receive`, then `readBody` for exactly the announced bytes), so that a slow
 * reader slows the sender and nothing piles up. Writing is queued in order, and the queue is
 * bounded. A wait that takes too long ends with a failure and closes the stream, because the
 * platform's `read` takes no signal.
 * @module
 */

import type { Address } from "../core/address.ts";
import { isLongTurn, nextTurn, settlesWithin } from "../core/flow/clock.ts";
import { onAbort } from "../core/flow/on_abort.ts";
import type { Pace } from "../core/flow/pace.ts";
import { Failure } from "../core/failure.ts";
import { BODY_WAIT_MS, HELLO_LINE_BYTES_MAX, LINE_BYTES_MAX } from "../core/limits.ts";
import { decodeLine, type Envelope } from "../protocol/envelope.ts";
import { LineBuffer } from "../protocol/line_buffer.ts";
import type { ByteStream } from "./byte_stream.ts";
import { Deadlines } from "./deadlines.ts";
import { type BodyWriter, SendQueue, silence } from "./send_queue.ts";

/** The first read buffer of an idle connection, and the largest one of a busy connection. */
const READ_BYTES_MIN = 256;
const READ_BYTES_MAX = 64 * 1024;
/** One for all: to trace the stack at each end took a fiftieth of a join. */
const CLOSED_HERE = new Failure("closed", "The connection was closed here");

/** The two ends of a connection. */
export interface ConnectionEnds {
  readonly local: Address;
  readonly remote: Address;
  /** The id of the side that was called. Empty when the connection is plain. */
  readonly calledId?: string | undefined;
}

/** One connection. Closing it more than once is harmless. */
export class Connection implements Disposable {
  static readonly #reads = new Deadlines<Connection>((late, waitMs) => void late.#end(silence(waitMs)));
  readonly local: Address;
  readonly remote: Address;
  /** The id of the side that was called. Empty when the connection is plain. */
  readonly calledId: string;
  /** How long the side that was called took to answer `HELLO`. 0 while that is not known. */
  roundTripMs = 0;
  readonly #stream: ByteStream;
  readonly #buffer = new LineBuffer(HELLO_LINE_BYTES_MAX);
  #scratchBytes = READ_BYTES_MIN;
  readonly #queue: SendQueue;
  #ended: Failure | undefined;
  #bytesRead = 0;
  /** A read that continued after `more` had waited long enough. */
  #reading: Promise<number | null> | undefined;

  constructor(stream: ByteStream, ends: ConnectionEnds) {
    this.#stream = stream;
    this.#queue = new SendQueue(stream, this);
    this.local = ends.local;
    this.remote = ends.remote;
    this.calledId = ends.calledId ?? "";
  }

  /** Why the connection is closed. Undefined while it is open. */
  get ended(): Failure | undefined {
    return this.#ended;
  }

  /** Called once, with the id of the caller's proven key. Throws "busy" when there is no place. */
  onKnown: (id: string) => void = doNothing;

  /**
   * Notes that the caller has proven its key.
   *
   * @throws {Failure} What `onKnown` throws.
   */
  known(id: string): void {
    const { onKnown } = this;
    this.onKnown = doNothing;
    onKnown(id);
  }

  /** Bytes that have arrived so far. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** Bytes of lines that were handed to the system so far, without bodies. */
  get bytesWritten(): number {
    return this.#queue.bytesWritten;
  }

  /** Whether the next message has arrived already, so that `receive` does not wait for it. */
  get hasMessage(): boolean {
    return this.#buffer.hasLine;
  }

  /** Bytes of lines that wait to be handed to the system. */
  get queuedBytes(): number {
    return this.#queue.queuedBytes;
  }

  /** Accepts lines of full length, after the other side has introduced itself. */
  trust(): void {
    this.#buffer.lineBytesMax = LINE_BYTES_MAX;
  }

  /**
   * Reads the next message.
   *
   * @returns The message, or null when the other side closed between two messages.
   * @throws {Failure} "malformed" when the line makes no sense: the line is consumed, and reading
   * can continue. "too-large", "timeout" after `waitMs`, "closed" in the middle of a line.
   */
  receive(options: { waitMs: number }): Promise<Envelope | null> {
    return this.#readMessage(options.waitMs);
  }

  /**
   * Fills `target` with the next bytes of a body, no faster than `pace`.
   *
   * @throws {Failure} "closed" when the body ends early, "timeout" when it stalls.
   */
  async readBody(target: Uint8Array, pace?: Pace): Promise<void> {
    let filled = this.#buffer.take(target);
    // What came together with the line before it also counts for the rate.
    if (filled > 0) await pace?.take(filled);
    // Small bodies come many at a time: one read takes as many of them as have arrived.
    while (pace === undefined && filled < target.length && target.length < READ_BYTES_MAX) {
      if (await this.#readOn(BODY_WAIT_MS) === null) throw this.#end(endedEarly());
      filled += this.#buffer.take(target.subarray(filled));
    }
    while (filled < target.length) {
      const end = pace === undefined ? target.length : Math.min(target.length, filled + pace.turnBytes);
      await pace?.take(end - filled);
      while (filled < end) {
        const read = await this.#readSome(target.subarray(filled, end), BODY_WAIT_MS);
        if (read === null) throw this.#end(endedEarly());
        filled += read;
      }
    }
  }

  /**
   * What has arrived and was not taken yet, for callers that do not know yet how the other side
   * speaks. Valid until more is read.
   */
  get arrived(): Uint8Array {
    return this.#buffer.waiting;
  }

  /** Takes the first `bytes` bytes of what has arrived. There have to be as many. */
  take(bytes: number): Uint8Array<ArrayBuffer> {
    const taken = new Uint8Array(bytes);
    this.#buffer.take(taken);
    return taken;
  }

  /**
   * Reads on, after what has arrived.
   *
   * @returns "more" when there is more, "end" when the other side has closed, "quiet" when nothing
   * came for `quietMs`. After "quiet", only `more` may be called to read.
   * @throws {Failure} "timeout" after `waitMs`, if there is one, or "closed".
   */
  async more(
    options: { waitMs?: number | undefined; quietMs?: number | undefined },
  ): Promise<"more" | "end" | "quiet"> {
    const { waitMs, quietMs } = options;
    const reading = this.#reading ??= this.#readOn();
    // A caller that hears "quiet" may never ask again.
    reading.catch(() => {});
    if (quietMs !== undefined && !(await settlesWithin(quietMs, reading))) return "quiet";
    if (waitMs !== undefined) this.#startWait(Connection.#reads, waitMs);
    const read = await reading.finally(() => {
      if (waitMs !== undefined) Connection.#reads.stop(this, waitMs);
    });
    this.#reading = undefined;
    return read === null ? "end" : "more";
  }

  /**
   * Sends one encoded line. Resolves when the system has it.
   *
   * @throws {Failure} "closed", or "busy" when the reader is too slow.
   */
  send(line: Uint8Array): Promise<void> {
    return this.#queue.send(line);
  }

  /** Sends a reply's line and its body, with nothing between them. */
  sendWithBody(line: Uint8Array, writeBody: BodyWriter): Promise<void> {
    return this.#queue.sendWithBody(line, writeBody);
  }

  /** Ends the writing direction after everything queued has been sent. Reading continues. */
  async endWriting(): Promise<void> {
    await this.#queue.empty;
    await this.#stream.closeWrite?.();
  }

  /** Closes at once. What waits to be sent is dropped. */
  close(reason: Failure = CLOSED_HERE): void {
    this.#end(reason);
  }

  /** Closes at once when the signal is aborted, until the result is disposed of. */
  closeOn(signal: AbortSignal | undefined): Disposable {
    return onAbort(signal, () => this.close());
  }

  /** Closes when everything queued has been sent, or after `waitMs`. */
  async closeAfterSending(waitMs: number): Promise<void> {
    const timer = setTimeout(() => this.close(), waitMs);
    await this.#queue.empty;
    clearTimeout(timer);
    this.close();
  }

  /**
   * Ends the writing direction, and closes when the other side has closed or after `waitMs`. If a
   * connection is closed while some of their bytes are unread, the system drops what is still on
   * its way to them.
   */
  async closeInOrder(waitMs: number): Promise<void> {
    await this.#queue.empty;
    const timer = setTimeout(() => this.close(), waitMs);
    try {
      await this.endWriting();
      while (this.#stream.closeWrite !== undefined && await this.more({ waitMs }) === "more") {
        this.take(this.#buffer.size);
      }
    } catch {
      // They had closed before, or do not close.
    }
    clearTimeout(timer);
    this.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** A single function that waits: each one that it called would take half a kilobyte meanwhile. */
  async #readMessage(waitMs: number): Promise<Envelope | null> {
    if (isLongTurn(this.#scratchBytes)) await nextTurn();
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

  /**
   * Reads some bytes into the buffer.
   *
   * @returns How many, or null at the end.
   */
  async #readOn(waitMs?: number): Promise<number | null> {
    const scratch = new Uint8Array(this.#scratchBytes);
    const read = await this.#readSome(scratch, waitMs);
    if (read !== null) this.#arrive(scratch, read);
    return read;
  }

  #arrive(scratch: Uint8Array<ArrayBuffer>, read: number): void {
    this.#scratchBytes = nextReadBytes(this.#scratchBytes, read);
    this.#buffer.give(scratch, read);
  }

  /**
   * Reads some bytes.
   *
   * @returns How many, or null at the end.
   * @throws {Failure} "timeout" when none come for `waitMs`, "closed".
   */
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

  /**
   * Begins a wait, which closes the stream when it takes too long. A closed connection waits for
   * nothing.
   */
  #startWait(deadlines: Deadlines<Connection>, waitMs: number): void {
    if (this.#ended === undefined) deadlines.start(this, waitMs);
  }

  #end(reason: Failure): Failure {
    if (this.#ended !== undefined) return this.#ended;
    this.#ended = reason;
    Connection.#reads.leave(this);
    this.#queue.leave();
    try {
      this.#stream.close();
    } catch (thrown) {
      if (!(thrown instanceof Deno.errors.BadResource)) throw thrown;
    }
    return reason;
  }
}

function doNothing(): void {}

function endedEarly(): Failure {
  return new Failure("closed", "Cannot read on: the other side closed in the middle");
}

/**
 * Grows a read buffer that was filled and shrinks one that was far too large, so that only busy
 * connections have large ones.
 */
function nextReadBytes(current: number, read: number): number {
  if (read === current) return Math.min(READ_BYTES_MAX, current * 4);
  return read * 4 < current ? Math.max(READ_BYTES_MIN, current / 4) : current;
}
