/**
 * The names of all files, each once however many peers list it: by number, by text, in order, and
 * by their last component. Called by listed_files.ts, word_tree.ts and local_search.ts.
 * @module
 */

import { fold } from "../../core/words.ts";
import { baseName } from "./rank.ts";
import { SortedNumbers } from "./sorted_numbers.ts";

/**
 * A key by last component is a hash of 21 bits, then the number of the name: 53 bits, all that a
 * number holds exactly.
 */
const HASH_BITS = 21;
const KEYS_OF_ONE_HASH = 2 ** 32;

/**
 * The names. The number of a removed name is given to a later one, so that numbers stay close
 * together.
 */
export class NameList {
  readonly #names: (string | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #inOrder = new SortedNumbers((one, other) => this.of(one) < this.of(other));
  readonly #byBase = new SortedNumbers((one, other) => one < other);
  /** Secret, so that nobody can make up names with the same hash. */
  readonly #seed = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;

  /**
   * Adds a name that is not in the list.
   *
   * @returns Its number.
   */
  add(name: string): number {
    const id = this.#free.pop() ?? this.#names.length;
    this.#names[id] = name;
    this.#inOrder.add(id);
    this.#byBase.add(this.#firstKey(baseName(name)) + id);
    return id;
  }

  /** Removes the name with this number. */
  delete(id: number): void {
    this.#inOrder.delete(id);
    this.#byBase.delete(this.#firstKey(baseName(this.of(id))) + id);
    this.#names[id] = undefined;
    this.#free.push(id);
  }

  /** The name with this number, which is in the list. */
  of(id: number): string {
    return this.#names[id] ?? "";
  }

  /** The number of a name, or undefined when it is not in the list. */
  idOf(name: string): number | undefined {
    return this.#inOrder.part((id) => this.of(id) < name, (id) => this.of(id) === name, 1)[0];
  }

  /**
   * The first names that begin with `prefix` and come after the name `after`.
   *
   * @returns Their numbers, in order of the names.
   */
  below(prefix: string, after: string, limit: number): number[] {
    const isBefore = (id: number): boolean => this.of(id) < prefix || this.of(id) <= after;
    return this.#inOrder.part(isBefore, (id) => this.of(id).startsWith(prefix), limit);
  }

  /**
   * Names with the last component `base`, case and accents aside, and perhaps a few others.
   *
   * @returns Their numbers, smallest first.
   */
  withBase(base: string, limit: number): number[] {
    const first = this.#firstKey(base);
    const keys = this.#byBase.part((key) => key < first, (key) => key < first + KEYS_OF_ONE_HASH, limit);
    return keys.map((key) => key - first);
  }

  /** The smallest key that a name with this last component can have. */
  #firstKey(base: string): number {
    const folded = fold(base);
    let hash = this.#seed;
    for (let at = 0; at < folded.length; at++) hash = Math.imul(hash ^ folded.charCodeAt(at), 0x01000193);
    return ((hash ^ (hash >>> 15)) >>> (32 - HASH_BITS)) * KEYS_OF_ONE_HASH;
  }
}
