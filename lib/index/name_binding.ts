/**
 * Which key owns which name. A name belongs to the key that joined under it first, for as long as
 * the index runs, so nobody can pose as a peer that is away. Called by the indexes.
 * @module
 */

import { addressShare } from "../core/address.ts";
import { NO_ID } from "../core/dialect.ts";
import { Failure } from "../core/failure.ts";
import { NAMES_BOUND_MAX } from "../core/limits.ts";
import { freePeerName } from "../core/peer_name.ts";

/** The names under which peers have joined. */
export class NameBinding {
  /** The owner of each name, by `peerNameKey`. The name that was used most recently is last. */
  readonly #owners = new Map<string, { readonly id: string; readonly share: string }>();
  /**
   * The names by the address from which they were used, those of each address in the same order.
   */
  readonly #byShare = new Map<string, Set<string>>();

  /** Whether a name, given by its `peerNameKey`, belongs to another key. */
  isOfAnother(key: string, id: string): boolean {
    return (this.#owners.get(key)?.id ?? id) !== id;
  }

  /**
   * Gives a name to a key that joined from `host`. A peer without a key gets no name. Beyond the
   * bound, the address with the most names loses the name that it has not used for the longest
   * time, so an address that makes up keys and names pushes out only its own.
   */
  bind(key: string, id: string, host: string): void {
    if (id === NO_ID) return;
    this.#free(key);
    const share = addressShare(host);
    this.#owners.set(key, { id, share });
    const neighbours = this.#byShare.get(share) ?? new Set();
    this.#byShare.set(share, neighbours.add(key));
    if (this.#owners.size > NAMES_BOUND_MAX) this.#free(oldestOf(this.#byShare.values()));
  }

  #free(key: string): void {
    const owner = this.#owners.get(key);
    if (owner === undefined) return;
    this.#owners.delete(key);
    const neighbours = this.#byShare.get(owner.share);
    neighbours?.delete(key);
    if (neighbours?.size === 0) this.#byShare.delete(owner.share);
  }
}

/** The first member of the largest set. */
function oldestOf(sets: Iterable<ReadonlySet<string>>): string {
  let largest: ReadonlySet<string> = new Set();
  for (const each of sets) if (each.size > largest.size) largest = each;
  const [first = ""] = largest;
  return first;
}

/**
 * The failure of a join under a name that is taken.
 *
 * @param options `isHere` is whether a peer with the name is connected. `isTaken` decides which
 * name is suggested.
 */
export async function nameTaken(
  name: string,
  { isHere, isTaken }: { isHere: boolean; isTaken: (key: string) => boolean | Promise<boolean> },
): Promise<Failure> {
  const why = isHere ? "another peer is connected under that name" : "that name belongs to another key";
  const suggestion = await freePeerName(name, isTaken);
  return new Failure("name-taken", `Cannot join as "${name}": ${why}`, {
    hint: `choose another with --name; "${suggestion}" is free`,
    suggestion,
  });
}
