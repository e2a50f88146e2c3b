/**
 * Bodies that are too large for memory, such as files: they are read while they are sent, whole or
 * as a range (RFC 9110, 14). Routes answer with one; api.ts makes the response.
 * @module
 */

import { Failure } from "../core/failure.ts";
import { type Range, rangeBytes } from "../core/range.ts";
import { CHUNK_BYTES } from "./exchange.ts";
import { HttpFailure } from "./failure.ts";

/** What a stored body is made of. */
export interface StoredBodyOptions {
  readonly size: number;
  readonly type: string;
  /**
   * Identifies these bytes among all that were ever at this path, so that a client can ask for the
   * rest of them.
   */
  readonly tag: string;
  /** Opens the bytes when the first of them is needed. */
  readonly open: () => Promise<ByteReader>;
}

/**
 * Reads bytes at any place. It is closed when they have been sent, or the client has disconnected.
 */
export interface ByteReader extends Disposable {
  /**
   * Reads at least one byte.
   *
   * @param start The place of the first byte.
   * @returns How many bytes were read into `target`; 0 when there are none.
   */
  readAt(target: Uint8Array, start: number): Promise<number>;
}

/** A body that is read while it is sent. */
export class StoredBody {
  readonly #options: StoredBodyOptions;

  constructor(options: StoredBodyOptions) {
    this.#options = options;
  }

  /**
   * Makes the response to a request.
   *
   * @param asked The headers of the request.
   * @param headers Headers that the response has in any case.
   * @throws {HttpFailure} 416 when the body has no byte of the range.
   */
  respond(asked: Headers, headers: Headers): Response {
    const { size, type } = this.#options;
    const tag = `"${this.#options.tag}"`;
    headers.set("accept-ranges", "bytes");
    headers.set("etag", tag);
    if (hasMatch(asked.get("if-none-match"), tag)) return new Response(null, { status: 304, headers });
    headers.set("content-type", type);
    const condition = asked.get("if-range");
    const wanted = condition === null || condition === tag ? asked.get("range") : null;
    const range = wanted === null ? undefined : readRange(wanted, size);
    const { start, end } = range ?? { start: 0, end: size };
    headers.set("content-length", String(end - start));
    if (range !== undefined) headers.set("content-range", `bytes ${start}-${end - 1}/${size}`);
    const bytes = start === end ? null : new ReadableStream(new RangeSource(this.#options.open, { start, end }));
    return new Response(bytes, { status: range === undefined ? 200 : 206, headers });
  }
}

/** Reads a range into the buffers of the stream that is made of it. */
class RangeSource implements UnderlyingByteSource {
  readonly type = "bytes";
  /** For readers of the stream that bring no buffer. */
  readonly autoAllocateChunkSize = CHUNK_BYTES;
  readonly #open: StoredBodyOptions["open"];
  readonly #end: number;
  #at: number;
  #reader: ByteReader | undefined;
  #pulling: Promise<void> = Promise.resolve();

  constructor(open: StoredBodyOptions["open"], { start, end }: Range) {
    this.#open = open;
    this.#at = start;
    this.#end = end;
  }

  pull(controller: ReadableByteStreamController): Promise<void> {
    return this.#pulling = this.#pull(controller);
  }

  /** Closes the reader, when it is not reading any more. */
  async cancel(): Promise<void> {
    await this.#pulling.catch(() => {});
    this.#close();
  }

  async #pull(controller: ReadableByteStreamController): Promise<void> {
    const request = controller.byobRequest;
    const view = request?.view;
    if (!(view instanceof Uint8Array)) throw new TypeError("Cannot get here: every read has a buffer");
    try {
      this.#reader ??= await this.#open();
      const target = view.subarray(0, Math.min(view.length, this.#end - this.#at));
      const read = await this.#reader.readAt(target, this.#at);
      if (read === 0) throw new Failure("file-changed", "Cannot send the body: it has become shorter");
      this.#at += read;
      request?.respond(read);
    } catch (thrown) {
      this.#close();
      throw thrown;
    }
    if (this.#at < this.#end) return;
    this.#close();
    controller.close();
  }

  #close(): void {
    this.#reader?.[Symbol.dispose]();
    this.#reader = undefined;
  }
}

/**
 * Reads a Range header. A header that cannot be read, and one with several ranges, is ignored, as
 * RFC 9110 allows.
 *
 * @param size The size of the whole body.
 * @returns The range; undefined for the whole body.
 * @throws {HttpFailure} 416 when the body has no byte of the range.
 */
export function readRange(header: string, size: number): Range | undefined {
  const [, first = "", last = ""] = /^\s*bytes\s*=\s*(\d{0,15})-(\d{0,15})\s*$/i.exec(header) ?? [];
  if (first === "" && last === "") return undefined;
  if (first !== "" && last !== "" && Number(last) < Number(first)) return undefined;
  const range = first === ""
    ? { start: Math.max(0, size - Number(last)), end: size }
    : { start: Number(first), end: last === "" ? size : Math.min(size, Number(last) + 1) };
  if (rangeBytes(range) > 0) return range;
  throw new HttpFailure(new Failure("usage", `Cannot send that range: there are ${size} bytes`), {
    status: 416,
    headers: { "content-range": `bytes */${size}` },
  });
}

/**
 * Whether an If-None-Match header names a tag. A tag that was made weak on the way counts as the
 * same.
 *
 * @param tag The tag, with its quotes.
 */
export function hasMatch(header: string | null, tag: string): boolean {
  return header?.split(",").some((each) => ["*", tag].includes(each.trim().replace(/^W\//, ""))) ?? false;
}
