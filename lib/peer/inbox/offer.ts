/**
 * One file that is offered to one peer over one connection. The file need not be shared, and the
 * peer may ask for nothing else there. Called by running_put.ts.
 * @module
 */

import { DIGEST_BYTES } from "../../core/content.ts";
import { Failure } from "../../core/failure.ts";
import { PAGE_DIGESTS_MAX } from "../../core/limits.ts";
import type { Pace } from "../../core/flow/pace.ts";
import { rangeBytes } from "../../core/range.ts";
import { type Answer, route, type Routes, routes } from "../../net/answerer.ts";
import { Download, Pieces } from "../../protocol/files.ts";
import type { DataOf, ReplyOf } from "../../protocol/message.ts";
import { openNamed } from "../../store/files/folder.ts";
import { sendRange } from "../../transfer/send.ts";
import { askedRange } from "../serve/asked_range.ts";

/** A file as it was when it was hashed. */
export interface Offer {
  readonly path: string;
  readonly name: string;
  readonly size: number;
  readonly modified: number;
  readonly executable: boolean;
  readonly root: string;
  readonly digests: Uint8Array;
  /** The pace of all that is sent. */
  readonly pace: Pace | undefined;
}

/** The requests that a peer may send about an offer. */
export const OFFER_ROUTES: Routes<Offer> = routes(route(Pieces, pieces), route(Download, download));

function pieces(
  offer: Offer,
  { name, root, from, limit }: DataOf<typeof Pieces>,
): Promise<Answer<ReplyOf<typeof Pieces>>> {
  checkOffered(offer, { name, root });
  const start = from * DIGEST_BYTES;
  const end = start + Math.min(limit, PAGE_DIGESTS_MAX) * DIGEST_BYTES;
  return Promise.resolve({ data: described(offer), body: offer.digests.subarray(start, end) });
}

function download(offer: Offer, data: DataOf<typeof Download>): Promise<Answer<ReplyOf<typeof Download>>> {
  checkOffered(offer, data);
  const { path, size, modified, pace } = offer;
  const range = askedRange(data, size);
  const open = openNamed(path);
  if (open.size !== size || open.modified !== modified) {
    open[Symbol.dispose]();
    throw new Failure("file-changed", `"${offer.name}" changed while it was sent`, { hint: "put it again" });
  }
  const body = {
    bytes: rangeBytes(range),
    write: (stream: Parameters<typeof sendRange>[2]) => sendRange(open, range, stream, { pace }),
    release: () => open[Symbol.dispose](),
  };
  return Promise.resolve({ data: described(offer), body });
}

function checkOffered(offer: Offer, { name, root }: { name?: string | undefined; root?: string | undefined }): void {
  if (name === undefined && root === offer.root) return;
  throw new Failure("not-shared", "Only the file that is put may be requested on this connection");
}

function described({ name, size, modified, executable, root }: Offer): ReplyOf<typeof Pieces> {
  return { name, size, modified, executable: executable ? executable : undefined, root };
}
