/**
 * All peers that have the content of one download. Those that have a place are asked; places.ts
 * decides which those are. Called by download.ts.
 * @module
 */

import { failedWith, Failure } from "../../core/failure.ts";
import type { Bell } from "../../core/flow/bell.ts";
import { unlessAborted } from "../../core/flow/on_abort.ts";
import {
  DOWNLOAD_CANDIDATES_MAX,
  DOWNLOAD_SOURCES_MAX,
  FIND_AGAIN_FIRST_MS,
  FIND_AGAIN_LAST_MS,
  SOURCE_CONNECTIONS_KEPT_MAX,
} from "../../core/limits.ts";
import type { PieceSet } from "../../core/piece_set.ts";
import { rangeBytes } from "../../core/range.ts";
import type { WantedContent } from "../content/content.ts";
import type { DownloadTools } from "../content/download_tools.ts";
import { changePlaces } from "../plan/places.ts";
import { SourceAtWork } from "./source_at_work.ts";
import type { Source } from "../content/source.ts";
import type { Given } from "../content/watch.ts";

/** The sources of one download. */
export class SourcePool {
  readonly #wanted: WantedContent;
  readonly #tools: DownloadTools;
  readonly #signal: AbortSignal;
  readonly #sources = new Map<string, SourceAtWork>();
  /** Sources of what turned out to be another content. */
  readonly #former: SourceAtWork[] = [];
  /** The last failure of each source, latest last. */
  readonly #failures = new Map<SourceAtWork, Failure>();

  /** A pool without sources. It closes their connections when the signal is aborted. */
  constructor(
    wanted: WantedContent,
    { signal, tools }: { readonly signal: AbortSignal; readonly tools: DownloadTools },
  ) {
    this.#wanted = wanted;
    this.#tools = tools;
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#close(), { once: true });
  }

  /** The sources that have a place. */
  get placed(): SourceAtWork[] {
    return [...this.#sources.values()].filter((source) => source.isPlaced);
  }

  /** The source with this peer's name. */
  source(peer: string): SourceAtWork {
    const source = this.#sources.get(peer);
    if (source === undefined) throw new RangeError(`Cannot ask ${peer}: it is no source`);
    return source;
  }

  /** Adds the sources that were looked up a moment ago, or finds some. */
  async begin(): Promise<void> {
    const { sources = [], root } = this.#wanted;
    this.#add(sources);
    if (sources.length === 0) await this.find(root);
  }

  /**
   * Adds the peers that have the content now. The others stay: a peer may be back before the index
   * knows it.
   */
  async find(root: string | undefined): Promise<void> {
    const wanted = root === undefined ? this.#wanted : { ...this.#wanted, root };
    const finding = this.#tools.finder.sources(wanted).catch((thrown) => {
      if (failedWith(thrown, "index-unreachable", "closed", "timeout")) return [];
      throw thrown;
    });
    // An index that does not answer does not hold up the end.
    this.#add(await unlessAborted(finding, this.#signal) ?? []);
  }

  #add(sources: readonly Source[]): void {
    for (const listed of sources) {
      const known = this.#sources.get(listed.peer);
      if (known !== undefined) known.listed = listed;
      else if (this.#sources.size < DOWNLOAD_CANDIDATES_MAX) {
        const context = { size: this.#wanted.size, signal: this.#signal };
        this.#sources.set(listed.peer, new SourceAtWork(listed, context, this.#tools));
      }
    }
  }

  /**
   * Finds sources again and again until the download is over: often at first, when others also
   * begin. Rings the bell each time.
   */
  async keepFinding(root: () => string | undefined, bell: Bell): Promise<void> {
    for (let waitMs = FIND_AGAIN_FIRST_MS;; waitMs = Math.min(FIND_AGAIN_LAST_MS, waitMs * 2)) {
      const isOver = await this.#tools.clock.delay(waitMs, this.#signal).then(() => false, () => true);
      if (isOver) return;
      await this.find(root());
      bell.ring();
    }
  }

  /** Gives places to sources and takes them away, as places.ts decides. */
  rearrange(): void {
    const { random, deliverers } = this.#tools;
    const all = [...this.#sources.values()];
    const candidates = all.filter((source) => !source.isPlaced && !source.placed().isOver && !source.isBusy);
    const { leave, enter } = changePlaces(
      all.filter((source) => source.isPlaced).map((source) => source.placed()),
      candidates.map(({ listed, turns, record }) => {
        return { id: listed.peer, turns, hasDelivered: record.bytes > 0 || deliverers?.has(listed) === true };
      }),
      { placesMax: DOWNLOAD_SOURCES_MAX, random },
    );
    // In this order, a source that gets its place back keeps its connection.
    for (const peer of enter) this.source(peer).place();
    for (const peer of leave) this.#displace(this.source(peer));
  }

  /** Takes a source's place away. Its connection is kept, unless many are. */
  #displace(source: SourceAtWork): void {
    source.displace();
    const kept = [...this.#sources.values()].filter(({ isKept }) => isKept).length;
    if (kept > SOURCE_CONNECTIONS_KEPT_MAX) source.release();
  }

  /** How long to wait before each idle source may be asked again. */
  restMs(): number[] {
    return this.placed.filter((source) => !source.isBusy && !source.isDropped).map((source) => source.waitMs());
  }

  /**
   * Releases the sources whose pieces are here: when two were asked for the same pieces, that is
   * the slower one.
   */
  releaseCovered(here: PieceSet): void {
    for (const source of this.placed) {
      if (source.asked !== undefined && rangeBytes(source.asked) > 0 && here.covers(source.asked)) source.release();
    }
  }

  /** Drops all sources but one, because what the others have is another content. */
  keepOnly(kept: SourceAtWork): void {
    for (const other of this.#sources.values()) {
      if (other === kept) continue;
      other.displace();
      other.release();
      this.#sources.delete(other.peer);
      this.#former.push(other);
    }
  }

  /** Notes the last failure of a source. */
  failed(source: SourceAtWork, failure: Failure): void {
    this.#failures.delete(source);
    this.#failures.set(source, failure);
  }

  /**
   * The failure to report when no source is left: that of a source that may do better later, if
   * there is one.
   */
  get failure(): Failure | undefined {
    const all = [...this.#failures.values()];
    return all.findLast((each) => failedWith(each, "busy")) ?? all.findLast(({ retry }) => retry) ?? all.at(-1);
  }

  /** How much each source gave. */
  given(): Given[] {
    const gave = [...this.#former, ...this.#sources.values()].filter(({ record }) => record.bytes > 0);
    for (const { listed } of gave) this.#tools.deliverers?.note(listed);
    return gave.map(({ peer, record: { bytes, busyMs } }) => ({ peer, bytes, ms: busyMs }));
  }

  #close(): void {
    const reason = Failure.from(this.#signal.reason, "cancelled", "The download is over");
    for (const source of this.#sources.values()) source.close(reason);
  }
}
