/**
 * Whose name is whose: a name belongs to the key that joined under it first, as long as the index runs, so that nobody can be somebody else while
 * that one is away. Called by the indexes.
 * @module
 */

import { NO_ID } from "../core/dialect.ts";
import { Failure } from "../core/failure.ts";
import { NAMES_BOUND_MAX } from "../core/limits.ts";
import { freePeerName } from "../core/peer_name.ts";

/** The names that have been joined under. */
export class NameBinding {
  /** Ids by `peerNameKey`; the one that joined last is last. */
  readonly #ids = new Map<string, string>();

  /** Whether a name, given by its `peerNameKey`, belongs to another key. */
  isOfAnother(key: string, id: string): boolean {
    return (this.#ids.get(key) ?? id) !== id;
  }

  /** Gives a name to a key. Beyond the bound, the name that was used longest ago is free again. Who has no key gets none. */
  bind(key: string, id: string): void {
    if (id === NO_ID) return;
    this.#ids.delete(key);
    this.#ids.set(key, id);
    const [oldest] = this.#ids.keys();
    if (this.#ids.size > NAMES_BOUND_MAX && oldest !== undefined) this.#ids.delete(oldest);
  }
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
