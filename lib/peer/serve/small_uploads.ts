/**
 * Answers that fit in memory: a small file, a piece that is packed, or many small files in one
 * body. Called by host.ts.
 * @module
 */

import { joinBytes } from "../../core/bytes.ts";
import { turnMs as turnOfLoopMs } from "../../core/flow/clock.ts";
import { PIECE_BYTES, rootOf, smallDigests } from "../../core/content.ts";
import { Failure } from "../../core/failure.ts";
import { MANY_BODY_BYTES } from "../../core/limits.ts";
import { printable } from "../../core/printable.ts";
import { type Range, rangeBytes } from "../../core/range.ts";
import type { Answer } from "../../net/answerer.ts";
import type { Download, DownloadMany } from "../../protocol/files.ts";
import type { DataOf, ReplyOf } from "../../protocol/message.ts";
import type { Share } from "../../store/share/share.ts";
import { gzip, mayShrink } from "../../transfer/pieces/compress.ts";
import { AT_ONCE_BYTES_MAX, readRange, sendBytes, sendRange } from "../../transfer/send.ts";
import type { Promised } from "./demand.ts";
import { described, type Named, type Shared, type SharedContents, wishFor } from "./shared_content.ts";
import type { Uploads } from "./uploads.ts";
import type { Visit } from "./visit.ts";

/**
 * In a turn of the event loop that has lasted longer, an answer gets no further file, so that many
 * callers of small files do not keep the others waiting.
 */
const TURN_MS_MAX = 8;

/** What the answers come from. */
export interface SmallUploadsParts {
  readonly share: Share;
  /** How long the present turn of the event loop has lasted. Default: by the system. */
  readonly turnMs?: (() => number) | undefined;
  readonly uploads: Uploads;
  readonly contents: SharedContents;
}

/** One of many files in an answer, and its bytes as they travel. */
interface Sent {
  readonly entry: ReplyOf<typeof DownloadMany>["files"][number];
  readonly bytes: Uint8Array;
}

/** The answers that fit in memory. */
export class SmallUploads {
  readonly #parts: SmallUploadsParts;

  constructor(parts: SmallUploadsParts) {
    this.#parts = parts;
  }

  /** Answers with a range of at most a piece, compressed if the caller wants that. */
  async one(
    content: Shared,
    { range, promised, compress }: {
      readonly range: Range;
      readonly promised: Promised | undefined;
      readonly compress: boolean;
    },
  ): Promise<Answer<ReplyOf<typeof Download>>> {
    const { uploads, share } = this.#parts;
    using _promised = promised;
    if (rangeBytes(range) > PIECE_BYTES) {
      throw new Failure("malformed", "Cannot compress more than one piece at a time");
    }
    using _slot = await uploads.small.take();
    using _serving = share.serve();
    const bytes = await this.#read(content, range);
    // A small answer counts as sent once it is read: it is on its way in a moment.
    promised?.sent(rangeBytes(range));
    const packed = compress ? await this.#packed(content, bytes) : undefined;
    return await this.#paced({ ...described(content), compression: packed && "gzip" as const }, packed ?? bytes);
  }

  /**
   * Answers with the first of the files that a caller wants: as many as fit in one body, up to the
   * first that cannot be sent. Where the owner has to be asked, that is one at a time.
   *
   * @throws {Failure} When the very first cannot be sent.
   */
  async many(
    visit: Visit,
    { files, compression }: DataOf<typeof DownloadMany>,
  ): Promise<Answer<ReplyOf<typeof DownloadMany>>> {
    const { uploads, share, contents, turnMs = turnOfLoopMs } = this.#parts;
    const [first] = files;
    if (first === undefined) throw new Failure("malformed", "Cannot send no file: name at least one");
    await visit.allow(wishFor(contents.wanted(first)));
    const streamed = compression === undefined ? this.#streamed(first) : undefined;
    if (streamed !== undefined) return streamed;
    using _slot = await uploads.small.take();
    using _serving = share.serve();
    const sent: Sent[] = [];
    for (const [number, each] of files.entries()) {
      if (number > 0 && !visit.allowsAll) break;
      try {
        sent.push(await this.#whole(each, compression !== undefined));
      } catch (thrown) {
        // The caller asks for it again, as the first of its next request, and hears why.
        if (number === 0 || !(thrown instanceof Failure)) throw thrown;
        break;
      }
      const bytes = sent.reduce((sum, { bytes }) => sum + bytes.length, 0);
      if (bytes >= MANY_BODY_BYTES || turnMs() > TURN_MS_MAX) break;
    }
    const body = joinBytes(sent.map(({ bytes }) => bytes));
    return await this.#paced({ files: sent.map(({ entry }) => entry) }, body);
  }

  /** Answers with one file that makes the body long enough, and is sent while it is read. */
  #streamed(wanted: Named): Answer<ReplyOf<typeof DownloadMany>> | undefined {
    const { share, contents, uploads: { pace } } = this.#parts;
    const content = contents.wanted(wanted);
    const { size, modified, executable } = described(content);
    // A file that is asked for by its name is read first, for its root.
    const isLong = size >= MANY_BODY_BYTES && size <= PIECE_BYTES && wanted.root !== undefined;
    if (!isLong || content.kind === "partial") return undefined;
    using held = new DisposableStack();
    held.use(share.serve());
    const open = held.use(contents.open(content));
    const kept = held.move();
    return {
      data: { files: [{ size, modified, executable }] },
      body: {
        bytes: size,
        write: (stream) => sendRange(open, { start: 0, end: size }, stream, { pace }),
        release: () => kept.dispose(),
      },
    };
  }

  /** Reads a whole file of at most a piece. */
  async #whole(wanted: Named, compress: boolean): Promise<Sent> {
    const content = this.#parts.contents.wanted(wanted);
    const { size, modified, executable } = described(content);
    if (size > PIECE_BYTES) {
      throw new Failure("file-changed", `"${printable(content.file.name)}" is no longer a small file`);
    }
    const range = { start: 0, end: size };
    if (content.kind === "partial" && !content.file.here.covers(range)) {
      throw new Failure("not-here", `Cannot send "${printable(content.file.name)}": it has not arrived here yet`);
    }
    const bytes = await this.#read(content, range);
    const packed = compress && size > 0 ? await this.#packed(content, bytes) : undefined;
    // Whoever asks by name does not know the root yet, and this file may not be hashed yet.
    const root = wanted.root === undefined ? rootOf(size, smallDigests(bytes)) : undefined;
    return { entry: { size, modified, executable, root, packed: packed?.length }, bytes: packed ?? bytes };
  }

  async #read(content: Shared, range: Range): Promise<Uint8Array<ArrayBuffer>> {
    return this.#readWhole(content, range) ?? await this.#readRange(content, range);
  }

  /** The bytes, compressed; undefined when that does not make them smaller. */
  async #packed({ file }: Shared, bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array | undefined> {
    return mayShrink(file.name) ? await gzip(bytes) : undefined;
  }

  /** The bytes of a small whole file. Undefined when it has to be opened. */
  #readWhole({ kind, file }: Shared, range: Range): Uint8Array<ArrayBuffer> | undefined {
    const isWhole = rangeBytes(range) === file.size && file.size <= AT_ONCE_BYTES_MAX;
    return isWhole && kind === "whole" ? this.#parts.share.read(file) : undefined;
  }

  async #readRange(content: Shared, range: Range): Promise<Uint8Array<ArrayBuffer>> {
    using open = this.#parts.contents.open(content);
    return await readRange(open, range);
  }

  /** An answer whose body goes no faster than the peer's own limit. */
  async #paced<R>(data: R, body: Uint8Array): Promise<Answer<R>> {
    const { pace } = this.#parts.uploads;
    if (pace !== undefined && body.length > pace.turnBytes) {
      return { data, body: { bytes: body.length, write: (stream) => sendBytes(body, stream, pace) } };
    }
    await pace?.take(body.length);
    return { data, body };
  }
}
