/**
 * What all uploads of a peer share: the queue for large ones, slots for small ones, and the pace.
 * Made by peer.ts; used by host.ts and dialect_host.ts.
 * @module
 */

import type { Pace } from "../../core/flow/pace.ts";
import { Slots } from "../../core/flow/slots.ts";
import { SMALL_UPLOADS_MAX, UPLOAD_SLOT_BYTES_PER_SECOND } from "../../core/limits.ts";
import { FairQueue } from "./fair_queue.ts";

/**
 * Slots for large uploads at a peer's own limit: at most as many as let each receiver have a piece
 * in about a second, so that others have it soon and can pass it on.
 *
 * @param slots The most that the owner wants.
 * @param bytesPerSecond The peer's own limit; undefined when it has none.
 */
export function slotsAt(slots: number, bytesPerSecond: number | undefined): number {
  return Math.max(1, Math.min(slots, Math.round((bytesPerSecond ?? Infinity) / UPLOAD_SLOT_BYTES_PER_SECOND)));
}

/** The uploads of one peer. */
export class Uploads {
  readonly large: FairQueue;
  /** A small answer never waits behind a film. */
  readonly small = new Slots(SMALL_UPLOADS_MAX);
  /** The pace of all that is sent; undefined when the peer has no limit. */
  readonly pace: Pace | undefined;

  /** @param slots How many large uploads run at once. */
  constructor({ slots, pace }: { readonly slots: number; readonly pace: Pace | undefined }) {
    this.large = new FairQueue(slotsAt(slots, pace?.bytesPerSecond));
    this.pace = pace;
  }
}
