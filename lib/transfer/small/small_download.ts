/**
 * Downloads many small files, of at most one piece each, from all peers that have them. They are
 * asked for ahead over a few kept connections, so that ten thousand files do not cost ten thousand
 * round trips. small_plan.ts decides which peer is asked for which file, places.ts which peers are
 * asked. Made by downloads.ts.
 *
 * A file of one piece needs no list of digests: its root follows from its size and its only digest.
 * @module
 */

import { failedWith, Failure } from "../../core/failure.ts";
import { Bell } from "../../core/flow/bell.ts";
import { unlessAborted } from "../../core/flow/on_abort.ts";
import { DOWNLOAD_IDLE_MS_MAX, SMALL_CONNECTIONS_MAX } from "../../core/limits.ts";
import type { DownloadTools } from "../content/download_tools.ts";
import { changePlaces } from "../plan/places.ts";
import { Tasks } from "../../core/flow/tasks.ts";
import type { Given } from "../content/watch.ts";
import { CONNECTIONS_EACH, Helper } from "./helper.ts";
import { SmallConnection } from "./small_connection.ts";
import type { ArrivedFile, SmallFile, SmallWatch } from "./small_file.ts";
import { SmallPlan } from "./small_plan.ts";

/** Files that are asked for at once when a peer has not given any yet. */
const FIRST_FILES = 32;
/** How many more each file that it gives adds. So the line to a distant peer is soon full. */
const FILES_FOR_EACH = 3;
/** How often the plan is checked when nothing happens. */
const TICK_MS = 200;
/**
 * Files for which further holders are looked up at a time. An index answers a limited number of
 * questions each second.
 */
const FINDING_MAX = 16;

/** One download of small files. It ends with `run`, and stops everything when it is disposed of. */
export class SmallDownload implements AsyncDisposable {
  readonly #watch: SmallWatch;
  readonly #tools: DownloadTools;
  readonly #plan: SmallPlan;
  readonly #helpers = new Map<string, Helper>();
  readonly #bell: Bell;
  readonly #tasks: Tasks;
  /** The files for which further holders have been looked up. */
  readonly #searched = new Set<number>();
  #finding = 0;
  #movedMs: number;

  constructor(
    files: readonly SmallFile[],
    { watch, tools }: { readonly watch: SmallWatch; readonly tools: DownloadTools },
  ) {
    const { pace, clock } = tools;
    this.#watch = watch;
    this.#tools = tools;
    const largest = files.reduce((most, { size }) => Math.max(most, size), 0);
    const extraMs = pace === undefined ? 0 : 2 * largest * SMALL_CONNECTIONS_MAX / pace.bytesPerSecond * 1000;
    this.#plan = new SmallPlan(files, { extraMs });
    this.#bell = new Bell(clock);
    this.#tasks = new Tasks(this.#bell);
    this.#movedMs = clock.now();
  }

  /**
   * Downloads all files that some source can give.
   *
   * @returns How much each source gave.
   * @throws As `downloadSmall` in downloads.ts does.
   */
  async run(): Promise<Given[]> {
    {
      using _stopping = this.#tasks.stopOn(this.#watch.signal);
      while (!this.#tasks.hasFailed && !this.#plan.isDone && !this.#isOver()) {
        this.#rearrange();
        this.#findMore();
        for (const helper of this.#helpers.values()) this.#employ(helper);
        if (this.#tasks.count === 0 && this.#restMs() === Infinity) break;
        await this.#bell.wait(Math.min(TICK_MS, this.#restMs()));
      }
      this.#tasks.throwIfFailed();
    }
    for (const { file, failure, askedOf: [peer] } of this.#plan.rest()) {
      this.#watch.onFailed(file, failure ?? missing(file, peer));
    }
    return this.#given();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tasks[Symbol.asyncDispose]();
  }

  /** Whether nothing has come for too long, and no person is being asked. */
  #isOver(): boolean {
    const nowMs = this.#tools.clock.now();
    const isAsking = this.#helpers.values().some((helper) => helper.isWaiting(nowMs));
    return nowMs - this.#movedMs >= DOWNLOAD_IDLE_MS_MAX && !isAsking;
  }

  /** Gives places to the peers that have something for us. */
  #rearrange(): void {
    const { clock, random, deliverers } = this.#tools;
    const nowMs = clock.now();
    for (const source of this.#plan.sources) {
      if (!this.#helpers.has(source.peer)) this.#helpers.set(source.peer, new Helper(source, nowMs));
    }
    const all = [...this.#helpers.values()];
    const { leave, enter } = changePlaces(
      all.filter((helper) => helper.isPlaced).map((helper) => helper.placed(nowMs)),
      all.filter((helper) => !helper.isPlaced && this.#isUseful(helper, nowMs)).map((helper) => {
        const { source, turns, bytes } = helper;
        return { id: source.peer, turns, hasDelivered: bytes > 0 || deliverers?.has(source) === true };
      }),
      { placesMax: SMALL_CONNECTIONS_MAX, random },
    );
    for (const peer of leave) this.#helpers.get(peer)?.leave();
    for (const peer of enter) this.#helpers.get(peer)?.enter(nowMs);
  }

  #isUseful({ source, isOver, connections }: Helper, nowMs: number): boolean {
    return !isOver && connections === 0 && this.#plan.hasFor(source.peer, nowMs);
  }

  /** Opens as many connections to a peer as are its share of them. */
  #employ(helper: Helper): void {
    const nowMs = this.#tools.clock.now();
    const { source, isOver, restUntilMs, isPlaced } = helper;
    if (!isPlaced || isOver || restUntilMs > nowMs) return;
    const helping = this.#helpers.values().filter((each) => each.isPlaced && !each.isOver).toArray();
    // Peers that give nothing have no share.
    const giving = helping.filter(({ movedMs }) => nowMs - movedMs < 2 * TICK_MS).length;
    const share = Math.floor(SMALL_CONNECTIONS_MAX / Math.max(1, giving));
    const countMax = Math.max(1, Math.min(CONNECTIONS_EACH, share, helper.earnedConnections(nowMs)));
    while (helper.connections < countMax && this.#plan.hasFor(source.peer, nowMs)) {
      helper.connections += 1;
      this.#tasks.add(this.#connect(helper));
    }
  }

  async #connect(helper: Helper): Promise<void> {
    const { clock, random } = this.#tools;
    const signal = AbortSignal.any([helper.leaving, this.#tasks.signal]);
    let gave = false;
    const connection = new SmallConnection(helper.source, {
      plan: this.#plan,
      tools: this.#tools,
      compress: this.#watch.compress === true,
      signal,
      onFile: (file, bytes, digests, tookMs) => {
        gave = true;
        return this.#arrived(helper, tookMs, file, bytes, digests);
      },
      filesMax: () => Math.min(FIRST_FILES + FILES_FOR_EACH * helper.files, this.#shareOf(helper)),
      onAsking: () => {
        helper.asks(clock.now());
        this.#watch.onAsking?.(helper.source.peer);
      },
    });
    try {
      await connection.run();
    } catch (thrown) {
      if (signal.aborted) return;
      if (failedWith(thrown, "internal", "disk-full", "no-access") && !(thrown instanceof Failure && thrown.remote)) {
        throw thrown;
      }
      // A connection that gave something is asked for the rest at once.
      if (!gave) helper.failed(clock.now(), random);
    } finally {
      helper.connections -= 1;
    }
  }

  /**
   * As many files as one connection of a peer may be asked for at once, so that some are left for
   * every other peer. One that is asked for none could never show that it is faster.
   */
  #shareOf({ connections }: Helper): number {
    const asked = this.#helpers.values().filter(({ isPlaced, isOver }) => isPlaced && !isOver).toArray();
    return Math.ceil(this.#plan.left / Math.max(1, asked.length) / Math.max(1, connections));
  }

  #arrived(
    helper: Helper,
    tookMs: number,
    file: ArrivedFile,
    bytes: Uint8Array,
    digests: Uint8Array,
  ): Promise<void> | undefined {
    this.#movedMs = this.#tools.clock.now();
    helper.gave(file.size, tookMs, this.#movedMs);
    // Now it may have more connections.
    if (helper.mayGrow) this.#bell.ring();
    try {
      return this.#watch.onFile(file, bytes, digests);
    } catch (thrown) {
      // At once: the plan counts the file as here, and the download must not end well before the
      // connection reports this.
      this.#tasks.fail(thrown);
      throw thrown;
    } finally {
      if (this.#plan.isDone) this.#bell.ring();
    }
  }

  /** Looks for other holders of files that no source gives in time. */
  #findMore(): void {
    const { finder, clock } = this.#tools;
    if (this.#finding >= FINDING_MAX) return;
    for (const index of this.#plan.troubled(clock.now())) {
      const file = this.#plan.file(index);
      if (this.#searched.has(index) || file.root === undefined || !file.moreHolders) continue;
      this.#searched.add(index);
      this.#finding += 1;
      const finding = finder.sources(file).then(
        (sources) => this.#plan.addSources(index, sources),
        (thrown) => {
          if (!failedWith(thrown, "index-unreachable", "closed", "timeout", "not-found", "busy")) throw thrown;
        },
      );
      this.#tasks.add(unlessAborted(finding, this.#tasks.signal).finally(() => this.#finding -= 1));
      if (this.#finding >= FINDING_MAX) return;
    }
  }

  /**
   * How long until a peer that has something for us may be asked for it; `Infinity` when no peer
   * has.
   */
  #restMs(): number {
    const nowMs = this.#tools.clock.now();
    const useful = this.#helpers.values().filter((helper) => this.#isUseful(helper, nowMs));
    return Math.min(Infinity, ...useful.map(({ restUntilMs }) => restUntilMs > nowMs ? restUntilMs - nowMs : TICK_MS));
  }

  #given(): Given[] {
    const gave = this.#helpers.values().filter(({ bytes }) => bytes > 0).toArray();
    for (const { source } of gave) this.#tools.deliverers?.note(source);
    return gave.map(({ source, bytes, busyMs }) => ({ peer: source.peer, bytes, ms: busyMs }));
  }
}

function missing({ name }: SmallFile, peer: string | undefined): Failure {
  if (peer === undefined) return new Failure("not-found", `No peer here has "${name}"`);
  return new Failure("timeout", `Cannot get "${name}": ${peer} did not send it`);
}
