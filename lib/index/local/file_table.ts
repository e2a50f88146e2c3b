/**
 * Every copy that a peer lists: the peer, the file's name, size and root. A copy is one row; rows
 * with the same name, with the same hash of the root, and of the same peer form chains. Called by
 * listed_files.ts, local_search.ts, peer_shares.ts and partial_files.ts.
 *
 * A row takes 75 bytes, and reading one takes well under a microsecond. A table of SQLite with its
 * three trees took twice the memory, and more than half of the time of a search. The rows are on
 * pages, so the table grows without being copied. The chains by root are split one by one (linear
 * hashing), so no step takes long.
 * @module
 */

import { DIGEST_BYTES } from "../../core/content.ts";
import type { WantedContent } from "../search_index.ts";
import { NameGroups } from "./name_groups.ts";

const PAGE_ROWS_BITS = 12;
const PAGE_ROWS = 1 << PAGE_ROWS_BITS;
const BUCKETS_MIN = 64;
/** A row has six links: for each of these chains, the row after it, then the row before it. */
const BY_NAME = 0;
const BY_ROOT = 2;
const BY_PEER = 4;
const LINKS = 6;

/** The number of the page that a row is on. */
function pageOf(row: number): number {
  return row >>> PAGE_ROWS_BITS;
}

/** The place of a row in each column of its page. */
function placeOf(row: number): number {
  return row & (PAGE_ROWS - 1);
}

/** Some rows, column by column. */
interface Page {
  readonly peers: Uint32Array;
  readonly names: Uint32Array;
  readonly sizes: Float64Array;
  readonly roots: Uint8Array;
  readonly hasRoot: Uint8Array;
  readonly links: Uint32Array;
}

/** One copy. */
export interface FileRow {
  readonly peer: number;
  readonly name: number;
  readonly size: number;
  /** In hex. */
  readonly root: string | undefined;
}

/** The copies. Rows are numbered from 1 on; 0 stands for no row. */
export class FileTable {
  /** Which peer has groups of names. */
  readonly groups = new NameGroups();
  readonly #pages: Page[] = [];
  readonly #free: number[] = [];
  #lastRow = 0;
  readonly #firstOfPeer = new Map<number, number>();
  #firstOfName = new Uint32Array(PAGE_ROWS);
  /** By hash of the root. Roots with similar hashes share a chain. */
  #firstOfRoot = new Uint32Array(BUCKETS_MIN);
  #buckets = BUCKETS_MIN;
  #rooted = 0;
  /** Secret, so that nobody can make up roots with the same hash. */
  readonly #seed = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;

  /**
   * Adds a copy. The peer must not have one with this name, unless names are of no use to the
   * caller.
   *
   * @returns Its row.
   */
  add({ peer, name, size, root }: FileRow): number {
    const row = this.#free.pop() ?? ++this.#lastRow;
    if (pageOf(row) >= this.#pages.length) this.#pages.push(makePage());
    const page = this.#page(row);
    const place = placeOf(row);
    page.peers[place] = peer;
    page.names[place] = name;
    if (name >= this.#firstOfName.length) this.#firstOfName = grown(this.#firstOfName, name + 1);
    this.#firstOfName[name] = this.#link(BY_NAME, row, this.#firstOfName[name] ?? 0);
    this.#firstOfPeer.set(peer, this.#link(BY_PEER, row, this.#firstOfPeer.get(peer) ?? 0));
    this.groups.add(name, peer);
    this.#fill(row, size, root);
    return row;
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
    this.groups.delete(name);
    this.#free.push(row);
  }

  /** The copy in a row. */
  row(row: number): FileRow {
    const page = this.#page(row);
    const place = placeOf(row);
    const start = place * DIGEST_BYTES;
    const root = page.hasRoot[place] === 1 ? page.roots.subarray(start, start + DIGEST_BYTES).toHex() : undefined;
    return { peer: page.peers[place] ?? 0, name: page.names[place] ?? 0, size: page.sizes[place] ?? 0, root };
  }

  /** The row of a peer's copy with this name, or 0. */
  find(peer: number, name: number): number {
    let row = this.#firstOfName[name] ?? 0;
    while (row !== 0 && this.peerOf(row) !== peer) row = this.#next(BY_NAME, row);
    return row;
  }

  /** The row of a peer's copy with this root, or 0. */
  findRoot(peer: number, root: string): number {
    const bytes = Uint8Array.fromHex(root);
    let row = this.#firstOfPeer.get(peer) ?? 0;
    while (row !== 0 && !this.#hasRoot(row, bytes)) row = this.#next(BY_PEER, row);
    return row;
  }

  /** Whether any peer has a copy with this name. */
  hasName(name: number): boolean {
    return this.firstOfName(name) !== 0;
  }

  /** The row of a copy with a name, or 0. */
  firstOfName(name: number): number {
    return this.#firstOfName[name] ?? 0;
  }

  /** The row of the next copy with the same name, or 0. */
  nextOfName(row: number): number {
    return this.#next(BY_NAME, row);
  }

  /** At most `limit` copies with a name, those of the peers that joined first before others. */
  ofName(name: number, limit: number): FileRow[] {
    const found: FileRow[] = [];
    let row = this.#firstOfName[name] ?? 0;
    for (; row !== 0 && found.length < limit; row = this.#next(BY_NAME, row)) found.push(this.row(row));
    return found.sort((a, b) => a.peer - b.peer);
  }

  /** The rows of at most `limit` copies of a peer. */
  ofPeer(peer: number, limit: number): number[] {
    const found: number[] = [];
    let row = this.#firstOfPeer.get(peer) ?? 0;
    for (; row !== 0 && found.length < limit; row = this.#next(BY_PEER, row)) found.push(row);
    return found;
  }

  /**
   * The rows of the copies of a content, those of the peers that joined first before others.
   *
   * @param bounds `limit` is how many copies are looked at. `ofPeerMax` is how many of one peer
   * count, so that a peer with very many names for a content does not hide the other holders.
   */
  ofContent(content: WantedContent, { limit, ofPeerMax }: { limit: number; ofPeerMax: number }): number[] {
    // Peer and row in one number: a typed array sorts numbers several times faster than an array
    // sorts pairs.
    const found: number[] = [];
    const rows = this.#lastRow + 1;
    const counts = new Map<number, number>();
    // Most copies of a root that very many names have are of peers with enough of them. Their roots
    // and sizes are not read.
    const isWanted = (peer: number): boolean => (counts.get(peer) ?? 0) < ofPeerMax;
    this.#withContent(content, { limit, isWanted }, (row) => {
      const peer = this.peerOf(row);
      counts.set(peer, (counts.get(peer) ?? 0) + 1);
      found.push(peer * rows + row);
    });
    return Array.from(Float64Array.from(found).sort(), (each) => each % rows);
  }

  /**
   * The peers that have a content, among the first `limit` copies; and how many copies were looked
   * at.
   */
  holdersOf(content: WantedContent, limit: number): { holders: Set<number>; looked: number } {
    const holders = new Set<number>();
    const isWanted = (peer: number): boolean => !holders.has(peer);
    const looked = this.#withContent(content, { limit, isWanted }, (row) => holders.add(this.peerOf(row)));
    return { holders, looked };
  }

  #withContent(
    { root, size }: WantedContent,
    { limit, isWanted }: { limit: number; isWanted: (peer: number) => boolean },
    take: (row: number) => void,
  ): number {
    const bytes = Uint8Array.fromHex(root);
    let row = this.#firstOfRoot[this.#bucketOf(this.#hash(bytes, 0))] ?? 0;
    let looked = 0;
    for (; row !== 0 && looked < limit; looked++, row = this.#next(BY_ROOT, row)) {
      if (
        isWanted(this.peerOf(row)) && this.#hasRoot(row, bytes) && (size === undefined || this.#sizeOf(row) === size)
      ) take(row);
    }
    return looked;
  }

  /** The peer of the copy in a row. */
  peerOf(row: number): number {
    return this.#page(row).peers[placeOf(row)] ?? 0;
  }

  #sizeOf(row: number): number {
    return this.#page(row).sizes[placeOf(row)] ?? 0;
  }

  #page(row: number): Page {
    const page = this.#pages[pageOf(row)];
    if (page === undefined) throw new RangeError(`There is no row ${row}`);
    return page;
  }

  /** The row after this one in one of its chains. */
  #next(chain: number, row: number): number {
    return this.#page(row).links[placeOf(row) * LINKS + chain] ?? 0;
  }

  #setLink(link: number, row: number, to: number): void {
    this.#page(row).links[placeOf(row) * LINKS + link] = to;
  }

  /**
   * Puts a row before the first one of a chain.
   *
   * @returns The row, which is now the first.
   */
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
    const place = placeOf(row);
    page.sizes[place] = size;
    page.hasRoot[place] = root === undefined ? 0 : 1;
    if (root === undefined) return;
    page.roots.set(Uint8Array.fromHex(root), place * DIGEST_BYTES);
    this.#rooted += 1;
    if (this.#rooted > this.#buckets) this.#splitBucket();
    this.#linkByRoot(row);
  }

  #linkByRoot(row: number): void {
    const bucket = this.#bucketOfRow(row);
    this.#firstOfRoot[bucket] = this.#link(BY_ROOT, row, this.#firstOfRoot[bucket] ?? 0);
  }

  #forgetRoot(row: number): void {
    const { hasRoot } = this.#page(row);
    if (hasRoot[placeOf(row)] !== 1) return;
    const bucket = this.#bucketOfRow(row);
    if (this.#firstOfRoot[bucket] === row) this.#firstOfRoot[bucket] = this.#next(BY_ROOT, row);
    this.#unlink(BY_ROOT, row);
    hasRoot[placeOf(row)] = 0;
    this.#rooted -= 1;
  }

  #hasRoot(row: number, root: Uint8Array): boolean {
    const { roots, hasRoot } = this.#page(row);
    if (hasRoot[placeOf(row)] !== 1) return false;
    const start = placeOf(row) * DIGEST_BYTES;
    for (let index = 0; index < DIGEST_BYTES; index++) if (roots[start + index] !== root[index]) return false;
    return true;
  }

  #bucketOfRow(row: number): number {
    return this.#bucketOf(this.#hash(this.#page(row).roots, placeOf(row) * DIGEST_BYTES));
  }

  #hash(bytes: Uint8Array, start: number): number {
    let hash = this.#seed;
    for (let at = start; at < start + DIGEST_BYTES; at++) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
    return (hash ^ (hash >>> 15)) >>> 0;
  }

  /** The bucket of a hash: its lowest bits, as many as it takes to name a bucket that exists. */
  #bucketOf(hash: number): number {
    const half = 1 << (31 - Math.clz32(this.#buckets));
    const bucket = hash & (2 * half - 1);
    return bucket < this.#buckets ? bucket : hash & (half - 1);
  }

  /** Adds a bucket, and moves the rows that belong to it there from the bucket they were in. */
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
      this.#linkByRoot(row);
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
