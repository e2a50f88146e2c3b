/**
 * A bounded number of places, shared fairly among addresses and, at one address, among keys. Used
 * wherever many strangers may want something at the same time: connections, HTTP requests,
 * dial-backs, pictures, questions. Pure: the time is an argument.
 *
 * One holder may have all free places. When none is left and another holder comes, the one with
 * most places loses one. So a whole class behind one address loses nothing while there is room, and
 * one machine cannot keep out the others.
 * @module
 */

import { addressShare } from "../address.ts";

/** A connection that wants a place. */
export interface Holder {
  /** The observed address. IPv6 addresses of one /64 count as one. */
  readonly host: string;
  /** The proven key. Empty for a stranger. */
  readonly key?: string | undefined;
}

/**
 * The answer to a request for a place: whether it was given, and which item has lost its place for
 * it.
 */
export type Entered<T> =
  | { readonly given: true; readonly displaced: T | undefined }
  | { readonly given: false };

/** The rules of some places. */
export interface PlacesOptions {
  readonly total: number;
  /**
   * Which item of the holder with most places goes first: items that have worked for long should
   * stay, items that wait for nothing should go.
   */
  readonly first: "oldest" | "newest";
  /**
   * An item that is older than this also goes when no holder has more places than the new one.
   * Default: never.
   */
  readonly graceMs?: number | undefined;
}

interface Taken<T> {
  readonly item: T;
  readonly share: string;
  readonly key: string;
  readonly sinceMs: number;
}

/** The items of one address, by key, in order of arrival. */
interface Share<T> {
  count: number;
  readonly keys: Map<string, Set<Taken<T>>>;
}

/** Places and the items that hold them. */
export class Places<T> {
  readonly #options: PlacesOptions;
  readonly #taken = new Map<T, Taken<T>>();
  readonly #shares = new Map<string, Share<T>>();

  constructor(options: PlacesOptions) {
    this.#options = options;
  }

  /** How many places are taken. */
  get size(): number {
    return this.#taken.size;
  }

  /** Whether an item has a place. */
  has(item: T): boolean {
    return this.#taken.has(item);
  }

  /** The items with a place, in order of arrival. */
  items(): MapIterator<T> {
    return this.#taken.keys();
  }

  /**
   * Gives an item a place, if necessary that of another item.
   *
   * @param nowMs Any clock that does not go back.
   * @returns Which item has lost its place; the caller has to end it.
   */
  enter(item: T, holder: Holder, nowMs: number): Entered<T> {
    const { host, key = "" } = holder;
    const share = addressShare(host);
    const victim = this.#taken.size < this.#options.total ? undefined : this.#victim(share, key, nowMs);
    if (victim === null) return { given: false };
    if (victim !== undefined) this.leave(victim.item);
    this.#put({ item, share, key, sinceMs: nowMs });
    return { given: true, displaced: victim?.item };
  }

  /** Frees the place of an item, if it has one. */
  leave(item: T): void {
    const taken = this.#taken.get(item);
    if (taken === undefined) return;
    this.#taken.delete(item);
    const share = this.#shares.get(taken.share);
    const ofKey = share?.keys.get(taken.key);
    if (share === undefined || ofKey === undefined) return;
    share.count -= 1;
    ofKey.delete(taken);
    if (ofKey.size === 0) share.keys.delete(taken.key);
    if (share.count === 0) this.#shares.delete(taken.share);
  }

  #put(taken: Taken<T>): void {
    const share = this.#shares.get(taken.share) ?? { count: 0, keys: new Map<string, Set<Taken<T>>>() };
    this.#shares.set(taken.share, share);
    const ofKey = share.keys.get(taken.key) ?? new Set();
    share.keys.set(taken.key, ofKey);
    share.count += 1;
    ofKey.add(taken);
    this.#taken.set(taken.item, taken);
  }

  /** The item that gives its place to a holder with this address and key, or null if none does. */
  #victim(share: string, key: string, nowMs: number): Taken<T> | null {
    const own = this.#shares.get(share);
    const ownCount = own?.count ?? 0;
    const most = largest(this.#shares.values(), ({ count }) => count);
    if (most === undefined) return null;
    // Less than two more: they would only push each other out.
    if (most.count >= ownCount + 2) return this.#firstOf(most);
    if (own !== undefined) {
      const ofKey = largest(own.keys.values(), ({ size }) => size);
      if (ofKey !== undefined && ofKey.size >= (own.keys.get(key)?.size ?? 0) + 2) return this.#firstOf(own);
    }
    const { graceMs = Infinity } = this.#options;
    const oldest = this.#firstOf(most);
    return nowMs - oldest.sinceMs >= graceMs ? oldest : null;
  }

  #firstOf(share: Share<T>): Taken<T> {
    const ofKey = largest(share.keys.values(), ({ size }) => size);
    const first = this.#options.first === "oldest" ? ofKey?.values().next().value : [...ofKey ?? []].at(-1);
    if (first === undefined) throw new RangeError("Cannot get here: a share without items is deleted");
    return first;
  }
}

/** The largest element, or the first of several. */
function largest<E>(all: Iterable<E>, sizeOf: (each: E) => number): E | undefined {
  let most: E | undefined;
  for (const each of all) if (most === undefined || sizeOf(each) > sizeOf(most)) most = each;
  return most;
}
