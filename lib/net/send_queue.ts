/**
 * The writing half of a connection: a bounded queue of lines and bodies, written in order. Called
 * by connection.ts.
 * @module
 */

import { joinBytes } from "../core/bytes.ts";
import { Failure } from "../core/failure.ts";
import { BODY_WAIT_MS, SEND_QUEUE_BYTES_MAX } from "../core/limits.ts";
import type { ByteStream } from "./byte_stream.ts";
import { Deadlines } from "./deadlines.ts";

/** Writes the body of a reply into the stream: exactly the announced bytes. */
export type BodyWriter = (stream: ByteStream) => Promise<void>;

/** The connection that a queue belongs to. */
export interface QueueOwner {
  /** Why the connection is closed. Undefined while it is open. */
  readonly ended: Failure | undefined;
  /** Closes the connection. Only the first reason counts. */
  close(reason: Failure): void;
}

/** What waits to be written on one connection. */
export class SendQueue {
  static readonly #waits = new Deadlines<SendQueue>((late, waitMs) => late.#owner.close(silence(waitMs)));
  readonly #stream: ByteStream;
  readonly #owner: QueueOwner;
  #queue: Promise<void> = Promise.resolve();
  #queuedBytes = 0;
  /** Lines that wait for an earlier write and then go together, in one call of the system. */
  #joined: { readonly lines: Uint8Array[]; readonly written: Promise<void> } | undefined;
  #bytesWritten = 0;

  constructor(stream: ByteStream, owner: QueueOwner) {
    this.#stream = stream;
    this.#owner = owner;
  }

  /** Bytes of lines that were handed to the system so far, without bodies. */
  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  /** Bytes of lines that wait to be handed to the system. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Resolves when everything that is queued now has been sent or has failed. */
  get empty(): Promise<void> {
    return this.#queue;
  }

  /**
   * Sends one encoded line. Resolves when the system has it.
   *
   * @throws {Failure} "closed", or "busy" when the reader is too slow.
   */
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

  /**
   * Sends a reply's line and its body, with nothing between them. When the body fails in the
   * middle, the connection is of no use and is closed.
   */
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

  /** Ends the waits of a connection that is closed. */
  leave(): void {
    SendQueue.#waits.leave(this);
  }

  #enqueue(write: () => Promise<void>): Promise<void> {
    const written = this.#queue.then(() => {
      if (this.#owner.ended !== undefined) throw this.#owner.ended;
      return write();
    });
    this.#queue = written.catch(() => {});
    return written;
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    try {
      for (let sent = 0; sent < bytes.length;) {
        if (this.#owner.ended === undefined) SendQueue.#waits.start(this, BODY_WAIT_MS);
        const written = await this.#stream.write(sent === 0 ? bytes : bytes.subarray(sent));
        this.#bytesWritten += written;
        sent += written;
      }
    } catch (thrown) {
      throw this.#end(Failure.from(thrown, "closed", "The connection broke"));
    } finally {
      SendQueue.#waits.stop(this, BODY_WAIT_MS);
    }
  }

  #end(reason: Failure): Failure {
    this.#owner.close(reason);
    return this.#owner.ended ?? reason;
  }
}

/** The failure of a wait that took too long. */
export function silence(waitMs: number): Failure {
  return new Failure("timeout", `The other side was silent for ${Math.round(waitMs / 1000)} s`);
}
