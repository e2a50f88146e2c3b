/**
 * Asks the index who lists a content, and finds out its true size where its root is listed with several. Called by directory.ts.
 * @module
 */

import type { Clock } from "../../core/flow/clock.ts";
import { Failure } from "../../core/failure.ts";
import { HOLDERS_LOOKED_AT_MAX, PAGE_ROWS_MAX } from "../../core/limits.ts";
import { Find } from "../../protocol/search.ts";
import type { Holder, PeerRef } from "../../protocol/shapes.ts";
import type { Content } from "../../transfer/content/content.ts";
import type { Source } from "../../transfer/content/source.ts";
import type { Contacts } from "./contacts.ts";
import type { IndexSession } from "../session/index_session.ts";
import { ListTime } from "./list_time.ts";
import { trueSize } from "./true_size.ts";

/** What looking up holders needs. */
export interface HoldersParts {
  readonly session: IndexSession;
  readonly contacts: Contacts;
  readonly clock: Clock;
  /** This peer's own name. */
  readonly self: () => string | undefined;
}

/**
 * A content with its true size. A peer that lists a known root with a false size cannot prove that size, so its claim is dropped. When nobody
 * proves a size now, the content is returned as it is.
 */
export async function settled<T extends Content & { readonly from?: string | undefined }>(
  wanted: T,
  parts: HoldersParts,
): Promise<T> {
  if (wanted.root === undefined) return wanted;
  const holders = await holdersOf(wanted.root, parts);
  const chosen = holders.filter(({ peer }) => wanted.from === undefined || peer.name === wanted.from);
  const size = await sizeOf(wanted.root, chosen, wanted.size, parts);
  return size === wanted.size ? wanted : { ...wanted, size };
}

/**
 * Somebody who holds the content with this root, of its true size.
 *
 * @throws {Failure} "not-found" when nobody lists it.
 */
export async function holderOf(root: string, parts: HoldersParts): Promise<Holder> {
  const holders = await holdersOf(root, parts);
  const [first] = holders;
  if (first === undefined) throw new Failure("not-found", "No peer here has that content");
  const size = await sizeOf(root, holders, first.size, parts);
  return holders.find((holder) => holder.size === size) ?? first;
}

/** A peer as something to download from. */
export function sourceOf({ name, id, host, port, plain }: PeerRef, file: string): Source {
  return { peer: name, id, address: { host, port }, plain, name: file };
}

/** Everybody who lists a root, with whatever size. */
async function holdersOf(root: string, { session, clock }: HoldersParts): Promise<Holder[]> {
  const time = new ListTime(clock, "which peers have that content");
  const holders: Holder[] = [];
  for (let more = true; more && holders.length < HOLDERS_LOOKED_AT_MAX;) {
    time.check();
    const page = await session.call(Find, { root, limit: PAGE_ROWS_MAX, offset: holders.length });
    holders.push(...page.holders);
    more = page.more && page.holders.length > 0;
  }
  return holders;
}

/** The size that is proven when another one than the `assumed` is claimed; the assumed one when none is. */
async function sizeOf(
  root: string,
  holders: readonly Holder[],
  assumed: number,
  { contacts, self }: HoldersParts,
): Promise<number> {
  if (holders.every(({ size }) => size === assumed)) return assumed;
  const claims = holders
    .filter(({ peer }) => peer.name !== self() && peer.dialect === undefined)
    .map(({ peer, name, size }) => ({ size, source: sourceOf(peer, name) }));
  return await trueSize(root, claims, (source, signal) => contacts.connect(source, signal)) ?? assumed;
}
