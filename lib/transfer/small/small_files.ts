/**
 * Downloads many small files, of at most one piece each, from all peers that have them: asked for ahead over a few kept connections, so that ten
 * thousand files do not cost ten thousand journeys there and back. small_plan.ts decides which peer is asked for which file, places.ts which peers are
 * asked. Called by lib/peer/get/fetch_folder.ts.
 *
 * A file of one piece needs no list of digests: its root follows from its size and its only digest.
 * @module
 */

import { backoffMs } from "../../core/flow/backoff.ts";
import { Bell } from "../../core/flow/bell.ts";
import type { Clock } from "../../core/flow/clock.ts";
import { PIECE_BYTES } from "../../core/content.ts";
import { failedWith, Failure } from "../../core/failure.ts";
import {
  CONSENT_WAIT_MS,
  DOWNLOAD_IDLE_MS_MAX,
  REPLY_WAIT_MS,
  RETRY_FIRST_MS,
  RETRY_LAST_MS,
  SMALL_AHEAD,
  SMALL_CONNECTIONS_MAX,
} from "../../core/limits.ts";
import type { Pace } from "../../core/flow/pace.ts";
import type { Random } from "../../core/random.ts";
import type { Deliverers } from "../deliverers.ts";
import type { Given } from "../download.ts";
import type { Connect, Source } from "../lane.ts";
import { changePlaces, type Placed } from "../places.ts";
import { SmallConnection } from "./small_connection.ts";
import { type ArrivedFile, type SmallFile, SmallPlan } from "./small_plan.ts";

export type { SmallFile };

/** What such a download needs. */
export interface SmallFilesOptions {
  readonly files: readonly SmallFile[];
  /** Called with each file that was verified. The bytes are only good until it returns. */
  readonly onFile: (file: ArrivedFile, bytes: Uint8Array, digest: Uint8Array) => void;
  /** Called with each file that nobody could give. */
  readonly onFailed: (file: SmallFile, failure: Failure) => void;
  /** Called while a peer waits for its owner's consent. */
  readonly onAsking?: (peer: string) => void;
  /** Asks for further holders of a file. Called once for each file whose known holders are all late. */
  readonly findMore?: (file: SmallFile) => Promise<readonly Source[]>;
  readonly connect: Connect;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  readonly pace?: Pace;
  readonly compress?: boolean;
  /** Peers that delivered something to this peer before. */
  readonly deliverers?: Deliverers;
}

/** Connections to one peer, so that its disk and ours have something to do at the same time. */
const CONNECTIONS_EACH = 4;
/** Files that are asked for ahead of a peer that has not given any yet; one more with each that it gives. */
const FIRST_AHEAD = 4;
/** Files that a peer gives before it has one more connection, and time in which the last of them came. */
const FILES_EACH = 4;
const RECENT_MS = 1_000;
/** Times that all connections to a peer fail without a file, before the rest is done without it. */
const TRIES_MAX = 5;
/** How often the plan is looked at when nothing happens. */
const TICK_MS = 200;
/** Files for which further holders are looked for at a time: an index answers a bounded number of questions in a second. */
const FINDING_MAX = 16;

/** Whether a file may be downloaded this way. */
export function isSmall({ size }: { size: number }): boolean {
  return size <= PIECE_BYTES;
}

/** Downloads them all. Shape: who gave how much. Fails: by the signal, and as `onFile` does. */
export async function downloadSmallFiles(options: SmallFilesOptions): Promise<Given[]> {
  await using running = new RunningSmallFiles(options);
  return await running.run();
}

/** What one peer does for us. */
interface Helper {
  readonly source: Source;
  connections: number;
  isPlaced: boolean;
  turns: number;
  /** Failures in a row, and until when it rests after the last one. */
  tries: number;
  restUntilMs: number;
  movedMs: number;
  /** When it said last that its owner is asked, and for the first time since something came. */
  askingMs: number | undefined;
  leaving: AbortController;
  files: number;
  bytes: number;
  busyMs: number;
}

/** One download of small files. */
class RunningSmallFiles implements AsyncDisposable {
  readonly #options: SmallFilesOptions;
  readonly #plan: SmallPlan;
  readonly #helpers = new Map<string, Helper>();
  readonly #work = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  readonly #bell: Bell;
  readonly #searched = new Set<number>();
  #finding = 0;
  #movedMs: number;
  #fatal: { readonly thrown: unknown } | undefined;

  constructor(options: SmallFilesOptions) {
    const { files, pace, clock } = options;
    this.#options = options;
    const largest = files.reduce((most, { size }) => Math.max(most, size), 0);
    const extraMs = pace === undefined ? 0 : 2 * largest * SMALL_CONNECTIONS_MAX / pace.bytesPerSecond * 1000;
    this.#plan = new SmallPlan(files, { extraMs });
    this.#bell = new Bell(clock);
    this.#movedMs = clock.now();
  }

  async run(): Promise<Given[]> {
    const { signal, onFailed } = this.#options;
    const abort = (): void => this.#fail(signal.reason);
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
    try {
      while (this.#fatal === undefined && !this.#plan.isDone && !this.#isOver()) {
        this.#rearrange();
        this.#findMore();
        for (const helper of this.#helpers.values()) this.#employ(helper);
        if (this.#work.size === 0 && this.#restMs() === Infinity) break;
        await this.#bell.wait(Math.min(TICK_MS, this.#restMs()));
      }
      if (this.#fatal !== undefined) throw this.#fatal.thrown;
    } finally {
      signal.removeEventListener("abort", abort);
    }
    for (const { file, failure, askedOf: [peer] } of this.#plan.rest()) onFailed(file, failure ?? missing(file, peer));
    return this.#given();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort(new Failure("cancelled", "The download is over"));
    await Promise.all(this.#work);
  }

  #fail(thrown: unknown): void {
    this.#fatal ??= { thrown };
    this.#stopping.abort(thrown);
    this.#bell.ring();
  }

  /** Whether nothing has come for too long, and no person is asked. */
  #isOver(): boolean {
    const nowMs = this.#options.clock.now();
    const isAsking = this.#helpers.values().some((helper) => isWaiting(helper, nowMs));
    return nowMs - this.#movedMs >= DOWNLOAD_IDLE_MS_MAX && !isAsking;
  }

  /** Gives places to those who have something for us. */
  #rearrange(): void {
    const { clock, random, deliverers } = this.#options;
    const nowMs = clock.now();
    for (const source of this.#plan.sources) {
      if (!this.#helpers.has(source.peer)) this.#helpers.set(source.peer, newHelper(source, nowMs));
    }
    const all = [...this.#helpers.values()];
    const { leave, enter } = changePlaces(
      all.filter((helper) => helper.isPlaced).map((helper) => placed(helper, nowMs)),
      all.filter((helper) => !helper.isPlaced && this.#isUseful(helper, nowMs)).map((helper) => {
        const { source, turns, bytes } = helper;
        return { id: source.peer, turns, hasDelivered: bytes > 0 || deliverers?.has(source) === true };
      }),
      { placesMax: SMALL_CONNECTIONS_MAX, random },
    );
    for (const peer of leave) this.#displace(peer);
    for (const peer of enter) {
      const helper = this.#helpers.get(peer);
      if (helper === undefined) continue;
      helper.isPlaced = true;
      helper.turns += 1;
      helper.movedMs = nowMs;
      helper.leaving = new AbortController();
    }
  }

  #displace(peer: string): void {
    const helper = this.#helpers.get(peer);
    if (helper === undefined) return;
    helper.isPlaced = false;
    helper.leaving.abort(new Failure("cancelled", "Others are asked now"));
  }

  #isUseful({ source, tries, connections }: Helper, nowMs: number): boolean {
    return tries < TRIES_MAX && connections === 0 && this.#plan.hasFor(source.peer, nowMs);
  }

  /** Opens as many connections to a peer as are its share of them. */
  #employ(helper: Helper): void {
    const nowMs = this.#options.clock.now();
    const { source, tries, restUntilMs, isPlaced } = helper;
    if (!isPlaced || tries >= TRIES_MAX || restUntilMs > nowMs) return;
    const helping = this.#helpers.values().filter((each) => each.isPlaced && !placed(each, nowMs).isOver).toArray();
    // Those that give nothing have no share.
    const giving = helping.filter(({ movedMs }) => nowMs - movedMs < 2 * TICK_MS).length;
    const share = Math.floor(SMALL_CONNECTIONS_MAX / Math.max(1, giving));
    const countMax = Math.max(1, Math.min(CONNECTIONS_EACH, share, earnedConnections(helper, nowMs)));
    while (helper.connections < countMax && this.#plan.hasFor(source.peer, nowMs)) {
      helper.connections += 1;
      this.#goOn(this.#connect(helper));
    }
  }

  async #connect(helper: Helper): Promise<void> {
    const { clock, random, onFile, onAsking } = this.#options;
    const { source, leaving } = helper;
    const signal = AbortSignal.any([this.#stopping.signal, leaving.signal]);
    let gave = false;
    const connection = new SmallConnection({
      source,
      plan: this.#plan,
      options: this.#options,
      signal,
      onFile: (file, bytes, digest, ms) => {
        this.#movedMs = helper.movedMs = clock.now();
        gave = true;
        helper.files += 1;
        // Now it may have more connections.
        if (helper.files <= FILES_EACH * CONNECTIONS_EACH) this.#bell.ring();
        helper.tries = 0;
        helper.askingMs = undefined;
        helper.bytes += file.size;
        helper.busyMs += ms;
        try {
          onFile(file, bytes, digest);
        } catch (thrown) {
          // At once: the plan counts the file as here, and the download must not end well before the connection has reported this.
          this.#fail(thrown);
          throw thrown;
        }
        if (this.#plan.isDone) this.#bell.ring();
      },
      ahead: () => Math.min(SMALL_AHEAD, FIRST_AHEAD + helper.files),
      onAsking: () => {
        helper.askingMs ??= clock.now();
        onAsking?.(source.peer);
      },
    });
    try {
      await connection.run();
    } catch (thrown) {
      if (signal.aborted) return;
      if (failedWith(thrown, "internal", "disk-full", "no-access") && !(thrown instanceof Failure && thrown.remote)) {
        throw thrown;
      }
      const bounds = { firstMs: RETRY_FIRST_MS, lastMs: RETRY_LAST_MS };
      // One that gave something is asked for the rest at once; several connections that fail together are one failure.
      if (gave || clock.now() < helper.restUntilMs) return;
      helper.restUntilMs = clock.now() + backoffMs(helper.tries, bounds, random);
      helper.tries += 1;
    } finally {
      helper.connections -= 1;
    }
  }

  /** Looks for others that have what nobody gives in time. */
  #findMore(): void {
    const { findMore, clock } = this.#options;
    if (findMore === undefined || this.#finding >= FINDING_MAX) return;
    for (const index of this.#plan.troubled(clock.now())) {
      if (this.#searched.has(index)) continue;
      this.#searched.add(index);
      this.#finding += 1;
      const finding = findMore(this.#plan.file(index)).then(
        (sources) => this.#plan.addSources(index, sources),
        (thrown) => {
          if (!failedWith(thrown, "index-unreachable", "closed", "timeout", "not-found", "busy")) throw thrown;
        },
      );
      this.#goOn(finding.finally(() => this.#finding -= 1));
      if (this.#finding >= FINDING_MAX) return;
    }
  }

  #goOn(work: Promise<void>): void {
    const ended = work.catch((thrown) => this.#fail(thrown)).finally(() => {
      this.#work.delete(ended);
      this.#bell.ring();
    });
    this.#work.add(ended);
  }

  /** How long until a peer that has something for us may be asked for it; for ever, when no peer has. */
  #restMs(): number {
    const nowMs = this.#options.clock.now();
    const useful = this.#helpers.values().filter((helper) => this.#isUseful(helper, nowMs));
    return Math.min(Infinity, ...useful.map(({ restUntilMs }) => restUntilMs > nowMs ? restUntilMs - nowMs : TICK_MS));
  }

  #given(): Given[] {
    const gave = this.#helpers.values().filter(({ bytes }) => bytes > 0).toArray();
    for (const { source } of gave) this.#options.deliverers?.note(source);
    return gave.map(({ source, bytes, busyMs }) => ({ peer: source.peer, bytes, ms: busyMs }));
  }
}

function newHelper(source: Source, nowMs: number): Helper {
  const state = { connections: 0, isPlaced: false, turns: 0, tries: 0, restUntilMs: -Infinity, movedMs: nowMs };
  return {
    source,
    ...state,
    askingMs: undefined,
    leaving: new AbortController(),
    files: 0,
    bytes: 0,
    busyMs: 0,
  };
}

/** How many connections a peer is worth: what it gave lately decides. */
function earnedConnections({ files, movedMs }: Helper, nowMs: number): number {
  return nowMs - movedMs < RECENT_MS ? 1 + Math.floor(files / FILES_EACH) : 1;
}

function isWaiting({ askingMs, connections }: Helper, nowMs: number): boolean {
  return connections > 0 && askingMs !== undefined && nowMs - askingMs < CONSENT_WAIT_MS + REPLY_WAIT_MS;
}

function placed(helper: Helper, nowMs: number): Placed {
  return {
    id: helper.source.peer,
    turns: helper.turns,
    isOver: helper.tries >= TRIES_MAX,
    isWaiting: isWaiting(helper, nowMs),
    sinceMs: nowMs - helper.movedMs,
    sinceBytes: 0,
  };
}

function missing({ name }: SmallFile, peer: string | undefined): Failure {
  if (peer === undefined) return new Failure("not-found", `No peer here has "${name}"`);
  return new Failure("timeout", `Cannot get "${name}": ${peer} did not send it`);
}
