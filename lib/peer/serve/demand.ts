/**
 * Which peers download which content from this peer, and which pieces it has sent. With that, peers
 * that download the same content ask its owner for different pieces. Called by host.ts.
 * @module
 */

import { BoundedMap } from "../../core/bounded_map.ts";
import type { Clock } from "../../core/flow/clock.ts";
import { PIECE_BYTES, pieceCount } from "../../core/content.ts";
import { DEMANDED_CONTENTS_MAX, PROMISED_BYTES_MAX } from "../../core/limits.ts";
import { PieceSet } from "../../core/piece_set.ts";
import type { Range } from "../../core/range.ts";

/** A peer that has asked for nothing for this long counts as no longer downloading. */
const ASKING_MS = 10_000;
/** After its last connection has ended, a peer counts as no longer downloading after this time. */
const LEFT_MS = 1_000;

/** A content that peers download. */
interface Wanted {
  /** Pieces that were sent to any peer. */
  readonly sent: PieceSet;
  /** Ranges that are being sent, or wait in the queue. */
  readonly promised: Set<Range>;
  /** When each peer asked last. */
  readonly askedMs: Map<string, number>;
}

/**
 * A range that a peer has asked for, until it is disposed of. Then the range is no longer promised,
 * and only what was sent of it counts as given away.
 */
export interface Promised extends Disposable {
  /** Notes how many bytes of the range have been sent so far. */
  sent(bytes: number): void;
}

/** The contents that were asked for last. */
export class Demand {
  readonly #clock: Clock;
  /** By root; the content that was asked for last is last. */
  readonly #wanted = new BoundedMap<string, Wanted>(DEMANDED_CONTENTS_MAX);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Notes that a peer downloads a content.
   *
   * @returns The pieces that were sent or are promised, and how many peers download the content
   * now.
   */
  note(content: { readonly root: string; readonly size: number }, peer: string): { given: PieceSet; asking: number } {
    const { sent, promised, askedMs } = this.#note(content, peer);
    const given = sent.copy();
    for (const range of promised) given.addTouched(range);
    return { given, asking: askedMs.size };
  }

  /** Notes that a peer asks for a range of a content, so that other peers ask for other ranges. */
  promise(content: { readonly root: string; readonly size: number }, peer: string, range: Range): Promised {
    const { sent, promised } = this.#note(content, peer);
    const marked = { start: range.start, end: Math.min(range.end, range.start + PROMISED_BYTES_MAX) };
    promised.add(marked);
    let sentTo = range.start;
    return {
      sent: (bytes) => void (sentTo = Math.max(sentTo, range.start + bytes)),
      [Symbol.dispose]: () => {
        // A piece that was sent only in part does not count, unless the range ends in it.
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
    // When no peer downloads any more, the next one may take every piece from here. A peer that
    // waits in the queue still downloads.
    const isOver = wanted.askedMs.size === 0 && wanted.promised.size === 0;
    const sent = isOver ? new PieceSet(wanted.sent.count) : wanted.sent;
    const noted = { ...wanted, sent };
    noted.askedMs.set(peer, nowMs);
    this.#wanted.set(content.root, noted);
    return noted;
  }
}
