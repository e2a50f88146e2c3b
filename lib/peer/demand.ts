/**
 * Who wants what from this peer, and what was given away: so that peers who download the same take different pieces from its owner. Called by
 * host.ts.
 * @module
 */

import type { Clock } from "../core/clock.ts";
import { pieceCount } from "../core/content.ts";
import { DEMANDED_CONTENTS_MAX } from "../core/limits.ts";
import { PieceSet } from "../core/piece_set.ts";

/** Who has not asked for this long does not download any more. */
const ASKING_MS = 10_000;

interface Wanted {
  readonly given: PieceSet;
  readonly askedMs: Map<string, number>;
}

/** The contents that were asked for last. */
export class Demand {
  readonly #clock: Clock;
  /** The one asked for last is last. */
  readonly #wanted = new Map<string, Wanted>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Notes that a peer asks for a content. Shape: the pieces of it that were given away, and how many peers ask for it now. */
  note(content: { readonly root: string; readonly size: number }, peer: string): { given: PieceSet; asking: number } {
    const nowMs = this.#clock.now();
    const wanted = this.#wanted.get(content.root) ??
      { given: new PieceSet(pieceCount(content.size)), askedMs: new Map() };
    for (const [each, ms] of wanted.askedMs) if (nowMs - ms > ASKING_MS) wanted.askedMs.delete(each);
    // Who begins anew, after all have gone, finds everything ungiven.
    const given = wanted.askedMs.size === 0 ? new PieceSet(wanted.given.count) : wanted.given;
    wanted.askedMs.set(peer, nowMs);
    this.#wanted.delete(content.root);
    this.#wanted.set(content.root, { given, askedMs: wanted.askedMs });
    const [oldest] = this.#wanted.keys();
    if (this.#wanted.size > DEMANDED_CONTENTS_MAX && oldest !== undefined) this.#wanted.delete(oldest);
    return { given, asking: wanted.askedMs.size };
  }
}
