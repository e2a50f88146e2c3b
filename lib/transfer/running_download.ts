/**
 * A download under way: its sources, what is here of it, and carrying out what plan.ts decides. Made by download.ts.
 * @module
 */

import { Bell } from "../core/flow/bell.ts";
import { PIECE_BYTES, pieceCount } from "../core/content.ts";
import { failedWith, Failure } from "../core/failure.ts";
import {
  DOWNLOAD_IDLE_MS_MAX,
  DOWNLOAD_WAIT_MS_MAX,
  FIND_AGAIN_FIRST_MS,
  FIND_AGAIN_LAST_MS,
  RETRIES_MAX,
} from "../core/limits.ts";
import { PieceSet } from "../core/piece_set.ts";
import { type Range, rangeBytes } from "../core/range.ts";
import { Buffers } from "./buffers.ts";
import { mayShrink } from "./compress.ts";
import { HoldUps } from "./hold_ups.ts";
import { isWorthRetrying, type Lane, RELEASED } from "./lane.ts";
import { type Opened, Opening } from "./opening.ts";
import { PieceList } from "./piece_list.ts";
import { isLate } from "./plan/lateness.ts";
import { plan, type PlannedRequest, type Step } from "./plan/plan.ts";
import type { DownloadState } from "./plan/plan_state.ts";
import type { Downloaded, DownloadOptions, DownloadProgress } from "./download.ts";
import { explained, whyNobody } from "./source_failures.ts";
import { SourcePool } from "./source_pool.ts";

/** Buffers beside one for each source: pieces on their way to the disk. */
const WRITING_BUFFERS = 4;
/** How often the plan is looked at when nothing happens: silence is no event. */
const TICK_MS = 500;
/** The same as long as there are no digests. */
const OPENING_TICK_MS = 100;

/** One download. */
export class RunningDownload implements AsyncDisposable {
  readonly #options: DownloadOptions;
  readonly #pool: SourcePool;
  readonly #work = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  readonly #buffers = new Buffers(WRITING_BUFFERS);
  readonly #startMs: number;
  readonly #compress: boolean;
  #list: PieceList;
  #here: PieceSet;
  /** Whether there are digests, and what is here has been compared with them. */
  #checked = false;
  #opening: Opening | undefined;
  #isOffered = false;
  /** The source whose own list of digests is used, as long as the content has no root. */
  #anchor: Lane | undefined;
  #stopFeed: (reason: Failure) => void = () => {};
  readonly #bell: Bell;
  #fatal: { readonly thrown: unknown } | undefined;
  #firstMs: number | undefined;
  #movedMs: number;
  readonly #holdUps: HoldUps;

  constructor(options: DownloadOptions) {
    const { content, clock, random, connect, pace, sources, deliverers } = options;
    const { signal } = this.#stopping;
    this.#options = options;
    this.#pool = new SourcePool({
      find: sources,
      lane: { size: content.size, connect, clock, random, signal, pace },
      clock,
      random,
      deliverers,
    });
    this.#startMs = this.#movedMs = clock.now();
    this.#bell = new Bell(clock);
    this.#holdUps = new HoldUps(clock);
    this.#list = new PieceList(content.size);
    this.#here = new PieceSet(pieceCount(content.size));
    this.#compress = options.compress === true && mayShrink(content.name);
  }

  /** Downloads until everything is here. Fails: as `download` in download.ts does. */
  async run(): Promise<Downloaded> {
    const { signal, onProgress } = this.#options;
    const abort = (): void => this.#stop(signal.reason);
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
    try {
      await this.#pool.find(this.#root);
      this.#goOn(this.#keepFinding());
      for (let step = this.#plan(); step.kind !== "done"; step = this.#plan()) {
        this.#take(step);
        onProgress(this.#progress(step));
        if (this.#fatal === undefined) await this.#happening(step);
        if (this.#fatal !== undefined) throw this.#fatal.thrown;
      }
      await this.#options.sink.flush();
      const root = await this.#list.complete();
      return {
        root,
        digests: this.#list.digests,
        traits: this.#list.traits,
        sources: this.#pool.given(),
        firstMs: this.#firstMs,
      };
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
    this.#pool.close(reason);
    this.#bell.ring();
  }

  /** The root, when it is known. */
  get #root(): string | undefined {
    return this.#options.content.root ?? this.#list.root;
  }

  #plan(): Step {
    this.#pool.rearrange();
    this.#buffers.countMax = Math.max(this.#buffers.countMax, WRITING_BUFFERS + this.#pool.placed.length);
    return plan(this.#state());
  }

  #state(): DownloadState {
    const { content, sink, clock, random, pace } = this.#options;
    const isAnchored = this.#root === undefined && this.#anchor !== undefined && this.#checked && !this.#opening;
    const only = isAnchored && this.#anchor !== undefined ? [this.#anchor] : this.#pool.placed;
    return {
      size: content.size,
      here: this.#here,
      sources: only.map((lane) => lane.planned()),
      order: sink.order,
      triesMax: RETRIES_MAX,
      idleMs: clock.now() - this.#movedMs,
      idleMsMax: DOWNLOAD_IDLE_MS_MAX,
      waitMsMax: DOWNLOAD_WAIT_MS_MAX,
      bytesPerSecondMax: pace?.bytesPerSecond,
      random,
    };
  }

  #take(step: Exclude<Step, { kind: "done" }>): void {
    if (step.kind === "fail") this.#fatal ??= { thrown: whyNobody(this.#options.content.name, this.#pool) };
    this.#open();
    // A look tells what a source has; what it is asked for is decided after that.
    const looking = this.#checked ? this.#looks() : [];
    if (step.kind !== "fetch" || !this.#checked) return;
    for (const request of step.requests) {
      const lane = this.#pool.lane(request.source);
      const isElsewhere = this.#root === undefined && lane !== this.#anchor;
      if (!looking.includes(request.source) && !isElsewhere) this.#fetch(lane, request);
    }
  }

  /** Starts to ask sources what they have, where that may have changed. Shape: whom. */
  #looks(): string[] {
    const root = this.#root;
    if (root === undefined) return [];
    const due = this.#pool.placed.filter((lane) => lane.isDueForLook);
    for (const lane of due) {
      this.#doFor(lane, () => lane.look(root));
    }
    return due.map((lane) => lane.source.peer);
  }

  #fetch(lane: Lane, { range }: PlannedRequest): void {
    const root = this.#root;
    this.#doFor(lane, () =>
      lane.fetch(range, {
        target: lane === this.#anchor || root === undefined ? { name: lane.source.name } : { root },
        list: this.#list,
        sink: { write: (offset, bytes) => this.#write(offset, bytes) },
        buffers: this.#buffers,
        compress: this.#compress,
        onPiece: (piece) => this.#arrived(piece),
      }));
  }

  #write(offset: number, bytes: Uint8Array): Promise<void> {
    return this.#holdUps.during(() => this.#options.sink.write(offset, bytes));
  }

  /** Asks sources for digests as long as there are none, and others than the one whose list is used when that one is late. */
  #open(): void {
    const { content, clock } = this.#options;
    const nowMs = clock.now();
    const state = this.#state();
    const anchor = this.#anchor?.planned();
    if (this.#checked && (this.#root !== undefined || anchor === undefined || !isLate(anchor, state))) {
      this.#opening?.end();
      this.#opening = undefined;
      return;
    }
    const opening = this.#opening ??= new Opening({
      size: content.size,
      root: content.root,
      firstMissing: this.#here.firstMissing,
      buffers: this.#buffers,
      compress: this.#compress,
      signal: this.#stopping.signal,
    }, nowMs);
    const ready = this.#pool.placed.map((lane) => ({ lane, ...lane.planned() })).filter(({ lane, state, tries }) => {
      return state === "ready" && tries < RETRIES_MAX && lane !== this.#anchor && !opening.isAsked(lane);
    });
    ready.sort((a, b) => Number(a.standing === "bad") - Number(b.standing === "bad"));
    for (const { lane } of ready.slice(0, Math.max(0, opening.wants(nowMs)))) {
      this.#doFor(lane, async () => {
        const opened = await opening.run(lane);
        if (opened === undefined) return;
        if (this.#opening === opening) return await this.#opened(opened);
        opened.began?.forget(new Failure("cancelled", "Its piece came too late"));
      });
    }
  }

  /** Goes on with the digests of a source, and compares with them what is here from an earlier attempt. */
  async #opened({ lane, list, began }: Opened): Promise<void> {
    const { content, sink, onProgress, clock } = this.#options;
    try {
      await this.#letGo(this.#anchor);
      this.#list = list;
      this.#checked = false;
      this.#anchor = began === undefined ? undefined : lane;
      this.#stopFeed = began?.stopFeed ?? (() => {});
      this.#here = new PieceSet(pieceCount(content.size));
      const { sources, retries } = this.#progress({ kind: "wait" });
      const present = await sink.verified(list, (done) => {
        onProgress({ state: "checking", done, sources, retries });
        this.#movedMs = clock.now();
        this.#stopping.signal.throwIfAborted();
      });
      for (const range of present) this.#here.addTouched(range);
      if (began !== undefined) {
        if (!this.#here.covers(began.range)) {
          await this.#write(began.range.start, began.bytes);
          this.#arrived(began.range);
        }
        this.#goOn(began.feed.then(() => this.#becomeKnown(lane), () => {}));
      }
      this.#checked = true;
      this.#movedMs = clock.now();
      this.#offer();
    } catch (thrown) {
      began?.forget(Failure.from(thrown, "internal", "Cannot download"));
      throw thrown;
    } finally {
      this.#opening = undefined;
    }
  }

  /** Ends what a source does whose list was used until now. */
  async #letGo(anchor: Lane | undefined): Promise<void> {
    if (anchor === undefined) return;
    const reason = new Failure("cancelled", "Another source was sooner");
    this.#stopFeed(reason);
    this.#list.fail(reason);
    anchor.release();
    await anchor.quiet();
  }

  /** Now that there is a root, every peer that lists it is a source. Others who list a file of this name may have another content. */
  async #becomeKnown(lane: Lane): Promise<void> {
    if (this.#anchor !== lane) return;
    this.#pool.keepOnly(lane);
    this.#offer();
    await this.#pool.find(this.#root);
  }

  /** Lets others have what is here, once it is known what that is. */
  #offer(): void {
    const root = this.#root;
    if (this.#isOffered || root === undefined || !this.#checked) return;
    this.#isOffered = true;
    const { content, onPartial } = this.#options;
    onPartial?.({ ...content, root, digests: this.#list.digests, traits: this.#list.traits, here: this.#here });
  }

  #arrived(piece: Range): void {
    const { clock } = this.#options;
    this.#firstMs ??= clock.now() - this.#startMs;
    this.#movedMs = clock.now();
    this.#here.addTouched(piece);
    // Where two were asked for the same, the slower one is let go.
    for (const lane of this.#pool.placed) {
      if (lane.asked !== undefined && rangeBytes(lane.asked) > 0 && this.#here.covers(lane.asked)) lane.release();
    }
    this.#options.onProgress(this.#progress({ kind: "wait" }));
    if (this.#here.size === this.#here.count) this.#bell.ring();
  }

  /** Does something with a lane, and hears of its failure. */
  #doFor(lane: Lane, work: () => Promise<void>): void {
    this.#goOn(
      work().catch(async (thrown) => {
        if (this.#stopping.signal.aborted || thrown === RELEASED) return;
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
    const idle = this.#pool.placed.filter((lane) => !lane.isBusy && !lane.isDropped);
    const restMs = idle.map((lane) => lane.waitMs()).filter((ms) => ms > 0);
    const tickMs = this.#checked ? TICK_MS : OPENING_TICK_MS;
    const waitMs = step.kind === "wait" ? Math.max(10, Math.min(tickMs, ...restMs)) : tickMs;
    const heldUpMs = await this.#holdUps.wait(this.#bell, waitMs);
    if (heldUpMs === 0) return;
    for (const lane of this.#pool.placed) lane.excuse(heldUpMs);
    this.#movedMs = Math.min(this.#options.clock.now(), this.#movedMs + heldUpMs);
  }

  async #failed(lane: Lane, failure: Failure): Promise<void> {
    // Our own disk, our own output or a bug of ours: no other source makes that better.
    if (!failure.remote && failedWith(failure, "disk-full", "no-access", "cancelled", "internal")) throw failure;
    if (this.#anchor === lane && this.#list.root === undefined) {
      this.#anchor = undefined;
      this.#checked = false;
    }
    const told = await explained(failure, lane, { content: this.#options.content, root: this.#root });
    this.#pool.failed(lane, told);
    if (isWorthRetrying(failure)) return lane.failed();
    lane.drop();
    this.#options.onBadSource?.(lane.source.peer, told);
  }

  /** Asks again and again who has the content: often at first, when others begin, too. */
  async #keepFinding(): Promise<void> {
    for (let waitMs = FIND_AGAIN_FIRST_MS;; waitMs = Math.min(FIND_AGAIN_LAST_MS, waitMs * 2)) {
      const stopped = await this.#options.clock.delay(waitMs, this.#stopping.signal).then(() => false, () => true);
      if (stopped) return;
      await this.#pool.find(this.#root);
      this.#bell.ring();
    }
  }

  #progress(step: Step): DownloadProgress {
    const lanes = this.#pool.placed;
    const asked = lanes.filter((lane) => lane.asked !== undefined || lane.isAsking);
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
