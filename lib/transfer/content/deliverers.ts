/**
 * Which peers have delivered something to this peer, over all its downloads. The next download asks
 * them first.
 * @module
 */

import { DELIVERERS_KEPT_MAX } from "../../core/limits.ts";
import type { Source } from "./source.ts";

/**
 * The peers that delivered something. When there are too many, the one with the oldest last
 * delivery is dropped.
 */
export class Deliverers {
  readonly #last = new Set<string>();

  /** Notes that a source delivered verified bytes. */
  note(source: Source): void {
    const key = keyOf(source);
    this.#last.delete(key);
    this.#last.add(key);
    const [oldest] = this.#last;
    if (this.#last.size > DELIVERERS_KEPT_MAX && oldest !== undefined) this.#last.delete(oldest);
  }

  /** Whether a source delivered something. */
  has(source: Source): boolean {
    return this.#last.has(keyOf(source));
  }
}

/** A source is known by key and name: another peer that takes over a name has another key. */
function keyOf({ peer, id }: Source): string {
  return `${id} ${peer}`;
}
