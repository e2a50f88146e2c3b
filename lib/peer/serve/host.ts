/**
 * What a peer answers to other peers about files: what it shares, the digests of a file, its bytes;
 * and the same of files that it is still downloading. Nothing here writes, and every path goes
 * through lib/store. Made by peer.ts.
 * @module
 */

import type { Clock } from "../../core/flow/clock.ts";
import { DIGEST_BYTES, PIECE_BYTES } from "../../core/content.ts";
import { failedWith, Failure } from "../../core/failure.ts";
import { PAGE_DIGESTS_MAX } from "../../core/limits.ts";
import { printable } from "../../core/printable.ts";
import { type Range, rangeBytes } from "../../core/range.ts";
import { utf8Bytes } from "../../core/utf8.ts";
import { type Answer, type Route, route } from "../../net/answerer.ts";
import { fitting } from "../../protocol/batch.ts";
import { Download, Holds, List, Pieces } from "../../protocol/files.ts";
import type { DataOf, ReplyOf } from "../../protocol/message.ts";
import type { SharedFile } from "../../store/share/file_list.ts";
import type { OpenFile } from "../../store/files/folder.ts";
import type { Share } from "../../store/share/share.ts";
import { gzip, mayShrink } from "../../transfer/pieces/compress.ts";
import type { PartialCopy, Partials } from "../../transfer/content/partials.ts";
import { AT_ONCE_BYTES_MAX, readRange, sendBytes, sendRange } from "../../transfer/send.ts";
import { askedRange } from "./asked_range.ts";
import type { Wish } from "./consent.ts";
import { Demand, type Promised } from "./demand.ts";
import type { Uploads } from "./uploads.ts";
import type { Visit } from "./visit.ts";

/** What the answers come from. */
export interface HostParts {
  readonly share: Share;
  readonly partials: Partials;
  readonly clock: Clock;
  readonly uploads: Uploads;
}

/**
 * A content that this peer can send: a whole file, or the pieces of one that have arrived so far.
 */
type Shared =
  | { readonly kind: "whole"; readonly file: SharedFile }
  | { readonly kind: "partial"; readonly file: PartialCopy };

/** A range that a peer has asked for, and the promise of it when the file's root is known. */
interface Asked {
  readonly range: Range;
  readonly promised: Promised | undefined;
}

/** The part of a peer that serves files. */
export class Host {
  readonly #parts: HostParts;
  readonly #demand: Demand;

  constructor(parts: HostParts) {
    this.#parts = parts;
    this.#demand = new Demand(parts.clock);
  }

  /** The requests about files that other peers may send. */
  routes(): readonly Route<Visit>[] {
    return [
      route(List, (_: Visit, data) => this.#list(data)),
      route(Pieces, (visit: Visit, data) => this.#pieces(visit, data)),
      route(Holds, (visit: Visit, data) => this.#holds(visit, data)),
      route(Download, (visit: Visit, data) => this.#download(visit, data)),
    ];
  }

  /** Notes that the last connection of a peer has ended. */
  left(peer: string): void {
    this.#demand.left(peer);
  }

  async #list({ after, limit }: DataOf<typeof List>): Promise<Answer<ReplyOf<typeof List>>> {
    const { share, uploads: { pace } } = this.#parts;
    const { files, more } = share.files.page(after, limit);
    const sent = fitting(files);
    const data = { files: sent, more: more || sent.length < files.length };
    if (pace !== undefined) await pace.take(utf8Bytes(JSON.stringify(data)));
    return { data };
  }

  async #pieces(visit: Visit, data: DataOf<typeof Pieces>): Promise<Answer<ReplyOf<typeof Pieces>>> {
    const { share, uploads } = this.#parts;
    // A digest lets a caller check a guess of what a piece holds, so only callers that may have the
    // bytes get digests.
    let content = await this.#allowed(visit, data);
    if (data.doubt !== undefined && data.root !== undefined) {
      using _slot = await uploads.small.take();
      await share.doubt(data.root, data.doubt);
      content = this.#wanted(data);
    }
    let digests: Uint8Array;
    if (content.kind === "partial") digests = content.file.digests.subarray(data.from * DIGEST_BYTES);
    else {
      const known = await share.pieces(content.file, data.from);
      digests = known.digests;
      content = { kind: "whole", file: known.file };
    }
    const bytes = Math.min(digests.length, Math.min(data.limit, PAGE_DIGESTS_MAX) * DIGEST_BYTES);
    await uploads.pace?.take(bytes);
    return { data: described(content), body: digests.subarray(0, bytes) };
  }

  #holds(visit: Visit, { root }: DataOf<typeof Holds>): Promise<Answer<ReplyOf<typeof Holds>>> {
    const { kind, file } = this.#wanted({ root });
    visit.checkNotDenied(file);
    const { given, asking } = this.#demand.note({ root, size: file.size }, visit.caller);
    const bits = kind === "whole" ? [given.bits] : [file.here.bits, given.bits];
    const body = new Uint8Array(bits.flatMap((each) => [...each]));
    const full = this.#parts.uploads.large.isFull;
    return Promise.resolve({ data: { size: file.size, complete: kind === "whole", asking, full }, body });
  }

  async #download(visit: Visit, data: DataOf<typeof Download>): Promise<Answer<ReplyOf<typeof Download>>> {
    const content = this.#wanted(data);
    const { size, root } = content.file;
    const range = askedRange(data, size);
    if (content.kind === "partial" && !content.file.here.covers(range)) {
      throw new Failure("not-here", `Cannot send bytes ${range.start} to ${range.end}: they have not arrived here yet`);
    }
    await visit.allow(wishFor(content));
    const promised = root === undefined ? undefined : this.#demand.promise({ root, size }, visit.caller, range);
    return size <= PIECE_BYTES || data.compression !== undefined
      ? await this.#smallDownload(content, { range, promised, compress: data.compression !== undefined })
      : await this.#largeDownload(visit, content, { range, promised });
  }

  /** Answers with a range that is read into memory and, if the caller wants that, compressed. */
  async #smallDownload(
    content: Shared,
    { range, promised, compress }: Asked & { readonly compress: boolean },
  ): Promise<Answer<ReplyOf<typeof Download>>> {
    const { small, pace } = this.#parts.uploads;
    using _promised = promised;
    if (rangeBytes(range) > PIECE_BYTES) {
      throw new Failure("malformed", "Cannot compress more than one piece at a time");
    }
    using _slot = await small.take();
    using _serving = this.#parts.share.serve();
    const bytes = this.#readWhole(content, range) ?? await this.#readRange(content, range);
    // A small answer counts as sent once it is read: it is on its way in a moment.
    promised?.sent(rangeBytes(range));
    const packed = compress && mayShrink(content.file.name) ? await gzip(bytes) : undefined;
    const body = packed ?? bytes;
    const data = { ...described(content), compression: packed && "gzip" as const };
    if (pace !== undefined && body.length > pace.turnBytes) {
      return { data, body: { bytes: body.length, write: (stream) => sendBytes(body, stream, pace) } };
    }
    await pace?.take(body.length);
    return { data, body };
  }

  /** The bytes of a small whole file. Undefined when it has to be opened. */
  #readWhole({ kind, file }: Shared, range: Range): Uint8Array<ArrayBuffer> | undefined {
    const isWhole = rangeBytes(range) === file.size && file.size <= AT_ONCE_BYTES_MAX;
    return isWhole && kind === "whole" ? this.#parts.share.read(file) : undefined;
  }

  async #readRange(content: Shared, range: Range): Promise<Uint8Array<ArrayBuffer>> {
    using open = this.#open(content);
    return await readRange(open, range);
  }

  /** Answers with a range that is sent while it is read, when it is the caller's turn. */
  async #largeDownload(
    visit: Visit,
    content: Shared,
    { range, promised }: Asked,
  ): Promise<Answer<ReplyOf<typeof Download>>> {
    const { large, pace } = this.#parts.uploads;
    using held = new DisposableStack();
    held.use(promised);
    const asker = { key: visit.caller, address: visit.connection.remote.host };
    const turn = held.use(await large.take(asker, (before) => visit.reportPlace(before)));
    held.use(this.#parts.share.serve());
    const open = held.use(this.#open(content));
    const kept = held.move();
    return {
      data: described(content),
      body: {
        bytes: rangeBytes(range),
        async write(stream) {
          await sendRange(open, range, stream, { pace, turn });
          promised?.sent(rangeBytes(range));
        },
        release() {
          promised?.sent(turn.bytes);
          kept[Symbol.dispose]();
        },
      },
    };
  }

  /**
   * Finds what a request is about.
   *
   * @throws {Failure} "not-shared".
   */
  #wanted({ name, root }: { readonly name?: string | undefined; readonly root?: string | undefined }): Shared {
    const { share: { files }, partials } = this.#parts;
    const file = name !== undefined ? files.get(name) : root !== undefined ? files.byRoot(root) : undefined;
    if (file !== undefined) return { kind: "whole", file };
    const partial = name === undefined && root !== undefined ? partials.get(root) : undefined;
    if (partial !== undefined) return { kind: "partial", file: partial };
    throw new Failure("not-shared", `Cannot send "${printable(name ?? root ?? "")}": it is not shared here`);
  }

  /**
   * Finds what a request is about, and resolves when the owner allows it. When the file is replaced
   * by another one while the owner is asked, the owner is asked about that one.
   *
   * @throws {Failure} "not-shared", "refused", "busy".
   */
  async #allowed(
    visit: Visit,
    data: { readonly name?: string | undefined; readonly root?: string | undefined },
  ): Promise<Shared> {
    for (let content = this.#wanted(data);;) {
      await visit.allow(wishFor(content));
      const now = this.#wanted(data);
      if (now.file === content.file) return content;
      content = now;
    }
  }

  /**
   * Opens a content.
   *
   * @throws {Failure} "not-shared"; "not-here" when what has arrived cannot be read now.
   */
  #open({ kind, file }: Shared): OpenFile {
    if (kind === "whole") return openOrRefuse(this.#parts.share, file);
    // It may have become whole, and lie at its place, while the caller waited for its turn.
    const now = this.#parts.share.files.byRoot(file.root);
    if (now !== undefined) return openOrRefuse(this.#parts.share, now);
    try {
      return file.open();
    } catch (cause) {
      throw new Failure("not-here", `Cannot send "${printable(file.name)}": it is on its way to its place`, { cause });
    }
  }
}

/** The wish to have a content. */
function wishFor({ kind, file }: Shared): Pick<Wish, "kind" | "name" | "root" | "size" | "modified"> {
  const { name, size, root } = file;
  return { kind: "download", name, size, root, modified: kind === "whole" ? file.modified : undefined };
}

/**
 * Describes a content in the fields of the wire. A partial copy has no time, since it was never a
 * file here.
 */
function described({ kind, file }: Shared): ReplyOf<typeof Pieces> {
  const { modified = 0, executable } = kind === "partial" ? file.traits : file;
  const { name, size, root } = file;
  return {
    name,
    size,
    modified,
    executable: executable === true ? executable : undefined,
    root,
  };
}

/**
 * Opens a file. When it cannot be read, opens another copy of the same content instead.
 *
 * @throws {Failure} "not-shared" when no copy can be read: the caller has done nothing wrong and
 * cannot change it.
 */
function openOrRefuse(share: Share, file: SharedFile): OpenFile {
  const others = file.root === undefined
    ? []
    : share.files.copiesOf(file.root).filter(({ name }) => name !== file.name);
  let refusal: unknown;
  for (const copy of [file, ...others]) {
    try {
      return share.open(copy);
    } catch (thrown) {
      if (!failedWith(thrown, "no-access", "not-shared", "file-changed")) throw thrown;
      refusal ??= thrown;
    }
  }
  if (!failedWith(refusal, "no-access")) throw refusal;
  throw new Failure("not-shared", `Cannot send "${printable(file.name)}": it cannot be read`, { cause: refusal });
}
