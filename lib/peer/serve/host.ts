/**
 * What a peer answers to other peers: what it shares, the digests of a file, its bytes; and the same of what it is still downloading. Nothing
 * here writes, and every path goes through lib/store.
 * @module
 */

import type { Clock } from "../../core/flow/clock.ts";
import { DIGEST_BYTES, PIECE_BYTES } from "../../core/content.ts";
import { failedWith, Failure } from "../../core/failure.ts";
import { PAGE_DIGESTS_MAX, SMALL_UPLOADS_MAX } from "../../core/limits.ts";
import type { Pace } from "../../core/flow/pace.ts";
import { printable } from "../../core/printable.ts";
import { type Range, rangeBytes } from "../../core/range.ts";
import { Slots } from "../../core/flow/slots.ts";
import { type Answer, type Route, route, type Routes, routes } from "../../net/answerer.ts";
import type { Connection } from "../../net/connection.ts";
import { fitting } from "../../protocol/batch.ts";
import { encodeNews } from "../../protocol/envelope.ts";
import { Asking, Download, Holds, List, Pieces, Queued } from "../../protocol/files.ts";
import type { DataOf, ReplyOf } from "../../protocol/message.ts";
import { Tell } from "../../protocol/talk.ts";
import type { SharedFile } from "../../store/share/file_list.ts";
import type { OpenFile } from "../../store/files/folder.ts";
import type { Share } from "../../store/share/share.ts";
import { gzip, mayShrink } from "../../transfer/compress.ts";
import type { PartialCopy, Partials } from "../../transfer/partials.ts";
import { readRange, sendBytes, sendRange } from "../../transfer/send.ts";
import type { Consent, Wish } from "./consent.ts";
import { Demand, type Promised } from "./demand.ts";
import { PICTURE_ROUTES, type Pictures } from "../pictures/pictures.ts";
import type { Talk } from "../talk/talk.ts";
import type { Inbox } from "../inbox/inbox.ts";
import { INBOX_ROUTES } from "../inbox/inbox_routes.ts";
import { slotsAt, UploadLine } from "./upload_line.ts";
import type { Acquaintances, Who } from "../find/who.ts";

/** What the answers come from. */
export interface HostParts {
  readonly share: Share;
  readonly partials: Partials;
  readonly clock: Clock;
  /** How many large uploads run at once. */
  readonly slots: number;
  /** The pace of all that is sent. */
  readonly pace: Pace | undefined;
  readonly consent: Consent;
  readonly pictures: Pictures;
  readonly talk: Talk;
  /** Where others put files. */
  readonly inbox: Inbox;
  readonly acquaintances: Acquaintances;
}

/** The serving side of a peer. */
export class Host {
  readonly parts: HostParts;
  readonly line: UploadLine;
  /** Small answers never wait behind a film. */
  readonly small = new Slots(SMALL_UPLOADS_MAX);
  readonly demand: Demand;
  readonly #visits = new Set<Visit>();

  constructor(parts: HostParts) {
    this.parts = parts;
    this.line = new UploadLine(slotsAt(parts.slots, parts.pace?.bytesPerSecond));
    this.demand = new Demand(parts.clock);
  }

  /** What asks over one connection, until it is disposed of. */
  visit(connection: Connection): Visit {
    const visit: Visit = new Visit(this, connection, () => {
      this.#visits.delete(visit);
      if (!this.#visits.values().some(({ caller }) => caller === visit.caller)) this.demand.left(visit.caller);
    });
    this.#visits.add(visit);
    return visit;
  }

  /** Ends the visits of a key, and whatever runs for them. */
  endVisitsOf(id: string): void {
    for (const { caller, connection } of this.#visits) if (caller === id) connection.close(notWelcome());
  }
}

/** One connection of a peer that asks. */
export class Visit implements Disposable {
  readonly host: Host;
  readonly connection: Connection;
  readonly #onOver: () => void;
  /** The id of who calls, whose turns are counted; empty as long as it is not proven. */
  caller = "";
  /** What it calls itself. */
  claimedName: string | undefined;

  constructor(host: Host, connection: Connection, onOver: () => void) {
    this.host = host;
    this.connection = connection;
    this.#onOver = onOver;
  }

  [Symbol.dispose](): void {
    this.#onOver();
  }

  /** Fails: "refused" for a key that the owner has blocked. */
  demandWelcome(): void {
    if (this.host.parts.acquaintances.isBlocked(this.caller)) throw notWelcome();
  }

  /** Identifies the caller. */
  async who(): Promise<Who> {
    return await this.host.parts.acquaintances.who(this);
  }

  /** Waits until the owner of this peer lets it have what it wants. Fails: "refused", "busy". */
  async allow(wish: Pick<Wish, "kind" | "name" | "root" | "size" | "modified">): Promise<void> {
    const { consent } = this.host.parts;
    if (consent.isOpen) return;
    const { name: peer, key } = await this.who();
    const tell = (): Promise<void> => this.connection.send(encodeNews(Asking, {}));
    await consent.allow({ ...wish, id: this.caller, peer, key }, tell, { host: this.connection.remote.host });
  }

  /** Fails: "refused" where nobody may download, and this peer is no exception. */
  demandNotDenied({ name, size }: Pick<Wish, "name" | "size">): void {
    this.host.parts.consent.demandNotDenied({ kind: "download", name, size, id: this.caller });
  }

  /** Tells the peer how many are before it. */
  tellPlace(before: number): Promise<void> {
    return this.connection.send(encodeNews(Queued, { before }));
  }
}

/** A file, or what is here of one. */
type Shared = SharedFile | PartialCopy;

/** What peers may ask a peer. */
export const HOST_ROUTES: Routes<Visit> = routes(
  ...[
    route(List, list),
    route(Pieces, pieces),
    route(Holds, holds),
    route(Download, download),
    ...PICTURE_ROUTES,
    route(Tell, async (visit: Visit, message) => ({ data: await visit.host.parts.talk.take(visit, message) })),
    ...INBOX_ROUTES,
  ].map(unlessBlocked),
);

/** The same answer, but none to a key that is blocked. */
function unlessBlocked({ method, answer }: Route<Visit>): Route<Visit> {
  return {
    method,
    async answer(visit, data, id) {
      visit.demandWelcome();
      return await answer(visit, data, id);
    },
  };
}

function notWelcome(): Failure {
  return new Failure("refused", "The owner accepts no requests from you", { hint: "talk to the owner" });
}

async function list({ host }: Visit, { after, limit }: DataOf<typeof List>): Promise<Answer<ReplyOf<typeof List>>> {
  const { pace, share } = host.parts;
  const { files, more } = share.files.page(after, limit);
  const sent = fitting(files);
  const data = { files: sent, more: more || sent.length < files.length };
  if (pace !== undefined) await pace.take(new TextEncoder().encode(JSON.stringify(data)).length);
  return { data };
}

async function pieces(visit: Visit, data: DataOf<typeof Pieces>): Promise<Answer<ReplyOf<typeof Pieces>>> {
  const { host } = visit;
  const { share } = host.parts;
  // With its digest, a caller can check a guess of what a piece holds, so only callers that may have the bytes get digests.
  let content = await allowedContent(visit, data);
  if (data.doubt !== undefined && data.root !== undefined) {
    using _slot = await host.small.take();
    await share.doubt(data.root, data.doubt);
    content = wanted(host, data);
  }
  const known = "here" in content
    ? { file: content, digests: content.digests.subarray(data.from * DIGEST_BYTES) }
    : await share.pieces(content, data.from);
  const bytes = Math.min(known.digests.length, Math.min(data.limit, PAGE_DIGESTS_MAX) * DIGEST_BYTES);
  await host.parts.pace?.take(bytes);
  return { data: listed(known.file), body: known.digests.subarray(0, bytes) };
}

function holds(visit: Visit, { root }: DataOf<typeof Holds>): Promise<Answer<ReplyOf<typeof Holds>>> {
  const content = wanted(visit.host, { root });
  visit.demandNotDenied(content);
  const { given, asking } = visit.host.demand.note({ root, size: content.size }, visit.caller);
  const complete = !("here" in content);
  const bits = complete ? [given.bits] : [content.here.bits, given.bits];
  const body = new Uint8Array(bits.flatMap((each) => [...each]));
  return Promise.resolve({ data: { size: content.size, complete, asking, full: visit.host.line.isFull }, body });
}

async function download(visit: Visit, data: DataOf<typeof Download>): Promise<Answer<ReplyOf<typeof Download>>> {
  const { host } = visit;
  const content = wanted(host, data);
  const range = { start: data.start, end: data.end ?? content.size };
  if (range.end > content.size || range.start > range.end) {
    throw new Failure("malformed", `Cannot send bytes ${range.start} to ${range.end}: the file has ${content.size}`);
  }
  if ("here" in content && !content.here.covers(range)) {
    throw new Failure("not-here", `Cannot send bytes ${range.start} to ${range.end}: they have not arrived here yet`);
  }
  await visit.allow(wishFor(content));
  const { root, size } = content;
  const promised = root === undefined ? undefined : host.demand.promise({ root, size }, visit.caller, range);
  return content.size <= PIECE_BYTES || data.compression !== undefined
    ? await smallDownload(visit, content, { range, promised, compress: data.compression !== undefined })
    : await largeDownload(visit, content, { range, promised });
}

/** A range that somebody asked for, and the promise of it, when its content is known. */
interface Asked {
  readonly range: Range;
  readonly promised: Promised | undefined;
}

/** A range that is read into memory and, if asked for, packed. */
async function smallDownload(
  { host }: Visit,
  content: Shared,
  { range, promised, compress }: Asked & { readonly compress: boolean },
): Promise<Answer<ReplyOf<typeof Download>>> {
  using _promised = promised;
  if (rangeBytes(range) > PIECE_BYTES) throw new Failure("malformed", "Cannot pack more than a piece at a time");
  using _slot = await host.small.take();
  using open = openContent(host, content);
  const bytes = await readRange(open, range);
  // A small answer counts as sent once it is read: it is on its way in a moment.
  promised?.sent(rangeBytes(range));
  const packed = compress && mayShrink(content.name) ? await gzip(bytes) : undefined;
  const body = packed ?? bytes;
  const data = { ...listed(content), ...(packed === undefined ? {} : { compression: "gzip" as const }) };
  const { pace } = host.parts;
  if (pace !== undefined && body.length > pace.turnBytes) {
    return { data, body: { bytes: body.length, write: (stream) => sendBytes(body, stream, pace) } };
  }
  await pace?.take(body.length);
  return { data, body };
}

/** A range that is sent as it is read, when it is this peer's turn. */
async function largeDownload(
  visit: Visit,
  content: Shared,
  { range, promised }: Asked,
): Promise<Answer<ReplyOf<typeof Download>>> {
  const { host } = visit;
  using held = new DisposableStack();
  held.use(promised);
  const asker = { key: visit.caller, address: visit.connection.remote.host };
  const turn = held.use(await host.line.take(asker, (before) => visit.tellPlace(before)));
  const open = held.use(openContent(host, content));
  const kept = held.move();
  return {
    data: listed(content),
    body: {
      bytes: rangeBytes(range),
      async write(stream) {
        await sendRange(open, range, stream, { pace: host.parts.pace, turn });
        promised?.sent(rangeBytes(range));
      },
      release() {
        promised?.sent(turn.bytes);
        kept[Symbol.dispose]();
      },
    },
  };
}

/** The file a request is about, or the part of it that is here. */
function wanted({ parts }: Host, { name, root }: { name?: string; root?: string }): Shared {
  const { files } = parts.share;
  const content = name === undefined
    ? root === undefined ? undefined : files.byRoot(root) ?? parts.partials.get(root)
    : files.get(name);
  if (content !== undefined) return content;
  throw new Failure("not-shared", `Cannot send "${printable(name ?? root ?? "")}": it is not shared here`);
}

/** What a request is about, when its owner lets the visitor have it. While a person was asked, it may have become another file: then that is asked about. */
async function allowedContent(visit: Visit, data: { name?: string; root?: string }): Promise<Shared> {
  for (let content = wanted(visit.host, data);;) {
    await visit.allow(wishFor(content));
    const now = wanted(visit.host, data);
    if (now === content) return content;
    content = now;
  }
}

/** The wish to have a content. */
function wishFor(content: Shared): Pick<Wish, "kind" | "name" | "root" | "size" | "modified"> {
  const { name, size, root } = content;
  const version = "here" in content ? {} : { modified: content.modified };
  return { kind: "download", name, size, ...version, ...(root === undefined ? {} : { root }) };
}

/** What is sent in the words of the wire. A partial copy has no time: it was never a file here. */
function listed(content: Shared): ReplyOf<typeof Pieces> {
  const { modified = 0, executable } = "here" in content ? content.traits : content;
  const { name, size, root } = content;
  return {
    name,
    size,
    modified,
    ...(executable === true ? { executable } : {}),
    ...(root === undefined ? {} : { root }),
  };
}

function openContent({ parts }: Host, content: Shared): OpenFile {
  return "here" in content ? content.open() : openOrRefuse(parts.share, content);
}

/** Opens a file, or where that cannot be read another copy of the same content. It is no fault of the peer that asks, and nothing it could mend. */
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
