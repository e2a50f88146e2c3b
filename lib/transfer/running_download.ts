/**
 * A download under way: its sources, what is here of it, and carrying out what plan.ts decides. Made by download.ts.
 * @module
 */

import { Bell } from "../core/bell.ts";
import { PIECE_BYTES, pieceCount } from "../core/content.ts";
import { failedWith, Failure } from "../core/failure.ts";
import {
  DOWNLOAD_IDLE_MS_MAX,
  DOWNLOAD_SOURCES_MAX,
  FIND_AGAIN_FIRST_MS,
  FIND_AGAIN_LAST_MS,
  RETRIES_MAX,
} from "../core/limits.ts";
import { PieceSet } from "../core/piece_set.ts";
import { type Range, rangeBytes } from "../core/range.ts";
import { Buffers } from "./buffers.ts";
import { mayShrink } from "./compress.ts";
import { isWorthRetrying, Lane } from "./lane.ts";
import { PieceList, type Target } from "./piece_list.ts";
import { plan, type PlannedRequest, type Step } from "./plan.ts";
import type { Downloaded, DownloadOptions, DownloadProgress, Given } from "./download.ts";

/** Buffers beside one for each source: pieces on their way to the disk. */
const WRITING_BUFFERS = 4;
/** How often the plan is looked at when nothing happens: silence is no event. */
const TICK_MS = 500;

/** One download. */
export class RunningDownload implements AsyncDisposable {
  readonly #options: DownloadOptions;
  readonly #lanes = new Map<string, Lane>();
  readonly #work = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  readonly #buffers = new Buffers(WRITING_BUFFERS);
  readonly #startMs: number;
  readonly #compress: boolean;
  #list: PieceList;
  #here: PieceSet;
  #checked = false;
  #isPreparing = false;
  #isOffered = false;
  /** The source whose own list of digests is used, as long as the content has no root. */
  #anchor: Lane | undefined;
  readonly #bell: Bell;
  #fatal: { readonly thrown: unknown } | undefined;
  #lastFailure: Failure | undefined;
  #firstMs: number | undefined;
  #movedMs: number;

  constructor(options: DownloadOptions) {
    this.#options = options;
    this.#startMs = this.#movedMs = options.clock.now();
    this.#bell = new Bell(options.clock);
    this.#list = new PieceList(options.content.size);
    this.#here = new PieceSet(pieceCount(options.content.size));
    this.#compress = options.compress === true && mayShrink(options.content.name);
  }

  /** Downloads until everything is here. Fails: as `download` in download.ts does. */
  async run(): Promise<Downloaded> {
    const { signal, onProgress } = this.#options;
    const abort = (): void => this.#stop(signal.reason);
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
    try {
      await this.#findSources();
      this.#goOn(this.#keepFinding());
      for (let step = this.#plan(); step.kind !== "done"; step = this.#plan()) {
        this.#take(step);
        onProgress(this.#progress(step));
        if (this.#fatal === undefined) await this.#happening(step);
        if (this.#fatal !== undefined) throw this.#fatal.thrown;
      }
      await this.#options.sink.flush();
      const root = await this.#list.complete();
      return { root, digests: this.#list.digests, sources: this.#given(), firstMs: this.#firstMs };
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop(new Failure("cancelled", "The download is over"));
    await Promise.all(this.#work);
  }

  #stop(reason: Failure): void {
    this.#fatal ??= { thrown: reason };
    this.#stopping.abort(reason);
    for (const lane of this.#lanes.values()) lane.close(reason);
    this.#bell.ring();
  }

  /** The root, when it is known. */
  get #root(): string | undefined {
    return this.#options.content.root ?? this.#list.root;
  }

  #plan(): Step {
    const { content, sink, clock, random } = this.#options;
    const lanes = [...this.#lanes.values()];
    const only = this.#root === undefined && this.#anchor !== undefined ? [this.#anchor] : lanes;
    return plan({
      size: content.size,
      here: this.#here,
      sources: only.map((lane) => lane.planned()),
      order: sink.order,
      triesMax: RETRIES_MAX,
      idleMs: clock.now() - this.#movedMs,
      idleMsMax: DOWNLOAD_IDLE_MS_MAX,
      random,
    });
  }

  #take(step: Exclude<Step, { kind: "done" }>): void {
    if (step.kind === "fail") {
      const failure = new Failure("not-found", `Nobody who is here has "${this.#options.content.name}"`);
      this.#fatal ??= { thrown: this.#lastFailure ?? failure };
    }
    // A look tells what a source has; what it is asked for is decided after that.
    const looking = this.#checked ? this.#looks() : [];
    if (step.kind !== "fetch") return;
    const [first] = step.requests;
    if (this.#checked) {
      for (const request of step.requests) if (!looking.includes(request.source)) this.#fetch(request);
    } else if (first !== undefined && !this.#isPreparing) this.#prepare(this.#lane(first.source));
  }

  /** Starts to ask sources what they have, where that may have changed. Shape: whom. */
  #looks(): string[] {
    const root = this.#root;
    if (root === undefined) return [];
    const due = [...this.#lanes.values()].filter((lane) => lane.isDueForLook);
    for (const lane of due) {
      this.#doFor(lane, () => lane.look(root));
    }
    return due.map((lane) => lane.source.peer);
  }

  #lane(peer: string): Lane {
    const lane = this.#lanes.get(peer);
    if (lane === undefined) throw new RangeError(`Cannot ask ${peer}: it is no source`);
    return lane;
  }

  #fetch({ source, range }: PlannedRequest): void {
    const { sink } = this.#options;
    const lane = this.#lane(source);
    const root = this.#root;
    this.#doFor(lane, () =>
      lane.fetch(range, {
        target: lane === this.#anchor || root === undefined ? { name: lane.source.name } : { root },
        list: this.#list,
        sink,
        buffers: this.#buffers,
        compress: this.#compress,
        onPiece: (piece) => this.#arrived(piece),
      }));
  }

  /** Gets the digests from a source, and compares with them what is here from an earlier attempt. */
  #prepare(lane: Lane): void {
    const { content, sink, onProgress } = this.#options;
    this.#isPreparing = true;
    const prepare = async (): Promise<void> => {
      if (this.#list.root === undefined) {
        this.#list = new PieceList(content.size);
        if (content.root !== undefined) await lane.fetchList(this.#list, { root: content.root });
        else this.#anchorAt(lane);
      }
      this.#here = new PieceSet(pieceCount(content.size));
      const { sources, retries } = this.#progress({ kind: "wait" });
      const present = await sink.verified(this.#list, (done) => {
        onProgress({ state: "checking", done, sources, retries });
        this.#stopping.signal.throwIfAborted();
      });
      for (const range of present) this.#here.addTouched(range);
      this.#checked = true;
      this.#movedMs = this.#options.clock.now();
      this.#offer();
    };
    this.#doFor(lane, () => prepare().finally(() => this.#isPreparing = false));
  }

  /** Without a root every source has its own list: what it says is only as good as itself. */
  #anchorAt(lane: Lane): void {
    this.#anchor = lane;
    const list = this.#list;
    const target: Target = { name: lane.source.name };
    const becomeKnown = async (): Promise<void> => {
      // Others who list a file of this name may have another content.
      for (const other of this.#lanes.values()) if (other !== lane) this.#lanes.delete(other.source.peer);
      this.#offer();
      await this.#findSources();
    };
    this.#goOn(lane.feed(list, target).then(becomeKnown, () => {}));
  }

  /** Lets others have what is here, once it is known what that is. */
  #offer(): void {
    const root = this.#root;
    if (this.#isOffered || root === undefined || !this.#checked) return;
    this.#isOffered = true;
    const { content, onPartial } = this.#options;
    onPartial?.({ ...content, root, digests: this.#list.digests, here: this.#here });
  }

  #arrived(piece: Range): void {
    const { clock } = this.#options;
    this.#firstMs ??= clock.now() - this.#startMs;
    this.#movedMs = clock.now();
    this.#here.addTouched(piece);
    // Where two were asked for the same, the slower one is let go.
    for (const lane of this.#lanes.values()) {
      if (lane.asked !== undefined && rangeBytes(lane.asked) > 0 && this.#here.covers(lane.asked)) lane.release();
    }
    this.#options.onProgress(this.#progress({ kind: "wait" }));
    if (this.#here.size === this.#here.count) this.#bell.ring();
  }

  /** Does something with a lane, and hears of its failure. */
  #doFor(lane: Lane, work: () => Promise<void>): void {
    this.#goOn(
      work().catch(async (thrown) => {
        if (this.#stopping.signal.aborted) return;
        await this.#failed(lane, Failure.from(thrown, "internal", "Cannot download"));
      }),
    );
  }

  #goOn(work: Promise<void>): void {
    const ended = work.catch((thrown) => void (this.#fatal ??= { thrown })).finally(() => {
      this.#work.delete(ended);
      this.#bell.ring();
    });
    this.#work.add(ended);
  }

  /** Waits until something happens that may change the plan. */
  async #happening(step: Step): Promise<void> {
    const restMs = this.#lanes.values().filter((lane) => !lane.isBusy && !lane.isDropped).map((lane) => lane.waitMs());
    const waitMs = step.kind === "wait" ? Math.max(10, Math.min(TICK_MS, ...restMs.filter((ms) => ms > 0))) : TICK_MS;
    await this.#bell.wait(waitMs);
  }

  async #failed(lane: Lane, failure: Failure): Promise<void> {
    // Our own disk, our own output or a bug of ours: no other source makes that better.
    if (!failure.remote && failedWith(failure, "disk-full", "no-access", "cancelled", "internal")) throw failure;
    if (this.#anchor === lane && this.#list.root === undefined) {
      this.#anchor = undefined;
      this.#checked = false;
    }
    const told = await this.#told(lane, failure);
    this.#lastFailure = told;
    if (isWorthRetrying(failure)) return lane.failed();
    lane.drop();
    this.#options.onBadSource?.(lane.source.peer, told);
  }

  /** A source's failure as the person is to hear it. */
  async #told(lane: Lane, failure: Failure): Promise<Failure> {
    const { name, root } = this.#options.content;
    const { peer } = lane.source;
    const changed = (cause: Failure): Failure => {
      return new Failure("file-changed", `"${name}" has changed: ${peer} no longer has this version`, { cause });
    };
    // The index said that it had this content, so it has something else by now.
    if (failedWith(failure, "not-shared") && root !== undefined) return changed(failure);
    if (!failedWith(failure, "corrupt")) return failure;
    // Wrong bytes have two causes: a damaged copy, or a file that was changed while it was sent. The owner knows which.
    const refusal = this.#root === undefined ? undefined : await lane.refusal(this.#root);
    if (failedWith(refusal, "not-shared", "file-changed")) return changed(refusal);
    return new Failure("corrupt", `${failure.message} (sent by ${peer})`, { cause: failure });
  }

  /** Learns who has the content. Those known before are kept: the index may not have heard yet that one is back. */
  async #findSources(): Promise<void> {
    const found = await this.#options.sources(this.#root).catch((thrown) => {
      if (failedWith(thrown, "index-unreachable", "closed", "timeout")) return [];
      throw thrown;
    });
    const { clock, random, connect, pace, content } = this.#options;
    for (const source of found) {
      const known = this.#lanes.get(source.peer);
      if (known !== undefined) known.source = source;
      else if (this.#lanes.values().filter((lane) => !lane.isDropped).toArray().length < DOWNLOAD_SOURCES_MAX) {
        const { signal } = this.#stopping;
        const parts = { size: content.size, connect, clock, random, signal, pace };
        this.#lanes.set(source.peer, new Lane(source, parts));
        this.#buffers.countMax = WRITING_BUFFERS + this.#lanes.size;
      }
    }
  }

  /** Asks again and again who has the content: often at first, when others begin, too. */
  async #keepFinding(): Promise<void> {
    for (let waitMs = FIND_AGAIN_FIRST_MS;; waitMs = Math.min(FIND_AGAIN_LAST_MS, waitMs * 2)) {
      const stopped = await this.#options.clock.delay(waitMs, this.#stopping.signal).then(() => false, () => true);
      if (stopped) return;
      await this.#findSources();
      this.#bell.ring();
    }
  }

  #given(): Given[] {
    return this.#lanes.values().filter((lane) => lane.bytes > 0).map((lane) => {
      return { peer: lane.source.peer, bytes: lane.bytes, ms: lane.busyMs };
    }).toArray();
  }

  #progress(step: Step): DownloadProgress {
    const lanes = [...this.#lanes.values()];
    const asked = lanes.filter((lane) => lane.asked !== undefined);
    const lines = asked.map((lane) => lane.before);
    const before = lines.length > 0 && lines.every((each) => each !== undefined) ? Math.min(...lines) : undefined;
    const isWaiting = step.kind !== "fetch" && !lanes.some((lane) => lane.isBusy);
    return {
      state: !this.#checked && !isWaiting ? "connecting" : isWaiting ? "waiting" : "running",
      done: Math.min(this.#options.content.size, this.#here.size * PIECE_BYTES - this.#missingOfLast()),
      sources: asked.map((lane) => lane.source.peer),
      retries: lanes.reduce((sum, lane) => sum + lane.tries, 0),
      ...(before === undefined ? {} : { before }),
      ...(asked.length > 0 && asked.every((lane) => lane.isAsking) ? { isAsking: true } : {}),
    };
  }

  /** How much smaller than the others the last piece is, if that is here. */
  #missingOfLast(): number {
    const { count } = this.#here;
    if (count === 0 || !this.#here.has(count - 1)) return 0;
    return count * PIECE_BYTES - this.#options.content.size;
  }
}
