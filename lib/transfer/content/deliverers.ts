/**
 * Which peers have given this one something, over all its downloads: the next one asks them first. Kept by lib/peer/peer.ts.
 * @module
 */

import { DELIVERERS_KEPT_MAX } from "../../core/limits.ts";
import type { Source } from "./source.ts";

/** The peers that gave something; of too many, those are forgotten that have given nothing for longest. */
export class Deliverers {
  readonly #last = new Set<string>();

  /** Notes that something verified came from a source. */
  note(source: Source): void {
    const key = keyOf(source);
    this.#last.delete(key);
    this.#last.add(key);
    const [oldest] = this.#last;
    if (this.#last.size > DELIVERERS_KEPT_MAX && oldest !== undefined) this.#last.delete(oldest);
  }

  /** Whether something came from a source. */
  has(source: Source): boolean {
    return this.#last.has(keyOf(source));
  }
}

/** Another peer under a name that was used before has another key. */
function keyOf({ peer, id }: Source): string {
  return `${id} ${peer}`;
}
