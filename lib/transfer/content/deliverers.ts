/**
 * Which peers have delivered something to this peer, over all its downloads. The next download asks
 * them first.
 * @module
 */

import { BoundedMap } from "../../core/bounded_map.ts";
import { DELIVERERS_KEPT_MAX } from "../../core/limits.ts";
import type { Source } from "./source.ts";

/**
 * The peers that delivered something. When there are too many, the one with the oldest last
 * delivery is dropped.
 */
export class Deliverers {
  readonly #last = new BoundedMap<string, true>(DELIVERERS_KEPT_MAX);

  /** Notes that a source delivered verified bytes. */
  note(source: Source): void {
    this.#last.set(keyOf(source), true);
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
