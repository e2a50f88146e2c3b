/**
 * Every copy that a peer lists: whose it is, its name, size and root. Copies are found by name, by root and by peer, each in a chain of its own. Called
 * by listed_files.ts and local_search.ts.
 *
 * Rows of numbers in pages: 75 bytes a copy, and reading one takes well under a microsecond. As a table of SQLite with its three trees it was twice
 * as much, and more than half of the time of a search. Pages, so that no growth of the table copies it; root chains are split one by one
 * (linear hashing), so that none of its steps takes long.
 * @module
 */

import { DIGEST_BYTES } from "../../core/content.ts";
import type { WantedContent } from "../search_index.ts";

/** Rows of one page. */
const PAGE_ROWS_BITS = 12;
const PAGE_ROWS = 1 << PAGE_ROWS_BITS;
const BUCKETS_MIN = 64;
/** Where a row's neighbours are: after it and before it in the chain of its name, of its root and of its peer. */
const LINKS = 6;
const BY_NAME = 0;
const BY_ROOT = 2;
const BY_PEER = 4;

interface Page {
  readonly peers: Uint32Array;
  readonly names: Uint32Array;
  readonly sizes: Float64Array;
  readonly roots: Uint8Array;
  readonly hasRoot: Uint8Array;
  readonly links: Uint32Array;
}

/** What is known of one copy. */
export interface FileRow {
  readonly peer: number;
  readonly name: number;
  readonly size: number;
  /** In hex. */
  readonly root: string | undefined;
}

/** Rows are numbers above 0; 0 is none. */
export class FileTable {
  readonly #pages: Page[] = [];
  readonly #free: number[] = [];
  #lastRow = 0;
  readonly #firstOfPeer = new Map<number, number>();
  #firstOfName = new Uint32Array(PAGE_ROWS);
  /** By hash of the root. A chain holds different roots, if their hashes are alike. */
  #firstOfRoot = new Uint32Array(BUCKETS_MIN);
  #buckets = BUCKETS_MIN;
  #rooted = 0;
  /** So that nobody can make up roots whose hashes are all alike. */
  readonly #seed = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;

  /** Adds a copy, which is not there. */
  add({ peer, name, size, root }: FileRow): void {
    const row = this.#free.pop() ?? ++this.#lastRow;
    if (row >>> PAGE_ROWS_BITS >= this.#pages.length) this.#pages.push(makePage());
    const page = this.#page(row);
    const at = row & (PAGE_ROWS - 1);
    page.peers[at] = peer;
    page.names[at] = name;
    if (name >= this.#firstOfName.length) this.#firstOfName = grown(this.#firstOfName, name + 1);
    this.#firstOfName[name] = this.#link(BY_NAME, row, this.#firstOfName[name] ?? 0);
    this.#firstOfPeer.set(peer, this.#link(BY_PEER, row, this.#firstOfPeer.get(peer) ?? 0));
    this.#fill(row, size, root);
  }

  /** Gives a copy another size and root. */
  change(row: number, size: number, root: string | undefined): void {
    this.#forgetRoot(row);
    this.#fill(row, size, root);
  }

  /** Removes a copy. */
  delete(row: number): void {
    const { peer, name } = this.row(row);
    this.#forgetRoot(row);
    if (this.#firstOfName[name] === row) this.#firstOfName[name] = this.#next(BY_NAME, row);
    const nextOfPeer = this.#next(BY_PEER, row);
    if (this.#firstOfPeer.get(peer) === row) {
      if (nextOfPeer === 0) this.#firstOfPeer.delete(peer);
      else this.#firstOfPeer.set(peer, nextOfPeer);
    }
    this.#unlink(BY_NAME, row);
    this.#unlink(BY_PEER, row);
    this.#free.push(row);
  }

  /** What is known of a copy. */
  row(row: number): FileRow {
    const page = this.#page(row);
    const at = row & (PAGE_ROWS - 1);
    const root = page.hasRoot[at] === 1
      ? page.roots.subarray(at * DIGEST_BYTES, (at + 1) * DIGEST_BYTES).toHex()
      : undefined;
    return { peer: page.peers[at] ?? 0, name: page.names[at] ?? 0, size: page.sizes[at] ?? 0, root };
  }

  /** A peer's copy of a name, or 0. */
  find(peer: number, name: number): number {
    let row = this.#firstOfName[name] ?? 0;
    while (row !== 0 && this.#page(row).peers[row & (PAGE_ROWS - 1)] !== peer) row = this.#next(BY_NAME, row);
    return row;
  }

  /** Whether anybody has this name. */
  hasName(name: number): boolean {
    return (this.#firstOfName[name] ?? 0) !== 0;
  }

  /** The copies of a name, `limit` at most, those of who came first before others. */
  ofName(name: number, limit: number): FileRow[] {
    const found: FileRow[] = [];
    let row = this.#firstOfName[name] ?? 0;
    for (; row !== 0 && found.length < limit; row = this.#next(BY_NAME, row)) found.push(this.row(row));
    return found.sort((a, b) => a.peer - b.peer);
  }

  /** Some copies of a peer, `limit` at most. Shape: their rows. */
  ofPeer(peer: number, limit: number): number[] {
    const found: number[] = [];
    let row = this.#firstOfPeer.get(peer) ?? 0;
    for (; row !== 0 && found.length < limit; row = this.#next(BY_PEER, row)) found.push(row);
    return found;
  }

  /**
   * The copies of a content, of `limit` that are looked at, those of who came first before others. Of one peer no more than `ofPeerMax`, so that
   * nobody hides others behind very many names. Shape: their rows.
   */
  ofContent(content: WantedContent, { limit, ofPeerMax }: { limit: number; ofPeerMax: number }): number[] {
    // Peer and row in one number, which a typed array sorts several times faster than an array sorts pairs.
    const found: number[] = [];
    const rows = this.#lastRow + 1;
    const counts = new Map<number, number>();
    this.#withContent(content, limit, (row) => {
      const peer = this.#peerOf(row);
      const count = counts.get(peer) ?? 0;
      if (count >= ofPeerMax) return;
      counts.set(peer, count + 1);
      found.push(peer * rows + row);
    });
    return Array.from(Float64Array.from(found).sort(), (each) => each % rows);
  }

  /** Who has a content, of `limit` copies that are looked at; and how many were. */
  holdersOf(content: WantedContent, limit: number): { holders: Set<number>; looked: number } {
    const holders = new Set<number>();
    const looked = this.#withContent(content, limit, (row) => holders.add(this.#peerOf(row)));
    return { holders, looked };
  }

  #withContent({ root, size }: WantedContent, limit: number, take: (row: number) => void): number {
    const bytes = Uint8Array.fromHex(root);
    let row = this.#firstOfRoot[this.#bucketOf(this.#hash(bytes, 0))] ?? 0;
    let looked = 0;
    for (; row !== 0 && looked < limit; looked++, row = this.#next(BY_ROOT, row)) {
      if (this.#hasBytes(row, bytes) && (size === undefined || this.#sizeOf(row) === size)) take(row);
    }
    return looked;
  }

  #peerOf(row: number): number {
    return this.#page(row).peers[row & (PAGE_ROWS - 1)] ?? 0;
  }

  #sizeOf(row: number): number {
    return this.#page(row).sizes[row & (PAGE_ROWS - 1)] ?? 0;
  }

  #page(row: number): Page {
    const page = this.#pages[row >>> PAGE_ROWS_BITS];
    if (page === undefined) throw new RangeError(`There is no row ${row}`);
    return page;
  }

  /** The row after this one in one of its chains. */
  #next(chain: number, row: number): number {
    return this.#page(row).links[(row & (PAGE_ROWS - 1)) * LINKS + chain] ?? 0;
  }

  #setLink(link: number, row: number, to: number): void {
    this.#page(row).links[(row & (PAGE_ROWS - 1)) * LINKS + link] = to;
  }

  /** Puts a row before the first one of a chain. Shape: the new first one. */
  #link(chain: number, row: number, first: number): number {
    this.#setLink(chain, row, first);
    this.#setLink(chain + 1, row, 0);
    if (first !== 0) this.#setLink(chain + 1, first, row);
    return row;
  }

  #unlink(chain: number, row: number): void {
    const next = this.#next(chain, row);
    const before = this.#next(chain + 1, row);
    if (before !== 0) this.#setLink(chain, before, next);
    if (next !== 0) this.#setLink(chain + 1, next, before);
  }

  #fill(row: number, size: number, root: string | undefined): void {
    const page = this.#page(row);
    const at = row & (PAGE_ROWS - 1);
    page.sizes[at] = size;
    page.hasRoot[at] = root === undefined ? 0 : 1;
    if (root === undefined) return;
    page.roots.set(Uint8Array.fromHex(root), at * DIGEST_BYTES);
    this.#rooted += 1;
    if (this.#rooted > this.#buckets) this.#splitBucket();
    const bucket = this.#bucketOf(this.#hash(page.roots, at * DIGEST_BYTES));
    this.#firstOfRoot[bucket] = this.#link(BY_ROOT, row, this.#firstOfRoot[bucket] ?? 0);
  }

  #forgetRoot(row: number): void {
    const page = this.#page(row);
    const at = row & (PAGE_ROWS - 1);
    if (page.hasRoot[at] !== 1) return;
    const bucket = this.#bucketOf(this.#hash(page.roots, at * DIGEST_BYTES));
    if (this.#firstOfRoot[bucket] === row) this.#firstOfRoot[bucket] = this.#next(BY_ROOT, row);
    this.#unlink(BY_ROOT, row);
    page.hasRoot[at] = 0;
    this.#rooted -= 1;
  }

  #hasBytes(row: number, root: Uint8Array): boolean {
    const { roots } = this.#page(row);
    const start = (row & (PAGE_ROWS - 1)) * DIGEST_BYTES;
    for (let index = 0; index < DIGEST_BYTES; index++) if (roots[start + index] !== root[index]) return false;
    return true;
  }

  #hash(bytes: Uint8Array, start: number): number {
    let hash = this.#seed;
    for (let at = start; at < start + DIGEST_BYTES; at++) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
    return (hash ^ (hash >>> 15)) >>> 0;
  }

  /** Of the buckets there are: by as many bits of the hash as name one of them. */
  #bucketOf(hash: number): number {
    const half = 1 << (31 - Math.clz32(this.#buckets));
    const bucket = hash & (2 * half - 1);
    return bucket < this.#buckets ? bucket : hash & (half - 1);
  }

  /** One bucket more, with the rows that it takes over from the one that had them so far. */
  #splitBucket(): void {
    const added = this.#buckets;
    const split = added - (1 << (31 - Math.clz32(added)));
    this.#buckets += 1;
    if (this.#buckets > this.#firstOfRoot.length) this.#firstOfRoot = grown(this.#firstOfRoot, this.#buckets);
    let row = this.#firstOfRoot[split] ?? 0;
    this.#firstOfRoot[split] = 0;
    this.#firstOfRoot[added] = 0;
    while (row !== 0) {
      const next = this.#next(BY_ROOT, row);
      const bucket = this.#bucketOf(this.#hash(this.#page(row).roots, (row & (PAGE_ROWS - 1)) * DIGEST_BYTES));
      this.#firstOfRoot[bucket] = this.#link(BY_ROOT, row, this.#firstOfRoot[bucket] ?? 0);
      row = next;
    }
  }
}

function makePage(): Page {
  return {
    peers: new Uint32Array(PAGE_ROWS),
    names: new Uint32Array(PAGE_ROWS),
    sizes: new Float64Array(PAGE_ROWS),
    roots: new Uint8Array(PAGE_ROWS * DIGEST_BYTES),
    hasRoot: new Uint8Array(PAGE_ROWS),
    links: new Uint32Array(PAGE_ROWS * LINKS),
  };
}

function grown(array: Uint32Array<ArrayBuffer>, length: number): Uint32Array<ArrayBuffer> {
  const roomy = new Uint32Array(Math.max(length, 2 * array.length));
  roomy.set(array);
  return roomy;
}
