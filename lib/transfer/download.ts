/**
 * Downloads one file: does what plan.ts decides, and tells it what happened. Called by lib/peer/transfers.ts.
 *
 * The way of a byte: a source's connection → a buffer of one piece → its digest compared with the list → the sink. Nothing that was not
 * verified counts; everything that was stays, whatever happens next.
 * @module
 */

import { type Address, formatAddress } from "../core/address.ts";
import { backoffMs } from "../core/backoff.ts";
import type { Clock } from "../core/clock.ts";
import { failedWith, Failure } from "../core/failure.ts";
import { RETRY_FIRST_MS, RETRY_LAST_MS, RETRY_ROUNDS_MAX } from "../core/limits.ts";
import type { Random } from "../core/random.ts";
import { addRange, type Range, rangeBytes, rangesBytes, removeRange } from "../core/range.ts";
import { ask, greet } from "../net/caller.ts";
import type { Connection } from "../net/connection.ts";
import type { Dial } from "../net/dial.ts";
import { Pieces } from "../protocol/files.ts";
import { Buffers } from "./buffers.ts";
import { fetchRange } from "./fetch.ts";
import { PieceList, type Target } from "./piece_list.ts";
import { plan, type PlannedSource, type Step } from "./plan.ts";
import type { Sink } from "./sink.ts";

/** What is to be downloaded. Without a root when its owner has not hashed it yet. */
export interface Content {
  readonly name: string;
  readonly size: number;
  readonly root?: string;
}

/** A peer that has the content, and what it calls it. */
export interface Source {
  readonly peer: string;
  readonly address: Address;
  readonly name: string;
}

/** How a download is going. */
export interface DownloadProgress {
  readonly state: "connecting" | "checking" | "running" | "waiting";
  /** Bytes that are here and verified, or while checking, looked at. */
  readonly done: number;
  /** The peer asked last. */
  readonly source?: string;
}

/** What a download needs. */
export interface DownloadOptions {
  readonly content: Content;
  readonly sink: Sink;
  /** Asks who has the content now. Called at the start, and again when all of them failed. */
  readonly sources: () => Promise<readonly Source[]>;
  readonly onProgress: (progress: DownloadProgress) => void;
  readonly signal: AbortSignal;
  readonly dial: Dial;
  readonly clock: Clock;
  readonly random: Random;
}

/** A file that has arrived whole. */
export interface Downloaded {
  readonly root: string;
  readonly digests: Uint8Array;
  /** Bytes that each peer sent, by its name; what was here before is in none. */
  readonly fetched: ReadonlyMap<string, number>;
  /** Time until the first verified bytes were taken; undefined when nothing had to be fetched. */
  readonly firstMs: number | undefined;
}

/**
 * Downloads a file into a sink. Fails: "disk-full" and "no-access" of our own disk; "cancelled" by the signal; else as the last source did,
 * when no source is left.
 */
export async function download(options: DownloadOptions): Promise<Downloaded> {
  await using running = new RunningDownload(options);
  return await running.run();
}

interface SourceState {
  source: Source;
  usable: boolean;
  failedInRound: number | undefined;
}

/** A connection to a source, and for a file without a root the second one over which its digests come. */
interface Link {
  readonly peer: string;
  readonly connection: Connection;
  readonly target: Target;
  readonly feed: { readonly connection: Connection; readonly done: Promise<void> } | undefined;
}

class RunningDownload implements AsyncDisposable {
  readonly #options: DownloadOptions;
  readonly #sources = new Map<string, SourceState>();
  readonly #fetched = new Map<string, number>();
  readonly #buffers = new Buffers();
  readonly #startMs: number;
  #list: PieceList;
  #missing: Range[];
  #checked = false;
  #round = 0;
  #link: Link | undefined;
  #lastFailure: Failure | undefined;
  #firstMs: number | undefined;

  constructor(options: DownloadOptions) {
    this.#options = options;
    this.#startMs = options.clock.now();
    this.#list = new PieceList(options.content.size);
    this.#missing = addRange([], { start: 0, end: options.content.size });
  }

  async run(): Promise<Downloaded> {
    const { signal } = this.#options;
    const abort = (): void => this.#link?.connection.close(signal.reason);
    signal.addEventListener("abort", abort);
    try {
      await this.#refreshSources();
      for (let step = this.#plan(); step.kind !== "done"; step = this.#plan()) {
        signal.throwIfAborted();
        await this.#take(step);
      }
      const root = await this.#list.complete();
      return { root, digests: this.#list.digests, fetched: this.#fetched, firstMs: this.#firstMs };
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#closeLink();
  }

  #plan(): Step {
    const sources: PlannedSource[] = Array.from(this.#sources, ([id, state]) => ({ id, ...state }));
    // What is here is known only once it has been checked, so until then the first step is always to a source.
    return plan({ missing: this.#missing, sources, round: this.#round, roundsMax: RETRY_ROUNDS_MAX });
  }

  async #take(step: Exclude<Step, { kind: "done" }>): Promise<void> {
    if (step.kind === "fail") {
      throw this.#lastFailure ?? new Failure("not-found", `Nobody who is here has "${this.#options.content.name}"`);
    }
    if (step.kind === "fetch") return await this.#fetch(step.source, step.range);
    this.#tell("waiting");
    const { clock, random, signal } = this.#options;
    const bounds = { firstMs: RETRY_FIRST_MS, lastMs: RETRY_LAST_MS };
    await clock.delay(backoffMs(step.round - 1, bounds, random), signal);
    await this.#refreshSources();
    this.#round = step.round;
  }

  /** Learns who has the content. Those known before are kept: the index may not have heard yet that one is back. */
  async #refreshSources(): Promise<void> {
    const found = await this.#options.sources().catch((thrown) => {
      if (failedWith(thrown, "index-unreachable", "closed", "timeout")) return [];
      throw thrown;
    });
    for (const source of found) {
      const known = this.#sources.get(source.peer);
      if (known === undefined) this.#sources.set(source.peer, { source, usable: true, failedInRound: undefined });
      else known.source = source;
    }
  }

  async #fetch(peer: string, range: Range): Promise<void> {
    const { signal, sink } = this.#options;
    const state = this.#sources.get(peer);
    if (state === undefined) throw new RangeError(`Cannot fetch from ${peer}: it is no source`);
    try {
      const link = this.#link?.peer === peer ? this.#link : await this.#open(state.source);
      if (!this.#checked) return await this.#check();
      this.#tell("running");
      const { connection, target } = link;
      await fetchRange(range, {
        connection,
        target,
        list: this.#list,
        sink,
        buffers: this.#buffers,
        onPiece: (piece) => this.#arrived(peer, piece),
      });
    } catch (thrown) {
      signal.throwIfAborted();
      await this.#closeLink();
      await this.#failed(state, Failure.from(thrown, "internal", "Cannot download"));
    }
  }

  async #open(source: Source): Promise<Link> {
    await this.#closeLink();
    this.#tell("connecting", source.peer);
    const { content } = this.#options;
    const connection = await this.#connect(source);
    if (content.root !== undefined) {
      const target = { root: content.root };
      this.#link = { peer: source.peer, connection, target, feed: undefined };
      if (this.#list.root === undefined) {
        this.#list = new PieceList(content.size);
        await this.#list.fetch(connection, target);
      }
      return this.#link;
    }
    // Without a root every source has its own list: what it says is only as good as itself.
    const target = { name: source.name };
    this.#link = { peer: source.peer, connection, target, feed: undefined };
    const feedConnection = await this.#connect(source);
    const list = new PieceList(content.size);
    const done = list.fetch(feedConnection, target).catch(() => {}).finally(() => feedConnection.close());
    this.#list = list;
    this.#checked = false;
    return this.#link = { peer: source.peer, connection, target, feed: { connection: feedConnection, done } };
  }

  async #connect(source: Source): Promise<Connection> {
    const { dial, signal } = this.#options;
    const connection = await dial(source.address, { signal });
    try {
      const name = await greet(connection);
      if (name === source.peer) return connection;
      throw new Failure(
        "unreachable",
        `Cannot reach ${source.peer}: somebody else is at ${formatAddress(source.address)} now`,
      );
    } catch (thrown) {
      connection.close();
      throw thrown;
    }
  }

  /** Compares what is here from an earlier attempt with the digests. */
  async #check(): Promise<void> {
    const { content, sink, onProgress } = this.#options;
    const present = await sink.verified(this.#list, (done) => onProgress({ state: "checking", done }));
    this.#missing = present.reduce(removeRange, addRange([], { start: 0, end: content.size }));
    this.#checked = true;
    this.#tell("running");
  }

  #arrived(peer: string, piece: Range): void {
    this.#firstMs ??= this.#options.clock.now() - this.#startMs;
    this.#missing = removeRange(this.#missing, piece);
    this.#fetched.set(peer, (this.#fetched.get(peer) ?? 0) + rangeBytes(piece));
    this.#round = 0;
    for (const state of this.#sources.values()) state.failedInRound = undefined;
    this.#tell("running");
  }

  async #failed(state: SourceState, failure: Failure): Promise<void> {
    // Our own disk, our own output or a bug of ours: no other source makes that better.
    if (!failure.remote && failedWith(failure, "disk-full", "no-access", "cancelled", "internal")) throw failure;
    state.failedInRound = this.#round;
    this.#lastFailure = await this.#told(state.source, failure);
    const worthRetrying = failedWith(failure, "closed", "timeout", "unreachable", "busy");
    if (!worthRetrying) state.usable = false;
  }

  /** A source's failure as the person is to hear it. */
  async #told(source: Source, failure: Failure): Promise<Failure> {
    const { root, name } = this.#options.content;
    const changed = (cause: Failure): Failure => {
      return new Failure("file-changed", `"${name}" has changed: ${source.peer} no longer has this version`, { cause });
    };
    // The index said that it had this content, so it has something else by now.
    if (failedWith(failure, "not-shared") && root !== undefined) return changed(failure);
    if (!failedWith(failure, "corrupt")) return failure;
    // Wrong bytes have two causes: a damaged copy, or a file that was changed while it was sent. The owner knows which.
    const refusal = await this.#askAgain(source, root ?? this.#list.root);
    if (failedWith(refusal, "not-shared", "file-changed")) return changed(refusal);
    return new Failure("corrupt", `${failure.message} (sent by ${source.peer})`, { cause: failure });
  }

  /** Asks a source whether it still has a content. Shape: what it answers instead of digests, if it does. */
  async #askAgain(source: Source, root: string | undefined): Promise<unknown> {
    if (root === undefined) return undefined;
    try {
      using connection = await this.#connect(source);
      await ask(connection, Pieces, { root, from: 0, limit: 1 });
      return undefined;
    } catch (thrown) {
      return thrown;
    }
  }

  async #closeLink(): Promise<void> {
    const link = this.#link;
    this.#link = undefined;
    link?.connection.close();
    link?.feed?.connection.close();
    await link?.feed?.done;
  }

  #tell(state: DownloadProgress["state"], source = this.#link?.peer): void {
    const done = this.#options.content.size - rangesBytes(this.#missing);
    this.#options.onProgress({ state, done, ...(source === undefined ? {} : { source }) });
  }
}
