/**
 * The opening of a download: gets the digests that pieces are compared with. One source is asked
 * first. When it is late, another one is asked as well, and so on. The first source that is done
 * wins. Called by download.ts.
 *
 * When the content has a root, a source is done when it has given all digests and they match the
 * root. Without a root, every source has its own list, which cannot be checked; a source is done
 * when it has given a piece that matches its list.
 * @module
 */

import { DIGEST_BYTES, pieceCount, pieceRange } from "../core/content.ts";
import { Failure } from "../core/failure.ts";
import { PAGE_DIGESTS_MAX, RETRIES_MAX } from "../core/limits.ts";
import { onAbort } from "../core/flow/on_abort.ts";
import { type Range, rangeBytes } from "../core/range.ts";
import type { DownloadTools } from "./content/download_tools.ts";
import { FirstRange } from "./first_range.ts";
import type { Buffers } from "./pieces/buffers.ts";
import type { FetchOrder } from "./pieces/fetch.ts";
import { PieceList } from "./pieces/piece_list.ts";
import type { SourceAtWork } from "./sources/source_at_work.ts";

/** Time after which twice as many sources are asked. Long lists add to it. */
const OPENING_MS = 500;
const OPENING_BYTES_PER_MS = 200;

/**
 * How many sources are asked at once for the digests of a file of `size` bytes, when none is done
 * after `elapsedMs`.
 */
export function openingWidth(size: number, elapsedMs: number): number {
  const waitMs = OPENING_MS + pieceCount(size) * DIGEST_BYTES / OPENING_BYTES_PER_MS;
  return 2 ** Math.floor(elapsedMs / waitMs);
}

/** What the first source that is done has given. */
export interface Opened {
  readonly source: SourceAtWork;
  readonly list: PieceList;
  /** Only with a root: the first range, if it was asked for together with the digests. */
  readonly first?: FirstRange | undefined;
  /** Only without a root: the piece that it gave, and its list, which goes on arriving. */
  readonly began?: {
    readonly range: Range;
    readonly bytes: Uint8Array;
    readonly feed: Promise<void>;
    /** Ends the list. */
    readonly stopFeed: (reason: Failure) => void;
    /** Ends the list and does not count the piece, when it is of no use. */
    readonly forget: (reason: Failure) => void;
  };
}

/** What is to be opened. */
export interface OpeningOptions extends Pick<DownloadTools, "pace"> {
  readonly size: number;
  readonly root: string | undefined;
  /** The index of the first missing piece. */
  readonly firstMissing: number;
  readonly buffers: Buffers;
  readonly compress: boolean;
  /** Whether probably nothing of the content is on this machine. */
  readonly isNew: boolean;
  /** Aborted when the download is over. */
  readonly signal: AbortSignal;
}

/** One race of sources for the digests. */
export class Opening {
  readonly #startMs: number;
  readonly #options: OpeningOptions;
  readonly #runners = new Map<SourceAtWork, AbortController>();
  #winner: SourceAtWork | undefined;
  /** Whether there is only one source. */
  #isOnly = false;

  constructor(options: OpeningOptions, startMs: number) {
    this.#options = options;
    this.#startMs = startMs;
  }

  /**
   * The sources to ask now. Sources that failed in their last turn come last.
   *
   * @param sources Those that have a place.
   */
  next(sources: readonly SourceAtWork[], nowMs: number): SourceAtWork[] {
    if (this.#winner !== undefined) return [];
    this.#isOnly = sources.length === 1;
    const free = sources.map((source) => ({ source, ...source.planned() })).filter(({ source, state, tries }) => {
      return state === "ready" && tries < RETRIES_MAX && !this.#runners.has(source);
    });
    free.sort((a, b) => Number(a.standing === "bad") - Number(b.standing === "bad"));
    const wanted = openingWidth(this.#options.size, nowMs - this.#startMs) - this.#runners.size;
    return free.slice(0, Math.max(0, wanted)).map(({ source }) => source);
  }

  /**
   * Asks a source.
   *
   * @returns What it gave, if it is the first that is done.
   * @throws {Failure} As the source does.
   */
  async run(source: SourceAtWork): Promise<Opened | undefined> {
    const losing = new AbortController();
    this.#runners.set(source, losing);
    try {
      const opened = await this.#open(source, AbortSignal.any([losing.signal, this.#options.signal]));
      if (this.#winner === undefined) {
        this.#winner = source;
        this.end();
        return opened;
      }
      forget(opened, sooner());
      return undefined;
    } finally {
      this.#runners.delete(source);
    }
  }

  /** Releases all sources but the winner. */
  end(): void {
    for (const [source, losing] of this.#runners) {
      if (source === this.#winner) continue;
      losing.abort(sooner());
      source.release();
    }
  }

  async #open(source: SourceAtWork, losing: AbortSignal): Promise<Opened> {
    const { size, root, firstMissing, buffers, compress, pace } = this.#options;
    const list = new PieceList(size);
    if (root !== undefined) return await this.#openByRoot(source, { root, list, losing });
    const target = { name: source.listed.name };
    const feeding = new AbortController();
    using _losing = onAbort(losing, () => feeding.abort(losing.reason));
    const feed = list.feed((ending) => source.connect(ending), target, {
      signal: feeding.signal,
      pace,
    });
    feed.catch(() => {});
    try {
      const range = pieceRange(firstMissing, size);
      const bytes = await fetchPieceOf(source, range, { target, list, buffers, compress });
      const stopFeed = (reason: Failure): void => feeding.abort(reason);
      const forget = (reason: Failure): void => {
        source.record.bytes -= rangeBytes(range);
        stopFeed(reason);
      };
      return { source, list, began: { range, bytes, feed, stopFeed, forget } };
    } catch (thrown) {
      feeding.abort(thrown);
      throw thrown;
    }
  }

  async #openByRoot(
    source: SourceAtWork,
    { root, list, losing }: { readonly root: string; readonly list: PieceList; readonly losing: AbortSignal },
  ): Promise<Opened> {
    const { size, buffers, compress, isNew } = this.#options;
    // Where there is a choice of sources, or where the source failed before, the plan decides. A
    // second page of digests would come behind the first range, which waits for it.
    const mayAskFirst = this.#isOnly && isNew && !compress && source.record.tries === 0 &&
      pieceCount(size) <= PAGE_DIGESTS_MAX;
    let first: FirstRange | undefined;
    const askFirst = (): void => {
      first = new FirstRange(source, { target: { root }, list, buffers, compress }, losing);
    };
    try {
      await source.fetchList(list, { root }, mayAskFirst ? askFirst : undefined);
      return { source, list, first };
    } catch (thrown) {
      first?.drop(thrown);
      throw thrown;
    }
  }
}

/** Ends what a source has begun, because it is of no use. */
export function forget({ began, first }: Opened, reason: Failure): void {
  began?.forget(reason);
  first?.drop(reason);
}

function sooner(): Failure {
  return new Failure("cancelled", "Another source was sooner");
}

/** One verified piece, which is not written anywhere yet. */
async function fetchPieceOf(
  source: SourceAtWork,
  range: Range,
  order: Omit<FetchOrder, "sink" | "onPiece">,
): Promise<Uint8Array> {
  let held = new Uint8Array(0);
  try {
    await source.fetch(range, {
      ...order,
      sink: {
        write(_, bytes) {
          held = bytes.slice();
          return Promise.resolve();
        },
      },
      onPiece: () => {},
    });
    return held;
  } catch (thrown) {
    // It may have arrived, but it is of no use.
    source.record.bytes -= held.length;
    throw thrown;
  }
}
