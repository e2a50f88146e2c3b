/**
 * What a peer answers to other peers about files: what it shares, the digests of a file, its bytes;
 * and the same of files that it is still downloading. Nothing here writes, and every path goes
 * through lib/store. Made by peer.ts.
 * @module
 */

import type { Clock } from "../../core/flow/clock.ts";
import { DIGEST_BYTES, PIECE_BYTES } from "../../core/content.ts";
import { Failure } from "../../core/failure.ts";
import { PAGE_DIGESTS_MAX } from "../../core/limits.ts";
import { type Range, rangeBytes } from "../../core/range.ts";
import { utf8Bytes } from "../../core/utf8.ts";
import { type Answer, type Route, route } from "../../net/answerer.ts";
import { fitting } from "../../protocol/batch.ts";
import { Download, DownloadMany, Holds, List, Pieces } from "../../protocol/files.ts";
import type { DataOf, ReplyOf } from "../../protocol/message.ts";
import type { Partials } from "../../transfer/content/partials.ts";
import { sendRange } from "../../transfer/send.ts";
import { askedRange } from "./asked_range.ts";
import { Demand, type Promised } from "./demand.ts";
import { described, type Named, type Shared, SharedContents, wishFor } from "./shared_content.ts";
import { SmallUploads, type SmallUploadsParts } from "./small_uploads.ts";
import type { Visit } from "./visit.ts";

/** What the answers come from. */
export interface HostParts extends Omit<SmallUploadsParts, "contents"> {
  readonly partials: Partials;
  readonly clock: Clock;
}

/** A range that a peer has asked for, and the promise of it when the file's root is known. */
interface Asked {
  readonly range: Range;
  readonly promised: Promised | undefined;
}

/** The part of a peer that serves files. */
export class Host {
  readonly #parts: HostParts;
  readonly #contents: SharedContents;
  readonly #demand: Demand;
  readonly #small: SmallUploads;

  constructor(parts: HostParts) {
    this.#parts = parts;
    this.#contents = new SharedContents(parts);
    this.#demand = new Demand(parts.clock);
    this.#small = new SmallUploads({ ...parts, contents: this.#contents });
  }

  /** The requests about files that other peers may send. */
  routes(): readonly Route<Visit>[] {
    return [
      route(List, (_: Visit, data) => this.#list(data)),
      route(Pieces, (visit: Visit, data) => this.#pieces(visit, data)),
      route(Holds, (visit: Visit, data) => this.#holds(visit, data)),
      route(Download, (visit: Visit, data) => this.#download(visit, data)),
      route(DownloadMany, (visit: Visit, data) => this.#small.many(visit, data)),
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
      content = this.#contents.wanted(data);
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
    const { kind, file } = this.#contents.wanted({ root });
    visit.checkNotDenied(file);
    const { given, asking } = this.#demand.note({ root, size: file.size }, visit.caller);
    const bits = kind === "whole" ? [given.bits] : [file.here.bits, given.bits];
    const body = new Uint8Array(bits.flatMap((each) => [...each]));
    const full = this.#parts.uploads.large.isFull;
    return Promise.resolve({ data: { size: file.size, complete: kind === "whole", asking, full }, body });
  }

  async #download(visit: Visit, data: DataOf<typeof Download>): Promise<Answer<ReplyOf<typeof Download>>> {
    const content = this.#contents.wanted(data);
    const { size, root } = content.file;
    const range = askedRange(data, size);
    if (content.kind === "partial" && !content.file.here.covers(range)) {
      throw new Failure("not-here", `Cannot send bytes ${range.start} to ${range.end}: they have not arrived here yet`);
    }
    await visit.allow(wishFor(content));
    if (data.alone === true) this.#checkAlone(visit, content);
    const promised = root === undefined ? undefined : this.#demand.promise({ root, size }, visit.caller, range);
    return size <= PIECE_BYTES || data.compression !== undefined
      ? await this.#small.one(content, { range, promised, compress: data.compression !== undefined })
      : await this.#largeDownload(visit, content, { range, promised });
  }

  /** @throws {Failure} "busy" when others download a content, or when it cannot be sent at once. */
  #checkAlone(visit: Visit, { kind, file: { root, size } }: Shared): void {
    const { asking } = root === undefined ? { asking: 1 } : this.#demand.note({ root, size }, visit.caller);
    if (kind === "whole" && asking <= 1 && !this.#parts.uploads.large.isFull) return;
    throw new Failure("busy", "Others download this too, or would have to wait");
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
    const open = held.use(this.#contents.open(content));
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
   * Finds what a request is about, and resolves when the owner allows it. When the file is replaced
   * by another one while the owner is asked, the owner is asked about that one.
   *
   * @throws {Failure} "not-shared", "refused", "busy".
   */
  async #allowed(
    visit: Visit,
    data: Named,
  ): Promise<Shared> {
    for (let content = this.#contents.wanted(data);;) {
      await visit.allow(wishFor(content));
      const now = this.#contents.wanted(data);
      if (now.file === content.file) return content;
      content = now;
    }
  }
}
