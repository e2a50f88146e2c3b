/**
 * A map that remembers a bounded number of entries and forgets the oldest. Called by everything
 * that remembers something for each address, peer or content.
 * @module
 */

/**
 * A map in which the entry that was set last is the newest.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { BoundedMap } from "./bounded_map.ts";
 * const map = new BoundedMap<string, number>(2);
 * for (const key of ["a", "b", "a", "c"]) map.set(key, 1);
 * assertEquals([map.has("a"), map.has("b"), map.has("c")], [true, false, true]);
 * ```
 */
export class BoundedMap<K, V> {
  readonly #countMax: number;
  readonly #entries = new Map<K, V>();

  /** @param countMax How many entries are remembered. */
  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  /** How many entries there are. */
  get size(): number {
    return this.#entries.size;
  }

  /** Whether there is an entry for a key. */
  has(key: K): boolean {
    return this.#entries.has(key);
  }

  /** The value of a key. Reading an entry does not make it newer. */
  get(key: K): V | undefined {
    return this.#entries.get(key);
  }

  /** All values, the oldest first. */
  values(): MapIterator<V> {
    return this.#entries.values();
  }

  /**
   * Sets the value of a key and makes it the newest entry. Forgets the oldest entry when there are
   * too many.
   */
  set(key: K, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#countMax) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      return;
    }
  }

  /** Forgets a key. */
  delete(key: K): void {
    this.#entries.delete(key);
  }

  /** Forgets everything. */
  clear(): void {
    this.#entries.clear();
  }
}
