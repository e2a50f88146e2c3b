/**
 * One download: its sources, what is here of its content, and the loop that does what plan.ts
 * decides. Made by downloads.ts.
 * @module
 */

import { pieceCount } from "../core/content.ts";
import { failedWith, Failure } from "../core/failure.ts";
import { Bell } from "../core/flow/bell.ts";
import { nextTurn } from "../core/flow/clock.ts";
import { DOWNLOAD_IDLE_MS_MAX, DOWNLOAD_WAIT_MS_MAX, RETRIES_MAX } from "../core/limits.ts";
import { PieceSet } from "../core/piece_set.ts";
import type { Range } from "../core/range.ts";
import { Buffers } from "./pieces/buffers.ts";
import { mayShrink } from "./pieces/compress.ts";
import type { WantedContent } from "./content/content.ts";
import type { DownloadTools } from "./content/download_tools.ts";
import type { FetchOrder } from "./pieces/fetch.ts";
import { HoldUps } from "./hold_ups.ts";
import { forget, type Opened, Opening } from "./opening.ts";
import type { PartialCopy } from "./content/partials.ts";
import { LocalCopy } from "./pieces/local_copy.ts";
import { ListWatch } from "./pieces/list_watch.ts";
import { PieceList } from "./pieces/piece_list.ts";
import { allAheadMs } from "./plan/ahead.ts";
import { isLate } from "./plan/lateness.ts";
import { plan, type Step } from "./plan/plan.ts";
import { planAgainMs } from "./plan/plan_again.ts";
import type { DownloadState } from "./plan/plan_state.ts";
import { progressOf } from "./progress.ts";
import type { Sink } from "./pieces/sink.ts";
import type { SourceAtWork } from "./sources/source_at_work.ts";
import { RELEASED } from "./sources/source_connection.ts";
import { explained, isWorthRetrying, whyNobody } from "./sources/source_failures.ts";
import { SourcePool } from "./sources/source_pool.ts";
import { Tasks } from "../core/flow/tasks.ts";
import type { Downloaded, DownloadProgress, DownloadWatch } from "./content/watch.ts";

/** Buffers beside one for each source, for pieces that are being written. */
const WRITING_BUFFERS = 4;

/** One download. It ends with `run`, and stops everything when it is disposed of. */
export class Download implements AsyncDisposable {
  readonly #wanted: WantedContent;
  readonly #sink: Sink;
  readonly #watch: DownloadWatch;
  readonly #tools: DownloadTools;
  readonly #bell: Bell;
  readonly #tasks: Tasks;
  readonly #pool: SourcePool;
  readonly #buffers = new Buffers(WRITING_BUFFERS);
  readonly #holdUps: HoldUps;
  readonly #compress: boolean;
  readonly #startMs: number;
  #list: PieceList;
  #here: PieceSet;
  /** Whether there are digests, and what is here has been compared with them. */
  #isChecked = false;
  #opening: Opening | undefined;
  /** The pieces that are copied from other files of this machine. */
  #local: LocalCopy | undefined;
  /** What other peers can already fetch from here. */
  #offered: PartialCopy | undefined;
  /** While the content has no root: the source of the list of digests that is used. */
  #anchor: SourceAtWork | undefined;
  #stopFeed: (reason: Failure) => void = () => {};
  #firstMs: number | undefined;
  #movedMs: number;

  constructor(
    wanted: WantedContent,
    sink: Sink,
    { watch, tools }: { readonly watch: DownloadWatch; readonly tools: DownloadTools },
  ) {
    this.#wanted = wanted;
    this.#sink = sink;
    this.#watch = watch;
    this.#tools = tools;
    this.#bell = new Bell(tools.clock);
    this.#tasks = new Tasks(this.#bell);
    this.#pool = new SourcePool(wanted, { signal: this.#tasks.signal, tools });
    this.#holdUps = new HoldUps(tools.clock);
    this.#compress = watch.compress === true && mayShrink(wanted.name);
    this.#startMs = this.#movedMs = tools.clock.now();
    this.#list = new PieceList(wanted.size);
    this.#here = new PieceSet(pieceCount(wanted.size));
  }

  /**
   * Downloads until everything is here.
   *
   * @throws {Failure} As `download` in downloads.ts does.
   */
  async run(): Promise<Downloaded> {
    using _stopping = this.#tasks.stopOn(this.#watch.signal);
    await this.#pool.begin();
    this.#tasks.add(this.#pool.keepFinding(() => this.#root, this.#bell));
    for (let step = this.#plan(); step.kind !== "done"; step = this.#plan()) {
      this.#take(step);
      this.#watch.onProgress(this.#progress(step.kind === "fetch"));
      if (!this.#tasks.hasFailed) await this.#happening(step);
      this.#tasks.throwIfFailed();
    }
    await this.#sink.flush();
    const root = await this.#list.complete();
    const { digests, traits } = this.#list;
    return { root, digests, traits, sources: this.#pool.given(), firstMs: this.#firstMs };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tasks[Symbol.asyncDispose]();
    if (this.#offered !== undefined) this.#tools.partials?.remove(this.#offered);
  }

  /** The root, when it is known. */
  get #root(): string | undefined {
    return this.#wanted.root ?? this.#list.root;
  }

  #plan(): Step {
    this.#pool.rearrange();
    this.#buffers.countMax = Math.max(this.#buffers.countMax, WRITING_BUFFERS + this.#pool.placed.length);
    return plan(this.#state());
  }

  #state(): DownloadState {
    const { clock, random, pace } = this.#tools;
    const isAnchored = this.#root === undefined && this.#isChecked && this.#opening === undefined;
    const only = isAnchored && this.#anchor !== undefined ? [this.#anchor] : this.#pool.placed;
    return {
      size: this.#wanted.size,
      here: this.#here,
      local: this.#local?.promised,
      sources: only.map((source) => source.planned()),
      order: this.#sink.order,
      triesMax: RETRIES_MAX,
      idleMs: clock.now() - this.#movedMs,
      idleMsMax: DOWNLOAD_IDLE_MS_MAX,
      waitMsMax: DOWNLOAD_WAIT_MS_MAX,
      bytesPerSecondMax: pace?.bytesPerSecond,
      random,
    };
  }

  #take(step: Exclude<Step, { kind: "done" }>): void {
    if (step.kind === "fail") return this.#tasks.fail(whyNobody(this.#wanted.name, this.#pool));
    this.#open();
    // A look shows what a source has. It is asked for pieces only after that.
    const looking = this.#isChecked ? this.#look() : [];
    if (step.kind !== "fetch" || !this.#isChecked) return;
    for (const request of step.requests) {
      const source = this.#pool.source(request.source);
      const isElsewhere = this.#root === undefined && source !== this.#anchor;
      if (looking.includes(source) || isElsewhere) continue;
      this.#follow(source, source.fetch(request.range, this.#orderFor(source)));
    }
  }

  /** Asks those sources what they have for which that may have changed, and returns them. */
  #look(): SourceAtWork[] {
    const root = this.#root;
    if (root === undefined) return [];
    const due = this.#pool.placed.filter((source) => source.isDueForLook);
    for (const source of due) this.#follow(source, source.look(root));
    return due;
  }

  #orderFor(source: SourceAtWork): FetchOrder {
    const root = this.#root;
    return {
      target: source === this.#anchor || root === undefined ? { name: source.listed.name } : { root },
      list: this.#list,
      sink: this.#sink,
      buffers: this.#buffers,
      compress: this.#compress,
      onWrite: (written) => void this.#holdUps.note(written),
      onPiece: (piece) => this.#arrived(piece),
    };
  }

  /**
   * Asks sources for digests while there are none. When the anchor is late, it asks other sources
   * for their lists.
   */
  #open(): void {
    const nowMs = this.#tools.clock.now();
    const anchor = this.#anchor?.planned();
    if (this.#isChecked && (this.#root !== undefined || anchor === undefined || !isLate(anchor, this.#state()))) {
      this.#opening?.end();
      this.#opening = undefined;
      return;
    }
    const opening = this.#opening ??= new Opening({
      size: this.#wanted.size,
      root: this.#wanted.root,
      firstMissing: this.#here.firstMissing,
      buffers: this.#buffers,
      compress: this.#compress,
      isNew: this.#sink.isNew && this.#tools.local?.mayHaveVersion(this.#wanted.name) !== true,
      signal: this.#tasks.signal,
      pace: this.#tools.pace,
    }, nowMs);
    const others = this.#pool.placed.filter((source) => source !== this.#anchor);
    for (const source of opening.next(others, nowMs)) this.#follow(source, this.#openWith(source, opening));
  }

  async #openWith(source: SourceAtWork, opening: Opening): Promise<void> {
    const opened = await opening.run(source);
    // It may still be answering what it has.
    this.#tasks.add(source.quiet());
    if (opened === undefined) return;
    if (this.#opening === opening) return await this.#opened(opened);
    forget(opened, new Failure("cancelled", "Its piece came too late"));
  }

  /**
   * Uses the digests of a source from now on, and compares with them what is here from an earlier
   * attempt.
   */
  async #opened(opened: Opened): Promise<void> {
    const { source, list, began, first } = opened;
    try {
      await this.#letGo(this.#anchor);
      // Its last digest may just have come. What is copied then is verified against its list.
      if (this.#list.root !== undefined) return forget(opened, new Failure("cancelled", "Another list is whole"));
      this.#list = list;
      this.#isChecked = false;
      this.#anchor = began === undefined ? undefined : source;
      this.#stopFeed = began?.stopFeed ?? (() => {});
      this.#here = new PieceSet(this.#here.count);
      const { sources, retries } = this.#progress(false);
      {
        using _watch = new ListWatch(list, { clock: this.#tools.clock, hasOthers: () => this.#pool.placed.length > 1 });
        this.#here = await this.#sink.verified(list, (done) => {
          this.#watch.onProgress({ state: "checking", done, sources, retries });
          this.#movedMs = this.#tools.clock.now();
          this.#tasks.signal.throwIfAborted();
        });
      }
      if (began !== undefined && !this.#here.covers(began.range)) {
        await this.#holdUps.note(this.#sink.write(began.range.start, began.bytes));
        this.#arrived(began.range);
      }
      if (began !== undefined) this.#tasks.add(began.feed.then(() => this.#becomeKnown(source), () => {}));
      await this.#copyLocal();
      this.#isChecked = true;
      this.#movedMs = this.#tools.clock.now();
      if (first !== undefined) this.#follow(source, first.use(this.#orderFor(source)));
      this.#tasks.add(nextTurn().then(() => this.#offer()));
    } catch (thrown) {
      forget(opened, Failure.from(thrown, "internal", "Cannot download"));
      throw thrown;
    } finally {
      this.#opening = undefined;
    }
  }

  /** Ends the work of an anchor, because its list is no longer used. */
  async #letGo(anchor: SourceAtWork | undefined): Promise<void> {
    if (anchor === undefined) return;
    const reason = new Failure("cancelled", "Another source was sooner");
    this.#stopFeed(reason);
    this.#list.fail(reason);
    anchor.release();
    await anchor.quiet();
  }

  /**
   * Looks for sources by the root, which is known now. Until then there were only peers that list a
   * file of this name, which may have another content.
   */
  async #becomeKnown(source: SourceAtWork): Promise<void> {
    if (this.#anchor !== source) return;
    this.#pool.keepOnly(source);
    this.#offer();
    await Promise.all([this.#copyLocal(), this.#pool.find(this.#root)]);
  }

  /** Lets other peers fetch what is here, once that is known and the sources have been asked. */
  #offer(): void {
    const root = this.#root;
    const { open } = this.#sink;
    if (this.#offered !== undefined || root === undefined || !this.#isChecked || open === undefined) return;
    const { name, size } = this.#wanted;
    const { digests, traits } = this.#list;
    this.#offered = { name, size, root, digests, traits, here: this.#here, open: () => open(size) };
    this.#tools.partials?.add(this.#offered);
  }

  /** Begins to copy what is on this machine, when all digests are known. */
  async #copyLocal(): Promise<void> {
    if (this.#local !== undefined || this.#list.root === undefined) return;
    this.#local = new LocalCopy({
      list: this.#list,
      sink: this.#sink,
      here: this.#here,
      onPiece: (piece) => this.#arrived(piece),
      onGone: () => this.#bell.ring(),
    }, this.#tools);
    await this.#local.find(this.#wanted.name);
    this.#tasks.add(this.#local.run(this.#tasks.signal));
  }

  #arrived(piece: Range): void {
    this.#movedMs = this.#tools.clock.now();
    this.#firstMs ??= this.#movedMs - this.#startMs;
    this.#local?.noteArrival();
    this.#here.addTouched(piece);
    this.#pool.releaseCovered(this.#here);
    this.#watch.onProgress(this.#progress(false));
    if (this.#here.size === this.#here.count || allAheadMs(this.#state()).includes(0)) this.#bell.ring();
  }

  /** Follows the work of a source, which may fail without the download. */
  #follow(source: SourceAtWork, work: Promise<void>): void {
    this.#tasks.add(work.catch(async (thrown) => {
      if (this.#tasks.signal.aborted || thrown === RELEASED) return;
      await this.#failed(source, Failure.from(thrown, "internal", "Cannot download"));
    }));
  }

  /** Waits until something happens that may change the plan. */
  async #happening(step: Step): Promise<void> {
    const restMs = this.#pool.restMs();
    const waitMs = planAgainMs(step, { restMs, aheadMs: allAheadMs(this.#state()), isChecked: this.#isChecked });
    const heldUpMs = await this.#holdUps.wait(this.#bell, waitMs);
    if (heldUpMs === 0) return;
    for (const source of this.#pool.placed) source.excuse(heldUpMs);
    this.#movedMs = Math.min(this.#tools.clock.now(), this.#movedMs + heldUpMs);
  }

  async #failed(source: SourceAtWork, failure: Failure): Promise<void> {
    // Our own disk, our own output or a bug of ours: no other source makes that better.
    if (!failure.remote && failedWith(failure, "disk-full", "no-access", "cancelled", "internal")) throw failure;
    if (this.#anchor === source && this.#list.root === undefined) {
      this.#anchor = undefined;
      this.#isChecked = false;
    }
    const clearer = await explained(failure, source, { wanted: this.#wanted, root: this.#root });
    this.#pool.failed(source, clearer);
    if (isWorthRetrying(failure)) return source.record.failed();
    source.drop();
    this.#tools.onBadSource?.(source.peer, this.#wanted.name, clearer);
  }

  #progress(isFetching: boolean): DownloadProgress {
    const done = this.#here.bytes(this.#wanted.size);
    return progressOf(this.#pool.placed, { done, isChecked: this.#isChecked, isFetching, local: this.#local });
  }
}
