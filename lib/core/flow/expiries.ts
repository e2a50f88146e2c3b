/**
 * Keys that expire. The indexes and the HTTP API use it for registered names.
 * @module
 */

/** The longest time that a timer can wait. A longer one would fire at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** Keys, each with a time after which it expires. */
export class Expiries implements Disposable {
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #onExpired: (key: string) => void;

  /** `onExpired` is called with each key that has expired. */
  constructor(onExpired: (key: string) => void) {
    this.#onExpired = onExpired;
  }

  /** How many keys there are. */
  get size(): number {
    return this.#timers.size;
  }

  /** Sets how long a key lasts from now on: 24 days at most. */
  set(key: string, ms: number): void {
    clearTimeout(this.#timers.get(key));
    const timer = setTimeout(() => {
      this.#timers.delete(key);
      this.#onExpired(key);
    }, Math.min(ms, TIMER_MS_MAX));
    this.#timers.set(key, timer);
  }

  /** Forgets a key. `onExpired` is not called. */
  delete(key: string): void {
    clearTimeout(this.#timers.get(key));
    this.#timers.delete(key);
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}
