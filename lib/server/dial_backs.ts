/**
 * Bounds how many peers an index dials back at once, and shares the places fairly. A port that
 * accepts a connection and stays silent takes a place for seconds. Without shares, 800 such ports
 * kept all other peers from joining. Called by session.ts.
 * @module
 */

import type { Clock } from "../core/flow/clock.ts";
import { DIAL_BACK_GRACE_MS, DIAL_BACKS_MAX } from "../core/limits.ts";
import { onAbort } from "../core/flow/on_abort.ts";
import { type Holder, Places } from "../core/flow/places.ts";

/** Pause of a dial-back before it looks for a free place again. */
const LOOK_MS = 20;

/**
 * The reason given to `abort`, which would otherwise make an exception with a stack trace each
 * time.
 */
const ENDED = "the dial-back is not waited for";

/** The dial-backs of one index. */
export class DialBacks {
  readonly #clock: Clock;
  readonly #places: Places<AbortController>;

  /** @param total The most dial-backs at once. */
  constructor(clock: Clock, { total = DIAL_BACKS_MAX }: { readonly total?: number } = {}) {
    this.#clock = clock;
    this.#places = new Places({ total, first: "oldest", graceMs: DIAL_BACK_GRACE_MS });
  }

  /** How many are running. */
  get size(): number {
    return this.#places.size;
  }

  /**
   * Runs one dial-back when there is a place for it. While others wait, the signal ends dial-backs:
   * those of the address with the most at once, and those of any address after a while.
   *
   * @param work Dials the peer until the signal comes; resolves with whether the peer answered.
   * @param signal Ends the wait for a place, and the work.
   * @returns What `work` does; false when it was ended.
   */
  async run(
    holder: Holder,
    work: (signal: AbortSignal) => Promise<boolean>,
    signal: AbortSignal,
  ): Promise<boolean> {
    const dialling = new AbortController();
    while (!this.#enter(dialling, holder)) {
      if (signal.aborted) return false;
      await this.#clock.delay(LOOK_MS);
    }
    using _ending = onAbort(signal, () => dialling.abort(ENDED));
    try {
      return !signal.aborted && await work(dialling.signal);
    } finally {
      this.#places.leave(dialling);
    }
  }

  #enter(dialling: AbortController, holder: Holder): boolean {
    const entered = this.#places.enter(dialling, holder, this.#clock.now());
    if (entered.given) entered.displaced?.abort(ENDED);
    return entered.given;
  }
}
