/**
 * Asks the index which peers list a content, and finds out its true size when they list different
 * ones. Called by finder.ts.
 * @module
 */

import type { Clock } from "../../core/flow/clock.ts";
import { Failure } from "../../core/failure.ts";
import { HOLDERS_LOOKED_AT_MAX, PAGE_ROWS_MAX } from "../../core/limits.ts";
import type { Holder } from "../../protocol/shapes.ts";
import type { WantedContent } from "../../transfer/content/content.ts";
import type { Contacts } from "./contacts.ts";
import type { IndexQueries } from "./index_queries.ts";
import { ListTime } from "./list_time.ts";
import { sourceOf } from "./peer_refs.ts";
import { trueSize } from "./true_size.ts";

/** What looking up holders needs. */
export interface HoldersOptions {
  readonly queries: IndexQueries;
  readonly contacts: Contacts;
  readonly clock: Clock;
  /** This peer's own name; undefined for a guest. */
  readonly self: () => string | undefined;
}

/**
 * A content with its true size and the peers that list it with that. A peer that lists a known root
 * with a false size cannot prove that size, so its claim is dropped. When no peer proves a size
 * now, the size stays as it is.
 */
export async function settled<T extends WantedContent>(
  wanted: T,
  options: HoldersOptions,
): Promise<T> {
  if (wanted.root === undefined) return wanted;
  const [first, second] = wanted.peers;
  if (first !== undefined && second === undefined) options.contacts.prepare(sourceOf(first, wanted.name));
  const holders = await holdersOf(wanted.root, options);
  const chosen = holders.filter(({ peer }) => wanted.from === undefined || peer.name === wanted.from);
  const size = await sizeOf(wanted.root, chosen, wanted.size, options);
  const sources = chosen
    .filter(({ peer, size: listed }) => listed === size && peer.name !== options.self())
    .slice(0, PAGE_ROWS_MAX)
    .map(({ peer, name }) => sourceOf(peer, name));
  return { ...wanted, size, sources };
}

/**
 * A peer that holds the content with this root, of its true size.
 *
 * @throws {Failure} "not-found" when no peer lists it.
 */
export async function holderOf(root: string, options: HoldersOptions): Promise<Holder> {
  const holders = await holdersOf(root, options);
  const [first] = holders;
  if (first === undefined) throw new Failure("not-found", "No peer here has that content");
  const size = await sizeOf(root, holders, first.size, options);
  return holders.find((holder) => holder.size === size) ?? first;
}

/** All peers that list a root, with whatever size. */
async function holdersOf(root: string, { queries, clock }: HoldersOptions): Promise<Holder[]> {
  const time = new ListTime(clock, "which peers have that content");
  const holders: Holder[] = [];
  for (let more = true; more && holders.length < HOLDERS_LOOKED_AT_MAX;) {
    time.check();
    const page = await queries.holders(root, { offset: holders.length });
    holders.push(...page.holders);
    more = page.more && page.holders.length > 0;
  }
  return holders;
}

/**
 * The size that a peer proves, when some claim another one than `assumed`; `assumed` when none
 * proves any.
 */
async function sizeOf(
  root: string,
  holders: readonly Holder[],
  assumed: number,
  { contacts, self }: HoldersOptions,
): Promise<number> {
  if (holders.every(({ size }) => size === assumed)) return assumed;
  const claims = holders
    .filter(({ peer }) => peer.name !== self() && peer.dialect === undefined)
    .map(({ peer, name, size }) => ({ size, source: sourceOf(peer, name) }));
  return await trueSize(root, claims, (source, signal) => contacts.connect(source, signal)) ?? assumed;
}
