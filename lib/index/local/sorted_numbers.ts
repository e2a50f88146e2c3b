/**
 * A list of numbers in an order of the caller's choice. Called by name_list.ts.
 *
 * The numbers are kept in blocks. Adding or deleting a number moves only the others of its block,
 * and the list grows by a block at a time, so no step takes long even among millions of numbers.
 * @module
 */

/** Numbers in a full block. */
const BLOCK_SIZE = 512;
/**
 * Two neighbouring blocks with at most this many numbers become one, so deletions give memory back.
 */
const JOINED_SIZE_MAX = BLOCK_SIZE / 2;

interface Block {
  /** The numbers in order, then room for more. */
  readonly numbers: Float64Array;
  size: number;
}

/** Different numbers, in order. */
export class SortedNumbers {
  /** There is always one. Only the last of all numbers leaves an empty block behind. */
  readonly #blocks: Block[] = [makeBlock([])];
  readonly #isBefore: (one: number, other: number) => boolean;

  /**
   * @param isBefore Whether one number comes before another. The answer must not change while both
   * are in the list.
   */
  constructor(isBefore: (one: number, other: number) => boolean) {
    this.#isBefore = isBefore;
  }

  /** Adds a number that is not in the list. */
  add(number: number): void {
    const { index, block, at } = this.#seek((each) => this.#isBefore(each, number));
    block.numbers.copyWithin(at + 1, at, block.size);
    block.numbers[at] = number;
    block.size += 1;
    if (block.size === BLOCK_SIZE) this.#blocks.splice(index + 1, 0, splitOff(block));
  }

  /** Removes a number that is in the list. */
  delete(number: number): void {
    const { index, block, at } = this.#seek((each) => this.#isBefore(each, number));
    if (at === block.size || block.numbers[at] !== number) return;
    block.numbers.copyWithin(at, at + 1, block.size);
    block.size -= 1;
    this.#joinWithNext(index);
    this.#joinWithNext(index - 1);
  }

  /**
   * A part of the list, in order.
   *
   * @param isBefore Whether a number comes before the part.
   * @param isWithin Whether a number that does not come before the part belongs to it.
   * @returns At most `limit` numbers, from the beginning of the part.
   */
  part(isBefore: (number: number) => boolean, isWithin: (number: number) => boolean, limit: number): number[] {
    const found: number[] = [];
    let { index, at } = this.#seek(isBefore);
    for (let block = this.#blocks[index]; block !== undefined; block = this.#blocks[++index], at = 0) {
      for (; at < block.size; at++) {
        const number = block.numbers[at] ?? 0;
        if (found.length === limit || !isWithin(number)) return found;
        found.push(number);
      }
    }
    return found;
  }

  /** Where the first number is for which `isBefore` is false, or would have to be. */
  #seek(isBefore: (number: number) => boolean): { index: number; block: Block; at: number } {
    // The first block needs no comparison, and it alone may be empty.
    const last = this.#blocks.length - 1;
    const index = countBefore(last, (each) => isBefore(this.#block(each + 1).numbers[0] ?? 0));
    const block = this.#block(index);
    const at = countBefore(block.size, (each) => isBefore(block.numbers[each] ?? 0));
    if (at < block.size || index === last) return { index, block, at };
    return { index: index + 1, block: this.#block(index + 1), at: 0 };
  }

  #block(index: number): Block {
    const block = this.#blocks[index];
    if (block === undefined) throw new RangeError(`There is no block ${index}`);
    return block;
  }

  /** Joins a block with the next one, if both together are small or one of them is empty. */
  #joinWithNext(index: number): void {
    const [block, next] = [this.#blocks[index], this.#blocks[index + 1]];
    if (block === undefined || next === undefined) return;
    const size = block.size + next.size;
    if (size > JOINED_SIZE_MAX && size > Math.max(block.size, next.size)) return;
    block.numbers.set(next.numbers.subarray(0, next.size), block.size);
    block.size = size;
    this.#blocks.splice(index + 1, 1);
  }
}

function makeBlock(content: ArrayLike<number>): Block {
  const numbers = new Float64Array(BLOCK_SIZE);
  numbers.set(content);
  return { numbers, size: content.length };
}

/** Moves the second half of a block to a new one. */
function splitOff(block: Block): Block {
  const upper = makeBlock(block.numbers.subarray(BLOCK_SIZE / 2, block.size));
  block.size = BLOCK_SIZE / 2;
  return upper;
}

/** How many of `count` positions come before what is sought: those that do are the first ones. */
function countBefore(count: number, isBefore: (position: number) => boolean): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}
