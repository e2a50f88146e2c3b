/**
 * Whose name is whose: a name belongs to the key that joined under it first, as long as the index runs, so that nobody can be somebody else while
 * that one is away. Called by the indexes.
 * @module
 */

import { addressShare } from "../core/address.ts";
import { NO_ID } from "../core/dialect.ts";
import { Failure } from "../core/failure.ts";
import { NAMES_BOUND_MAX } from "../core/limits.ts";
import { freePeerName } from "../core/peer_name.ts";

/** The names that have been joined under. */
export class NameBinding {
  /** Who has a name, by `peerNameKey`; the one that joined last is last. */
  readonly #owners = new Map<string, { readonly id: string; readonly share: string }>();
  /** The names by the address from which they were joined under, those of each in the same order. */
  readonly #byShare = new Map<string, Set<string>>();

  /** Whether a name, given by its `peerNameKey`, belongs to another key. */
  isOfAnother(key: string, id: string): boolean {
    return (this.#owners.get(key)?.id ?? id) !== id;
  }

  /**
   * Gives a name to a key that joined from `host`. Beyond the bound, the name that was used longest ago at the address with most of them is free
   * again, so that who makes up keys and names pushes out his own. Who has no key gets none.
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

/** The first of the largest set. */
function oldestOf(sets: Iterable<ReadonlySet<string>>): string {
  let largest: ReadonlySet<string> = new Set();
  for (const each of sets) if (each.size > largest.size) largest = each;
  const [first = ""] = largest;
  return first;
}

/** Says that a name is somebody else's, with one that `isTaken` says is free as suggestion. */
export async function nameTaken(
  name: string,
  { isHere, isTaken }: { isHere: boolean; isTaken: (key: string) => boolean | Promise<boolean> },
): Promise<Failure> {
  const why = isHere ? "somebody here has that name" : "that name belongs to somebody else here";
  const suggestion = await freePeerName(name, isTaken);
  return new Failure("name-taken", `Cannot join as "${name}": ${why}`, {
    hint: `choose another with --name; "${suggestion}" is free`,
    suggestion,
  });
}
