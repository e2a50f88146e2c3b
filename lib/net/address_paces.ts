/**
 * A pace for every address: what costs us much is done for each of them only so often, and whoever wants it more often waits. Called by lib/server,
 * and by lib/peer/talk/mailbox.ts with ids in the place of addresses.
 * @module
 */

import { addressShare } from "../core/address.ts";
import type { Clock } from "../core/flow/clock.ts";
import { PACED_ADDRESSES_MAX } from "../core/limits.ts";
import { Pace } from "../core/flow/pace.ts";

/** Paces by address; the one used last is last. */
export class AddressPaces {
  readonly #perSecond: number;
  readonly #clock: Clock;
  readonly #paces = new Map<string, Pace>();

  constructor(perSecond: number, clock: Clock) {
    this.#perSecond = perSecond;
    this.#clock = clock;
  }

  /** Waits until it may be done once more for an address. */
  async wait(host: string): Promise<void> {
    const share = addressShare(host);
    const pace = this.#paces.get(share) ?? new Pace(this.#perSecond, this.#clock);
    this.#paces.delete(share);
    this.#paces.set(share, pace);
    const [oldest] = this.#paces.keys();
    if (this.#paces.size > PACED_ADDRESSES_MAX && oldest !== undefined) this.#paces.delete(oldest);
    await pace.take(1);
  }
}
