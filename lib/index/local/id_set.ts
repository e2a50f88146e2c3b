/**
 * A set of small whole numbers. It quickly finds the numbers that several sets have in common.
 * Called by word_tree.ts.
 *
 * A small set is a sorted array. A large one has one bit for each possible number, as soon as that
 * takes less memory. For a word that one name in five has, bits take one byte for eight names, and
 * two such sets are compared 32 names at a time.
 * @module
 */

/** From this size on, bits may take less memory than an array. */
const BITS_SIZE_MIN = 256;
/** What an array takes for a number, in bits. */
const ARRAY_BITS = 32;
/** Memory is given back when less than this part of it is used. */
const USED_PART_MIN = 0.25;

/** The group of 32 numbers that a number belongs to. Their bits are in one word. */
export function groupOf(id: number): number {
  return id >>> 5;
}

/** The bit of a number within its word. */
function bitOf(id: number): number {
  return 1 << (id & 31);
}

/** What an intersection takes of the numbers that all sets have. */
export interface Choice {
  /** Whether no number of a group is taken, so that {@linkcode takes} is not asked for them. */
  skips(group: number): boolean;
  /** Whether a number is taken. Called once for each, in order. */
  takes(id: number): boolean;
}

/** Whole numbers from 0 to 2^32 - 1, in order. */
export class IdSet {
  #size = 0;
  /** The numbers in order, then room for more. Empty while `#bits` holds the numbers. */
  #sorted = new Uint32Array(0);
  #bits: Uint32Array | undefined;

  /** A set of these numbers, which are in order. */
  static from(ids: readonly number[]): IdSet {
    const set = new IdSet();
    for (const id of ids) set.add(id);
    return set;
  }

  /** How many numbers are in it. */
  get size(): number {
    return this.#size;
  }

  /** Adds a number, if it is not in the set. */
  add(id: number): void {
    if (this.#bits !== undefined && groupOf(id) >= this.#bits.length) this.#makeRoomInBits(id);
    if (this.#bits !== undefined) {
      const word = this.#bits[groupOf(id)] ?? 0;
      this.#size += (word & bitOf(id)) === 0 ? 1 : 0;
      this.#bits[groupOf(id)] = word | bitOf(id);
      return;
    }
    const at = this.#size > 0 && id > (this.#sorted[this.#size - 1] ?? 0) ? this.#size : this.#indexOf(id, 0);
    if (at < this.#size && this.#sorted[at] === id) return;
    if (this.#size === this.#sorted.length) {
      const roomy = new Uint32Array(Math.max(4, Math.ceil(this.#size * 1.5)));
      roomy.set(this.#sorted);
      this.#sorted = roomy;
    }
    this.#sorted.copyWithin(at + 1, at, this.#size);
    this.#sorted[at] = id;
    this.#size += 1;
    const last = this.#sorted[this.#size - 1] ?? 0;
    if (this.#size >= BITS_SIZE_MIN && this.#size * ARRAY_BITS > last) this.#useBits(last);
  }

  /** Removes a number, if it is in the set. */
  delete(id: number): void {
    if (!this.has(id)) return;
    if (this.#bits !== undefined) this.#bits[groupOf(id)] = (this.#bits[groupOf(id)] ?? 0) & ~bitOf(id);
    else this.#sorted.copyWithin(this.#indexOf(id, 0), this.#indexOf(id, 0) + 1, this.#size);
    this.#size -= 1;
    this.#giveBack();
  }

  /** Whether a number is in the set. */
  has(id: number): boolean {
    if (this.#bits !== undefined) return ((this.#bits[groupOf(id)] ?? 0) & bitOf(id)) !== 0;
    const at = this.#indexOf(id, 0);
    return at < this.#size && this.#sorted[at] === id;
  }

  /** A new set of the same numbers. */
  copy(): IdSet {
    const copy = new IdSet();
    copy.#size = this.#size;
    copy.#sorted = this.#sorted.slice();
    copy.#bits = this.#bits?.slice();
    return copy;
  }

  /**
   * The first `limit` numbers, in order, that all of these sets have. There must be at least one
   * set.
   *
   * @param choice What else decides about a number.
   */
  static intersection(sets: readonly IdSet[], limit: number, choice?: Choice): number[] {
    const [smallest, ...others] = sets.toSorted((a, b) => a.#size - b.#size);
    if (smallest === undefined) throw new RangeError("Cannot intersect no sets");
    const found: number[] = [];
    if (smallest.#bits === undefined) smallest.#commonInArray(others, limit, found, choice);
    else smallest.#commonInBits(smallest.#bits, others, limit, found, choice);
    return found;
  }

  #commonInArray(others: readonly IdSet[], limit: number, found: number[], choice?: Choice): void {
    const seekers = others.map((set) => ({ set, at: 0 }));
    for (let at = 0; at < this.#size && found.length < limit; at++) {
      const id = this.#sorted[at] ?? 0;
      if (choice?.skips(groupOf(id))) continue;
      let common = true;
      for (const seeker of seekers) {
        common = seeker.set.#seek(id, seeker);
        if (!common) break;
      }
      if (common && (choice === undefined || choice.takes(id))) found.push(id);
    }
  }

  #commonInBits(
    bits: Uint32Array,
    others: readonly IdSet[],
    limit: number,
    found: number[],
    choice?: Choice,
  ): void {
    const dense = others.map((other) => other.#bits).filter((each) => each !== undefined);
    const sparse = others.filter((other) => other.#bits === undefined);
    for (let index = 0; index < bits.length; index++) {
      let word = bits[index] ?? 0;
      for (const other of dense) word &= other[index] ?? 0;
      if (word !== 0 && choice?.skips(index)) continue;
      for (; word !== 0; word &= word - 1) {
        const id = index * 32 + 31 - Math.clz32(word & -word);
        if (!sparse.every((other) => other.has(id)) || choice?.takes(id) === false) continue;
        if (found.push(id) === limit) return;
      }
    }
  }

  /**
   * Whether a number is in the set. Numbers must be sought in rising order: the search goes on from
   * the last position.
   */
  #seek(id: number, seeker: { at: number }): boolean {
    if (this.#bits !== undefined) return this.has(id);
    seeker.at = this.#indexOf(id, seeker.at);
    return seeker.at < this.#size && this.#sorted[seeker.at] === id;
  }

  /**
   * The position of a number in the array, or where it would be inserted. It must not be before
   * `from`.
   */
  #indexOf(id: number, from: number): number {
    let low = from;
    let step = 1;
    while (low + step < this.#size && (this.#sorted[low + step] ?? 0) < id) {
      low += step;
      step *= 2;
    }
    let high = Math.min(low + step, this.#size);
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sorted[middle] ?? 0) < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #useBits(last: number): void {
    const bits = new Uint32Array(wordsFor(last));
    for (let at = 0; at < this.#size; at++) {
      const id = this.#sorted[at] ?? 0;
      bits[groupOf(id)] = (bits[groupOf(id)] ?? 0) | bitOf(id);
    }
    this.#bits = bits;
    this.#sorted = new Uint32Array(0);
  }

  /**
   * Makes room for a number beyond the last. Returns to an array where the bits would be mostly
   * zeros.
   */
  #makeRoomInBits(id: number): void {
    const bits = this.#bits ?? new Uint32Array(0);
    if ((this.#size + 1) * ARRAY_BITS > id) {
      const roomy = new Uint32Array(wordsFor(id));
      roomy.set(bits);
      this.#bits = roomy;
      return;
    }
    this.#useArray(bits);
  }

  #useArray(bits: Uint32Array): void {
    const ids: number[] = [];
    this.#commonInBits(bits, [], Infinity, ids);
    this.#sorted = Uint32Array.from(ids);
    this.#bits = undefined;
  }

  /**
   * Gives back the memory of removed numbers: a peer may list many names with the same words, and
   * then remove nearly all.
   */
  #giveBack(): void {
    const bits = this.#bits;
    if (bits !== undefined && this.#size < bits.length * USED_PART_MIN) this.#useArray(bits);
    if (this.#size < this.#sorted.length * USED_PART_MIN) this.#sorted = this.#sorted.slice(0, 2 * this.#size);
  }
}

/** How many words hold the bits of the numbers up to `last`, with some room to grow. */
function wordsFor(last: number): number {
  return Math.ceil((last + 1) / 32 * 1.25);
}
