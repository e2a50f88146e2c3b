/**
 * Whose name is whose: a name belongs to the key that joined under it first, as long as the index runs, so that nobody can be somebody else while
 * that one is away. Called by session.ts.
 * @module
 */

import { Failure } from "../core/failure.ts";
import { NAMES_BOUND_MAX } from "../core/limits.ts";
import { freePeerName, peerNameKey } from "../core/peer_name.ts";

/** The names that have been joined under. */
export class NameBinding {
  /** Ids by `peerNameKey`; the one that joined last is last. */
  readonly #ids = new Map<string, string>();

  /** Fails: "name-taken" when the name belongs to another key; with a free one as suggestion. */
  check(name: string, id: string): void {
    const isTaken = (key: string): boolean => (this.#ids.get(key) ?? id) !== id;
    if (!isTaken(peerNameKey(name))) return;
    const suggestion = freePeerName(name, isTaken);
    throw new Failure("name-taken", `Cannot join as "${name}": that name belongs to somebody else here`, {
      hint: `choose another with --name; "${suggestion}" is free`,
      suggestion,
    });
  }

  /** Gives a name to a key. Beyond the bound, the name that was used longest ago is free again. */
  bind(name: string, id: string): void {
    const key = peerNameKey(name);
    this.#ids.delete(key);
    this.#ids.set(key, id);
    const [oldest] = this.#ids.keys();
    if (this.#ids.size > NAMES_BOUND_MAX && oldest !== undefined) this.#ids.delete(oldest);
  }
}
