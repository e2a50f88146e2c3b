/**
 * Decides which peer is asked for which small file. Pure: there is no socket, file or clock here.
 * small_download.ts carries the decisions out.
 *
 * A connection is judged by its verified files only. When a connection is late, or much slower than
 * another peer, and nothing else is left to ask for, the other peer is asked for the same files.
 * The first verified copy counts.
 * @module
 */

import type { Failure } from "../../core/failure.ts";
import type { Source } from "../content/source.ts";
import type { SmallFile } from "./small_file.ts";

/**
 * Time without a verified file after which a connection counts as late. Our own rate limit adds to
 * it.
 */
const LATE_MS = 1_000;
/**
 * How many times slower than another peer a connection has to be before that peer takes over its
 * last files.
 */
const SLOW_FACTOR = 4;
/**
 * Time that taking over has to save, beside twice what the other peer needs for the file. The slow
 * peer cannot be stopped, so its copy also arrives.
 */
const SAVED_MS = 200;
/** Bytes that are added to the size of every file: the cost of asking for it. */
const FILE_BYTES = 16_384;
/**
 * How much less each file counts than the next one in the average slowness of a peer. Many files
 * come in one answer, the first of them after a wait, so the average is over several answers.
 */
const FADING = 127 / 128;

/** One connection to a peer, and what was asked on it. */
export interface Asker {
  readonly peer: string;
  /** The files that have not been answered yet, in order. */
  readonly asked: number[];
  /** When it last gave a verified file, or was asked while it had nothing to answer. */
  movedMs: number;
}

interface Entry {
  readonly file: SmallFile;
  readonly sources: Source[];
  askers: readonly Asker[];
  /** Peers that turned out not to have it. */
  refusedBy: readonly string[];
  isHere: boolean;
  failure: Failure | undefined;
}

/** One empty list for all files: most have no more than one asker at a time. */
const NONE: readonly never[] = [];

/** The files of one download, and the connections on which they are asked for. */
export class SmallPlan {
  readonly #entries: readonly Entry[];
  /**
   * Files that a peer may be asked for, the next one last. Some of them may already be here or
   * asked for.
   */
  readonly #ofPeer = new Map<string, number[]>();
  readonly #sources = new Map<string, Source>();
  readonly #askers = new Set<Asker>();
  /** For each peer, how long its connections needed in milliseconds, and for how many bytes. */
  readonly #took = new Map<string, { ms: number; cost: number }>();
  readonly #extraMs: number;
  #left: number;

  /** `extraMs` is the time that our own rate limit adds to one file. */
  constructor(files: readonly SmallFile[], { extraMs = 0 }: { readonly extraMs?: number } = {}) {
    this.#extraMs = extraMs;
    this.#left = files.length;
    this.#entries = files.map((file) => {
      return { file, sources: [], askers: NONE, refusedBy: NONE, isHere: false, failure: undefined };
    });
    files.forEach(({ sources }, index) => this.addSources(index, sources));
    // Two peers begin at different ends of the list, so that they do not want the same files.
    [...this.#ofPeer.values()].forEach((own, number) => number % 2 === 0 ? own.reverse() : own);
  }

  /** All peers that have any of the files. */
  get sources(): Iterable<Source> {
    return this.#sources.values();
  }

  /** Whether all files are here. */
  get isDone(): boolean {
    return this.#left === 0;
  }

  /** How many files are not here yet. */
  get left(): number {
    return this.#left;
  }

  /** Adds peers that have a file. */
  addSources(index: number, sources: readonly Source[]): void {
    const entry = this.#entry(index);
    for (const source of sources) {
      if (entry.sources.some(({ peer }) => peer === source.peer)) continue;
      entry.sources.push(source);
      this.#sources.set(source.peer, source);
      const own = this.#ofPeer.get(source.peer) ?? [];
      own.push(index);
      this.#ofPeer.set(source.peer, own);
    }
  }

  /** A connection on which nothing was asked yet. */
  begin(peer: string, nowMs: number): Asker {
    const asker = { peer, asked: [], movedMs: nowMs };
    this.#askers.add(asker);
    return asker;
  }

  /** Whether there is a file that a peer may be asked for now. */
  hasFor(peer: string, nowMs: number): boolean {
    return this.#hasFresh(peer) || this.#toDouble(peer, nowMs) !== undefined;
  }

  /**
   * Takes the next file to ask for on a connection: one that no peer is asked for, otherwise one
   * for which all asked peers are late or much slower.
   */
  take(asker: Asker, nowMs: number): number | undefined {
    const index = this.#hasFresh(asker.peer) ? this.#ofPeer.get(asker.peer)?.pop() : this.#toDouble(asker.peer, nowMs);
    if (index === undefined) return undefined;
    if (asker.asked.length === 0) asker.movedMs = nowMs;
    asker.asked.push(index);
    const entry = this.#entry(index);
    entry.askers = [...entry.askers, asker];
    return index;
  }

  /**
   * Notes that the next file of a connection was verified.
   *
   * @returns Whether it is the first copy.
   */
  arrived(asker: Asker, nowMs: number): boolean {
    this.#noteSlowness(asker, nowMs);
    const entry = this.#answered(asker);
    asker.movedMs = nowMs;
    if (entry === undefined || entry.isHere) return false;
    entry.isHere = true;
    this.#left -= 1;
    return true;
  }

  /** Notes that a peer does not have the next file of a connection. */
  refused(asker: Asker, failure: Failure): void {
    const [index] = asker.asked;
    const entry = this.#answered(asker);
    if (index === undefined || entry === undefined) return;
    entry.failure = failure;
    entry.refusedBy = [...entry.refusedBy, asker.peer];
    this.#release(index);
  }

  /** Notes that the next files of a connection were not answered. They can be asked for again. */
  unanswered(asker: Asker, count: number): void {
    for (const index of asker.asked.splice(0, count)) {
      leave(this.#entry(index), asker);
      this.#release(index);
    }
  }

  /** Notes that a connection has ended. Its files can be asked for again. */
  end(asker: Asker, failure: Failure | undefined): void {
    this.#askers.delete(asker);
    for (const index of asker.asked.splice(0)) {
      const entry = this.#entry(index);
      leave(entry, asker);
      entry.failure = failure ?? entry.failure;
      this.#release(index);
    }
  }

  /**
   * The files for which all asked peers are late, so that further holders are worth looking for.
   */
  *troubled(nowMs: number): Generator<number> {
    for (const [index, { isHere, askers, failure }] of this.#entries.entries()) {
      const isAsked = askers.length > 0 || failure !== undefined;
      if (!isHere && isAsked && askers.every((asker) => this.#isLate(asker, nowMs))) yield index;
    }
  }

  /** A file. */
  file(index: number): SmallFile {
    return this.#entry(index).file;
  }

  /** The name of a file at a peer. */
  nameAt(index: number, peer: string): string {
    const { file, sources } = this.#entry(index);
    return sources.find((source) => source.peer === peer)?.name ?? file.name;
  }

  /** The files that did not arrive, why if that is known, and the peers that were asked last. */
  *rest(): Generator<{ file: SmallFile; failure: Failure | undefined; askedOf: string[] }> {
    for (const { file, isHere, failure, askers } of this.#entries) {
      if (!isHere) yield { file, failure, askedOf: Array.from(askers, ({ peer }) => peer) };
    }
  }

  #entry(index: number): Entry {
    const entry = this.#entries[index];
    if (entry === undefined) throw new RangeError(`There is no file ${index}`);
    return entry;
  }

  #answered(asker: Asker): Entry | undefined {
    const index = asker.asked.shift();
    if (index === undefined) return undefined;
    const entry = this.#entry(index);
    leave(entry, asker);
    return entry;
  }

  /** Lets every peer that has a file be asked for it, if none is. */
  #release(index: number): void {
    const { isHere, askers, sources, refusedBy } = this.#entry(index);
    if (isHere || askers.length > 0) return;
    for (const { peer } of sources) if (!refusedBy.includes(peer)) this.#ofPeer.get(peer)?.push(index);
  }

  #hasFresh(peer: string): boolean {
    const own = this.#ofPeer.get(peer) ?? [];
    while (own.length > 0 && !this.#isFresh(own.at(-1), peer)) own.pop();
    return own.length > 0;
  }

  #isFresh(index: number | undefined, peer: string): boolean {
    if (index === undefined) return false;
    const { isHere, askers, refusedBy } = this.#entry(index);
    return !isHere && askers.length === 0 && !refusedBy.includes(peer);
  }

  #toDouble(peer: string, nowMs: number): number | undefined {
    for (const asker of this.#askers) {
      if (asker.peer === peer || !this.#isLate(asker, nowMs)) continue;
      const index = asker.asked.find((each) => this.#isToDouble(each, peer, nowMs));
      if (index !== undefined) return index;
    }
    return this.#toTakeOver(peer, nowMs);
  }

  /**
   * The last file of the connection that needs the most time for it, if a peer that can be asked
   * now is much faster.
   */
  #toTakeOver(peer: string, nowMs: number): number | undefined {
    const ownSlowness = this.#pastSlowness(peer);
    if (ownSlowness === undefined) return undefined;
    let taken: number | undefined;
    let mostMs = 0;
    for (const asker of this.#askers) {
      if (asker.peer === peer || this.#slownessOf(asker, nowMs) < SLOW_FACTOR * ownSlowness) continue;
      const index = asker.asked.findLast((each) => this.#mayTakeOver(each, peer, ownSlowness, nowMs));
      const leftMs = index === undefined ? 0 : this.#leftMs(asker, index, nowMs);
      if (leftMs > mostMs) [taken, mostMs] = [index, leftMs];
    }
    return taken;
  }

  #mayTakeOver(index: number, peer: string, ownSlowness: number, nowMs: number): boolean {
    const { isHere, askers, sources, refusedBy, file } = this.#entry(index);
    if (isHere || refusedBy.includes(peer) || !sources.some((source) => source.peer === peer)) return false;
    const soonMs = 2 * ownSlowness * costOf(file) + SAVED_MS + this.#extraMs;
    return askers.every((asker) => {
      if (asker.peer === peer) return false;
      const isSlow = this.#slownessOf(asker, nowMs) >= SLOW_FACTOR * ownSlowness;
      return this.#isLate(asker, nowMs) || (isSlow && this.#leftMs(asker, index, nowMs) > soonMs);
    });
  }

  #isToDouble(index: number, peer: string, nowMs: number): boolean {
    const { isHere, askers, sources, refusedBy } = this.#entry(index);
    if (isHere || refusedBy.includes(peer) || !sources.some((source) => source.peer === peer)) return false;
    return askers.every((asker) => asker.peer !== peer && this.#isLate(asker, nowMs));
  }

  #noteSlowness({ peer, asked: [index], movedMs }: Asker, nowMs: number): void {
    if (index === undefined) return;
    const { ms, cost } = this.#took.get(peer) ?? { ms: 0, cost: 0 };
    this.#took.set(peer, { ms: FADING * ms + nowMs - movedMs, cost: FADING * cost + costOf(this.file(index)) });
  }

  /** How long one connection to a peer needed for a byte. Undefined when it gave none. */
  #pastSlowness(peer: string): number | undefined {
    const took = this.#took.get(peer);
    return took && took.ms / took.cost;
  }

  /**
   * How long a connection needs for a byte: as its peer did so far. When it is waiting for a file,
   * it is assumed to need as long again.
   */
  #slownessOf({ peer, asked: [next], movedMs }: Asker, nowMs: number): number {
    const waited = next === undefined ? 0 : 2 * (nowMs - movedMs) / costOf(this.file(next));
    return Math.max(waited, this.#pastSlowness(peer) ?? 0);
  }

  /** How long a connection will still need until one of its files has arrived. */
  #leftMs(asker: Asker, index: number, nowMs: number): number {
    const before = asker.asked.slice(0, asker.asked.indexOf(index) + 1);
    const cost = before.reduce((sum, each) => sum + costOf(this.file(each)), 0);
    return cost * this.#slownessOf(asker, nowMs) - (nowMs - asker.movedMs);
  }

  #isLate({ asked, movedMs }: Asker, nowMs: number): boolean {
    return asked.length > 0 && nowMs - movedMs >= LATE_MS + this.#extraMs;
  }
}

/** Notes that a connection is no longer asked for a file. */
function leave(entry: Entry, asker: Asker): void {
  entry.askers = entry.askers.length === 1 ? NONE : entry.askers.filter((each) => each !== asker);
}

/** The cost of a file, in bytes. */
function costOf({ size }: SmallFile): number {
  return size + FILE_BYTES;
}
