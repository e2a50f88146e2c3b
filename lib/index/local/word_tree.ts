/**
 * Which names have a word that begins in some way. A tree of beginnings: every branch holds the names that have a word below it, so a search of any
 * length is one walk down for each word, and then what the branches have in common. Called by listed_files.ts and local_search.ts.
 *
 * A branch with few names is a leaf: it is not split by what follows, and whoever finds a name there compares its text. So a word that hardly
 * any name has, such as a number, takes some bytes and no branch of its own. Two words among a million names
 * take 20 microseconds; SQLite's FTS5 took 280.
 * @module
 */

import { NAME_WORDS_MAX } from "../../core/limits.ts";
import { words } from "../../core/words.ts";
import { IdSet } from "./id_set.ts";
import type { NameList } from "./name_list.ts";
import { baseName } from "./rank.ts";

/** Names in a leaf: few enough to compare the text of each. */
const LEAF_NAMES_MAX = 16;
/** A branch with so few names left is a leaf again: well below the bound, so that no name that comes and goes splits it each time. */
const LEAF_AGAIN_MAX = LEAF_NAMES_MAX / 2;
/** Follows a word that is whole. No word has it. */
const END = " ";

/** Names below one beginning. */
interface Branch {
  /** What follows the beginning of the branch above. */
  label: string;
  readonly names: IdSet;
  /** By their first character; none where the label ends the key. */
  readonly below: Map<string, Node>;
}

/** Few names, in no order, with a word that begins like this and goes on in any way. */
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

  /** How many leaves and branches there are: what the tree takes. */
  get nodes(): number {
    return this.#nodes;
  }

  /** Adds the words of a name, which is in the list. */
  add(id: number, name: string): void {
    for (const key of keysOf(name)) this.#add(id, key);
  }

  /** Removes the words of a name, which is in the list still. */
  delete(id: number, name: string): void {
    for (const key of keysOf(name)) this.#delete(id, key);
  }

  /**
   * The first `limit` names that have words which begin like each of `wanted`, or with `whole` those words themselves; of a word that hardly any
   * name has, perhaps some that have another like it.
   */
  find(wanted: readonly string[], limit: number, options: { whole: boolean }): number[] {
    const leaves: Leaf[] = [];
    const sets: IdSet[] = [];
    for (const word of wanted) {
      const found = this.#find(options.whole ? word + END : word);
      if (found === undefined) return [];
      if (Array.isArray(found)) leaves.push(found);
      else sets.push(found.names);
    }
    const [leaf, ...others] = leaves;
    if (leaf === undefined) return IdSet.intersection(sets, limit);
    return leaf.filter((id) => others.every((other) => other.includes(id)) && sets.every((set) => set.has(id)))
      .slice(0, limit);
  }

  /** The node with everything that begins with `key`. */
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

  #add(id: number, key: string): void {
    let below = this.#root;
    for (let at = 0; at < key.length;) {
      const first = key.charAt(at);
      const node = below.get(first);
      if (node === undefined) {
        below.set(first, [id]);
        this.#nodes += 1;
        return;
      }
      if (Array.isArray(node)) {
        if (node.includes(id)) return;
        // Not pushed: an array that has grown keeps room for sixteen more, and there are very many leaves.
        const grown = [...node, id];
        const isSplit = grown.length > LEAF_NAMES_MAX;
        const after = isSplit ? this.#split(grown, key.slice(0, at + 1)) : grown;
        below.set(first, after);
        if (isSplit) this.#nodes += nodesOf(after) - 1;
        return;
      }
      const branch = branchAt(node, commonLength(node.label, key, at));
      if (branch !== node) {
        below.set(first, branch);
        this.#nodes += 1;
      }
      branch.names.add(id);
      at += branch.label.length;
      below = branch.below;
    }
  }

  #delete(id: number, key: string): void {
    let below = this.#root;
    for (let at = 0; at < key.length;) {
      const first = key.charAt(at);
      const node = below.get(first);
      if (node === undefined) return;
      if (Array.isArray(node)) {
        const index = node.indexOf(id);
        if (index !== -1) node.splice(index, 1);
        if (node.length === 0) {
          below.delete(first);
          this.#nodes -= 1;
        }
        return;
      }
      node.names.delete(id);
      if (node.names.size <= LEAF_AGAIN_MAX) {
        this.#nodes -= nodesOf(node) - 1;
        below.set(first, IdSet.intersection([node.names], Infinity));
        return;
      }
      at += node.label.length;
      below = node.below;
    }
  }

  /** A leaf as a branch: its names, told apart by what follows the beginning that all of them have in common. */
  #split(leaf: Leaf, beginning: string): Branch {
    const keys = leaf.map((id) => ({
      id,
      keys: keysOf(this.#names.of(id)).filter((key) => key.startsWith(beginning)),
    }));
    const [example = beginning, ...others] = keys.flatMap((each) => each.keys);
    const length = others.reduce((shared, key) => Math.min(shared, commonLength(example, key, 0)), example.length);
    const below = new Map<string, Node>();
    for (const { id, keys: own } of keys) {
      for (const first of new Set(own.map((key) => key.charAt(length)))) {
        const known = below.get(first);
        if (Array.isArray(known)) known.push(id);
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

/** How many nodes a node is with all below it. */
function nodesOf(node: Node): number {
  if (Array.isArray(node)) return 1;
  let count = 1;
  for (const below of node.below.values()) count += nodesOf(below);
  return count;
}

/** The branch itself, or where only so much of its label is wanted, one above it that ends there. */
function branchAt(branch: Branch, length: number): Branch {
  if (length === branch.label.length) return branch;
  const upper = branch.label.slice(0, length);
  branch.label = branch.label.slice(length);
  return { label: upper, names: branch.names.copy(), below: new Map([[branch.label.charAt(0), branch]]) };
}

/** How many characters of `label` are in `key` from `at` on. */
function commonLength(label: string, key: string, at: number): number {
  let length = 0;
  while (length < label.length && label.charCodeAt(length) === key.charCodeAt(at + length)) length += 1;
  return length;
}

/** The words of a name as the tree knows them, each once. None is the beginning of another. Where there are too many, the file's own count before its folders'. */
function keysOf(name: string): string[] {
  let known = new Set(words(name));
  if (known.size > NAME_WORDS_MAX) known = new Set([...words(baseName(name)), ...known]);
  return Array.from(known, (word) => word + END).slice(0, NAME_WORDS_MAX);
}
