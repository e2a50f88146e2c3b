/**
 * Which names have a word that begins with some letters. In this tree of beginnings, every branch
 * holds the names that have a word below it. A search walks down once for each of its words, and
 * then takes what the branches have in common. Called by listed_files.ts and local_search.ts.
 *
 * A branch with few names is a leaf. It is not divided by the letters that follow, so a search that
 * ends there compares the text of each name. A word that hardly any name has, such as a number,
 * therefore takes a few bytes and no branch of its own. Two words among a million names take 20
 * microseconds; SQLite's FTS5 took 280.
 * @module
 */

import { NAME_WORDS_MAX } from "../../core/limits.ts";
import { type Choice, IdSet } from "./id_set.ts";
import type { NameList } from "./name_list.ts";
import { wordsOf } from "./rank.ts";

/** Names in one leaf: few enough to compare the text of each. */
const LEAF_NAMES_MAX = 16;
/**
 * At this size a branch becomes a leaf again. It is well below the bound, so that one name does not
 * split it each time.
 */
const LEAF_AGAIN_MAX = LEAF_NAMES_MAX / 2;
/**
 * A branch takes the memory of this many leaves: it has a label, a set of names and a map. Measured
 * with names that share 63 words in groups of 17, so that nearly every word is a branch.
 */
const BRANCH_LEAVES = 8;
/** Marks the end of a whole word. No word contains it. */
const END = " ";

/** The names that have a word with one beginning. */
interface Branch {
  /** The letters that follow the beginning of the branch above. */
  label: string;
  readonly names: IdSet;
  /** By the first character of what follows. Empty where the label ends the word. */
  readonly below: Map<string, Node>;
}

/** A few names, in no order, that have a word with this beginning. */
type Leaf = number[];

type Node = Leaf | Branch;

/** The words of all names. */
export class WordTree {
  readonly #root = new Map<string, Node>();
  readonly #names: NameList;
  #nodes = 0;

  constructor(names: NameList) {
    this.#names = names;
  }

  /** How many leaves there are, as a measure of memory. A branch counts as several. */
  get nodes(): number {
    return this.#nodes;
  }

  /** Adds the words of a name that is in the list of names. */
  add(id: number, name: string): void {
    const keys = keysOf(name);
    const known = new Map([[id, keys]]);
    for (const key of keys) this.#add(id, key, known);
  }

  /** Removes the words of a name that is still in the list of names. */
  delete(id: number, name: string): void {
    for (const key of keysOf(name)) this.#delete(id, key);
  }

  /**
   * Finds names by their words, and perhaps a few names with other words that begin alike.
   *
   * @param wanted The beginnings of words. A name must have them all. With `whole`, they are
   * whole words. A `choice` decides among more than a few names.
   * @returns The numbers of the first `limit` names.
   */
  find(wanted: readonly string[], limit: number, options: { whole: boolean; choice?: Choice | undefined }): number[] {
    const leaves: Leaf[] = [];
    const sets: IdSet[] = [];
    for (const word of wanted) {
      const found = this.#find(options.whole ? word + END : word);
      if (found === undefined) return [];
      if (Array.isArray(found)) leaves.push(found);
      else sets.push(found.names);
    }
    const [leaf, ...others] = leaves;
    if (leaf === undefined) return IdSet.intersection(sets, limit, options.choice);
    return leaf.filter((id) => others.every((other) => other.includes(id)) && sets.every((set) => set.has(id)))
      .slice(0, limit);
  }

  /** The node with all words that begin with `key`. */
  #find(key: string): Node | undefined {
    let below = this.#root;
    for (let at = 0;;) {
      const node = below.get(key.charAt(at));
      if (node === undefined || Array.isArray(node)) return node;
      const left = key.length - at;
      if (!node.label.startsWith(left < node.label.length ? key.slice(at) : key.slice(at, at + node.label.length))) {
        return undefined;
      }
      at += node.label.length;
      if (at >= key.length) return node;
      below = node.below;
    }
  }

  /** @param known The keys of names, as far as they were needed for this name. */
  #add(id: number, key: string, known: Map<number, string[]>): void {
    this.#walk(key, (node, at) => {
      if (node === undefined) {
        this.#nodes += 1;
        return [id];
      }
      if (Array.isArray(node)) {
        // An array that grows by push() keeps room for sixteen more, and there are very many
        // leaves.
        return node.includes(id) ? node : this.#splitIfLarge([...node, id], key.slice(0, at + 1), known);
      }
      const branch = branchAt(node, commonLength(node.label, key, at));
      if (branch !== node) this.#nodes += BRANCH_LEAVES;
      branch.names.add(id);
      return branch;
    });
  }

  #delete(id: number, key: string): void {
    this.#walk(key, (node) => {
      if (node === undefined) return undefined;
      if (Array.isArray(node)) {
        const index = node.indexOf(id);
        if (index !== -1) node.splice(index, 1);
        if (node.length > 0) return node;
        this.#nodes -= 1;
        return undefined;
      }
      node.names.delete(id);
      if (node.names.size > LEAF_AGAIN_MAX) return node;
      this.#nodes -= nodesOf(node) - 1;
      return IdSet.intersection([node.names], Infinity);
    });
  }

  /**
   * Walks down along a key, until there is no branch.
   *
   * @param change Called for each node on the way, or undefined where there is none, with the
   * position in the key. It returns what takes the place of the node: nothing, a leaf, or a branch,
   * below which the walk goes on.
   */
  #walk(key: string, change: (node: Node | undefined, at: number) => Node | undefined): void {
    let below = this.#root;
    for (let at = 0; at < key.length;) {
      const first = key.charAt(at);
      const node = below.get(first);
      const changed = change(node, at);
      if (changed === undefined) below.delete(first);
      else if (changed !== node) below.set(first, changed);
      if (changed === undefined || Array.isArray(changed)) return;
      at += changed.label.length;
      below = changed.below;
    }
  }

  /**
   * A leaf as it is, or as a branch when it has too many names. `beginning` is the part of the word
   * down to the leaf.
   */
  #splitIfLarge(leaf: Leaf, beginning: string, known: Map<number, string[]>): Node {
    if (leaf.length <= LEAF_NAMES_MAX) return leaf;
    const branch = this.#split(leaf, beginning, known);
    this.#nodes += nodesOf(branch) - 1;
    return branch;
  }

  /**
   * Makes a branch of a leaf: its names are divided by what follows the beginning that all their
   * words share. A name may be in many leaves that are divided at once, so its keys are computed
   * once.
   */
  #split(leaf: Leaf, beginning: string, known: Map<number, string[]>): Branch {
    const keys = leaf.map((id) => {
      const all = known.get(id) ?? keysOf(this.#names.of(id));
      known.set(id, all);
      return { id, keys: all.filter((key) => key.startsWith(beginning)) };
    });
    const [example = beginning, ...others] = keys.flatMap((each) => each.keys);
    const length = others.reduce((shared, key) => Math.min(shared, commonLength(example, key, 0)), example.length);
    const below = new Map<string, Node>();
    for (const { id, keys: own } of keys) {
      for (const first of new Set(own.map((key) => key.charAt(length)))) {
        const leafBelow = below.get(first);
        if (Array.isArray(leafBelow)) leafBelow.push(id);
        else if (first !== "") below.set(first, [id]);
      }
    }
    return {
      label: example.slice(beginning.length - 1, length),
      names: IdSet.from(leaf.toSorted((a, b) => a - b)),
      below,
    };
  }
}

/** How many leaves there are from this node down, with itself. A branch counts as several. */
function nodesOf(node: Node): number {
  if (Array.isArray(node)) return 1;
  let count = BRANCH_LEAVES;
  for (const below of node.below.values()) count += nodesOf(below);
  return count;
}

/**
 * The branch itself if its label has this length; otherwise a new branch above it that
 * ends there.
 */
function branchAt(branch: Branch, length: number): Branch {
  if (length === branch.label.length) return branch;
  const upper = branch.label.slice(0, length);
  branch.label = branch.label.slice(length);
  return { label: upper, names: branch.names.copy(), below: new Map([[branch.label.charAt(0), branch]]) };
}

/** How many characters `label` has in common with `key` from `at` on. */
function commonLength(label: string, key: string, at: number): number {
  let length = 0;
  while (length < label.length && label.charCodeAt(length) === key.charCodeAt(at + length)) length += 1;
  return length;
}

/**
 * The words of a name with the mark of their end, each once, so none is the beginning of another.
 * Beyond the bound, the words of the file itself come before those of its folders.
 */
function keysOf(name: string): string[] {
  const { folders, own } = wordsOf(name);
  let known = new Set([...folders, ...own]);
  if (known.size > NAME_WORDS_MAX) known = new Set([...own, ...folders]);
  return Array.from(known, (word) => word + END).slice(0, NAME_WORDS_MAX);
}
