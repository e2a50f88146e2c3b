/**
 * Who wants what from this peer, and what was given away: so that peers who download the same take different pieces from its owner. Called by
 * host.ts.
 * @module
 */

import type { Clock } from "../../core/flow/clock.ts";
import { PIECE_BYTES, pieceCount } from "../../core/content.ts";
import { DEMANDED_CONTENTS_MAX } from "../../core/limits.ts";
import { PieceSet } from "../../core/piece_set.ts";
import type { Range } from "../../core/range.ts";

/** Who has not asked for this long does not download any more. */
const ASKING_MS = 10_000;
/** The same for a peer whose last connection has ended. */
const LEFT_MS = 1_000;

/** How much of one range counts as promised: as much as a peer of ours asks for at once, so that a huge range costs no more steps whenever somebody asks. */
const PROMISED_BYTES_MAX = 128 * PIECE_BYTES;

interface Wanted {
  /** What was sent to somebody. */
  readonly sent: PieceSet;
  /** What is on its way to somebody, or in line. */
  readonly promised: Set<Range>;
  readonly askedMs: Map<string, number>;
}

/** A range that somebody asked for, from then until it is sent or given up. What was not sent by then is nobody's. */
export interface Promised extends Disposable {
  /** Notes how many bytes of the range were sent so far. */
  sent(bytes: number): void;
}

/** The contents that were asked for last. */
export class Demand {
  readonly #clock: Clock;
  /** The one asked for last is last. */
  readonly #wanted = new Map<string, Wanted>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Notes that a peer asks for a content. Shape: the pieces of it that were given away or are promised, and how many peers ask for it now. */
  note(content: { readonly root: string; readonly size: number }, peer: string): { given: PieceSet; asking: number } {
    const { sent, promised, askedMs } = this.#note(content, peer);
    const given = sent.copy();
    for (const range of promised) given.addTouched(range);
    return { given, asking: askedMs.size };
  }

  /** Notes that a peer asks for a range of a content, so that nobody else asks for it here. */
  promise(content: { readonly root: string; readonly size: number }, peer: string, range: Range): Promised {
    const { sent, promised } = this.#note(content, peer);
    const marked = { start: range.start, end: Math.min(range.end, range.start + PROMISED_BYTES_MAX) };
    promised.add(marked);
    let sentTo = range.start;
    return {
      sent: (bytes) => void (sentTo = Math.max(sentTo, range.start + bytes)),
      [Symbol.dispose]: () => {
        // The piece in which the sending ended does not count, unless it was to end there.
        const end = sentTo >= range.end ? range.end : Math.floor(sentTo / PIECE_BYTES) * PIECE_BYTES;
        if (promised.delete(marked) && end > range.start) sent.addTouched({ start: range.start, end });
      },
    };
  }

  /** Notes that the last connection of a peer has ended. */
  left(peer: string): void {
    const askedMs = this.#clock.now() - ASKING_MS + LEFT_MS;
    for (const wanted of this.#wanted.values()) {
      const lastMs = wanted.askedMs.get(peer);
      if (lastMs !== undefined) wanted.askedMs.set(peer, Math.min(lastMs, askedMs));
    }
  }

  #note(content: { readonly root: string; readonly size: number }, peer: string): Wanted {
    const nowMs = this.#clock.now();
    const wanted = this.#wanted.get(content.root) ??
      { sent: new PieceSet(pieceCount(content.size)), promised: new Set(), askedMs: new Map() };
    for (const [each, ms] of wanted.askedMs) if (nowMs - ms > ASKING_MS) wanted.askedMs.delete(each);
    // When no peer downloads any more, the next one may take every piece from here. A peer that waits in line still downloads.
    const isOver = wanted.askedMs.size === 0 && wanted.promised.size === 0;
    const sent = isOver ? new PieceSet(wanted.sent.count) : wanted.sent;
    const noted = { ...wanted, sent };
    noted.askedMs.set(peer, nowMs);
    this.#wanted.delete(content.root);
    this.#wanted.set(content.root, noted);
    const [oldest] = this.#wanted.keys();
    if (this.#wanted.size > DEMANDED_CONTENTS_MAX && oldest !== undefined) this.#wanted.delete(oldest);
    return noted;
  }
}
