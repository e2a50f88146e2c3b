/**
 * A pace for each caller, which is an address or a key. What costs much is done for each caller
 * only so often, and a caller that asks more often waits. Called by lib/server with addresses, and
 * by lib/peer/talk/mailbox.ts with keys.
 * @module
 */

import { addressShare } from "../core/address.ts";
import { BoundedMap } from "../core/bounded_map.ts";
import type { Clock } from "../core/flow/clock.ts";
import { PACED_ADDRESSES_MAX } from "../core/limits.ts";
import { Pace } from "../core/flow/pace.ts";

/** The paces of the callers that came last. */
export class CallerPaces {
  readonly #perSecond: number;
  readonly #clock: Clock;
  readonly #paces = new BoundedMap<string, Pace>(PACED_ADDRESSES_MAX);

  constructor(perSecond: number, clock: Clock) {
    this.#perSecond = perSecond;
    this.#clock = clock;
  }

  /** Waits until it is the caller's turn. */
  async wait(host: string): Promise<void> {
    const share = addressShare(host);
    const pace = this.#paces.get(share) ?? new Pace(this.#perSecond, this.#clock);
    this.#paces.set(share, pace);
    await pace.take(1);
  }
}
