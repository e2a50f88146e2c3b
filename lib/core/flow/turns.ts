/**
 * One thing at a time for each key, in the order of asking. Called by the indexes and
 * classroom_peers.ts.
 * @module
 */

/** Turns by key. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /**
   * Does something after everything that was asked for earlier with this key.
   *
   * @throws What `work` throws.
   */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const done = before.then(work);
    const settled = done.catch(() => {});
    this.#last.set(key, settled);
    try {
      return await done;
    } finally {
      if (this.#last.get(key) === settled) this.#last.delete(key);
    }
  }
}
