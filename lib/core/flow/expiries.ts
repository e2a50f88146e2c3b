/**
 * What is here only for a time. Called by the indexes and the HTTP API, for names that were registered.
 * @module
 */

/** The longest time that a timer can wait; longer ones end at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** Keys with the time that each has left. */
export class Expiries implements Disposable {
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #onExpired: (key: string) => void;

  /** `onExpired` is called with each key whose time is over. */
  constructor(onExpired: (key: string) => void) {
    this.#onExpired = onExpired;
  }

  /** How many there are. */
  get size(): number {
    return this.#timers.size;
  }

  /** Gives a key so much time from now on, and no more than 24 days. */
  set(key: string, ms: number): void {
    clearTimeout(this.#timers.get(key));
    const timer = setTimeout(() => {
      this.#timers.delete(key);
      this.#onExpired(key);
    }, Math.min(ms, TIMER_MS_MAX));
    this.#timers.set(key, timer);
  }

  /** Forgets a key without calling anybody. */
  delete(key: string): void {
    clearTimeout(this.#timers.get(key));
    this.#timers.delete(key);
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}
