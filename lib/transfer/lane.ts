/**
 * One source at work for one download: its connection, what it has, how fast it is, what it was asked for. Called by
 * running_download.ts, which does with lanes what plan.ts decides.
 * @module
 */

import type { Address } from "../core/address.ts";
import { backoffMs } from "../core/flow/backoff.ts";
import type { Clock } from "../core/flow/clock.ts";
import { PIECE_BYTES } from "../core/content.ts";
import { failedWith, Failure } from "../core/failure.ts";
import {
  CONSENT_WAIT_MS,
  PEER_IDLE_MS_MAX,
  REPLY_WAIT_MS,
  RETRIES_MAX,
  RETRY_FIRST_MS,
  RETRY_LAST_MS,
} from "../core/limits.ts";
import type { Pace } from "../core/flow/pace.ts";
import type { Random } from "../core/random.ts";
import { type Range, rangeBytes } from "../core/range.ts";
import { ask } from "../net/caller.ts";
import type { Connection } from "../net/connection.ts";
import { Asking, Pieces, Queued } from "../protocol/files.ts";
import { type FetchOptions, fetchRange } from "./fetch.ts";
import { askHoldings, EVERYTHING } from "./holdings.ts";
import type { PieceList, Target } from "./piece_list.ts";
import type { Placed } from "./places.ts";
import type { PlannedSource } from "./plan/plan_state.ts";

/** A peer that has the content, or parts of it, and what it calls it. */
export interface Source {
  readonly peer: string;
  /** SHA-256 of its certificate. */
  readonly id: string;
  readonly address: Address;
  /** Whether it serves without encryption. */
  readonly plain: boolean;
  readonly name: string;
}

/** Connects to a source and says HELLO, as lib/peer/find/contacts.ts does. */
export type Connect = (source: Source, signal: AbortSignal) => Promise<Connection>;

/** What lanes need beside their source. */
export interface LaneParts {
  readonly size: number;
  readonly connect: Connect;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  readonly pace: Pace | undefined;
}

/** How often one asks again what a source has that has not enough, or that others ask, too. */
const LOOK_AGAIN_MS = 1_000;
/** The same for one that has everything and is alone with us. */
const LOOK_SELDOM_MS = 2_000;

/** How long a connection without a place is good for another one: half of the time for which a peer keeps one that is silent. */
const KEPT_MS_MAX = PEER_IDLE_MS_MAX / 2;

/** What work fails with that was ended because it was not needed any more: no failure of the source. */
export const RELEASED = new Failure("cancelled", "It is not needed any more");

/** One source of one download. */
export class Lane {
  source: Source;
  /** Bytes that came from here and were verified, and the time that took. */
  bytes = 0;
  busyMs = 0;
  /** How many wait before us for this source's next free slot; undefined while none has to be waited for. */
  before: number | undefined;
  /** Whether the owner of this source is asked for his consent now. */
  isAsking = false;
  readonly #parts: LaneParts;
  #connection: Connection | undefined;
  #working: Promise<void> = Promise.resolve();
  #isBusy = false;
  #isDropped = false;
  #isReleased = false;
  #isLooking = false;
  #isPlaced = false;
  #displacedMs = 0;
  #turns = 0;
  #tries = 0;
  #standing: PlannedSource["standing"] = "new";
  #restUntilMs = -Infinity;
  #asked: Range | undefined;
  /** Where what was asked last ended, well or badly. */
  #stoppedAt = 0;
  #bytesPerSecond: number | undefined;
  #holdings = EVERYTHING;
  #lookAtMs = -Infinity;
  /** When it was last asked or placed, or gave a verified piece; and the bytes that had come from it by then. */
  #movedMs = 0;
  #movedBytes = 0;

  constructor(source: Source, parts: LaneParts) {
    this.source = source;
    this.#parts = parts;
  }

  /** Whether it is doing something. */
  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** Whether it was dropped. */
  get isDropped(): boolean {
    return this.#isDropped;
  }

  /** Failed attempts since its last piece. */
  get tries(): number {
    return this.#tries;
  }

  /** What it still has to deliver. */
  get asked(): Range | undefined {
    return this.#asked;
  }

  /** How long until it may be asked again after a failure, or what it has is worth another look; 0 when that is now. */
  waitMs(): number {
    const nowMs = this.#parts.clock.now();
    return Math.max(0, this.#restUntilMs - nowMs, this.#holdings.has === undefined ? 0 : this.#lookAtMs - nowMs);
  }

  /** Whether to ask what it has before it is asked for it. */
  get isDueForLook(): boolean {
    const nowMs = this.#parts.clock.now();
    return !this.#isBusy && !this.#isDropped && nowMs >= this.#restUntilMs && nowMs >= this.#lookAtMs;
  }

  /** The lane as the plan sees it. */
  planned(): PlannedSource {
    const nowMs = this.#parts.clock.now();
    const state = this.#isDropped ? "dropped" : this.#isBusy ? "busy" : nowMs < this.#restUntilMs ? "resting" : "ready";
    const isAsked = this.#asked !== undefined;
    return {
      id: this.source.peer,
      state,
      tries: this.#tries,
      standing: this.#standing,
      bytesPerSecond: this.#bytesPerSecond,
      ...this.#holdings,
      asked: this.#asked,
      sinceMs: isAsked ? nowMs - this.#movedMs : 0,
      sinceBytes: isAsked ? this.#sinceBytes() : 0,
      isWaiting: this.isWaiting,
    };
  }

  /** The lane as one of those that have a place. */
  placed(): Placed {
    const sinceMs = this.#parts.clock.now() - this.#movedMs;
    return {
      id: this.source.peer,
      turns: this.#turns,
      isOver: this.#isDropped || this.#tries >= RETRIES_MAX,
      isWaiting: this.isWaiting,
      sinceMs,
      sinceBytes: this.#sinceBytes(),
    };
  }

  /** How often it has had a place in this download. */
  get turns(): number {
    return this.#turns;
  }

  /** Whether it has one now. */
  get isPlaced(): boolean {
    return this.#isPlaced;
  }

  /** Whether it says that we wait for a person, in the time that persons have, or for our turn. */
  get isWaiting(): boolean {
    const askedMs = this.#parts.clock.now() - this.#movedMs;
    return this.before !== undefined || (this.isAsking && askedMs < CONSENT_WAIT_MS + REPLY_WAIT_MS);
  }

  /** Gives it a place among those that are asked. */
  place(): void {
    // The other side may have closed it by now, and nobody has read that.
    if (!this.#isBusy && this.#parts.clock.now() - this.#displacedMs > KEPT_MS_MAX) this.close();
    this.#isPlaced = true;
    this.#turns += 1;
    this.#moved();
  }

  /** Takes its place away; what is under way ends. A connection stays that is idle or used for a look, in case the lane gets its place back. */
  displace(): void {
    this.#isPlaced = false;
    this.#displacedMs = this.#parts.clock.now();
    if (this.#isBusy && !this.#isLooking) this.release();
  }

  /** Whether it holds a connection, or makes one, though it has no place. */
  get isKept(): boolean {
    return !this.#isPlaced && (this.#connection !== undefined || this.#isLooking);
  }

  /** Does not count so much of the time since it moved: it was we who held everything up. */
  excuse(ms: number): void {
    this.#movedMs = Math.min(this.#parts.clock.now(), this.#movedMs + ms);
  }

  #moved(): void {
    this.#movedMs = this.#parts.clock.now();
    this.#movedBytes = this.#connection?.bytesRead ?? 0;
  }

  #sinceBytes(): number {
    // A connection that is new has begun to count again.
    return Math.max(0, (this.#connection?.bytesRead ?? 0) - this.#movedBytes);
  }

  /** Fetches all digests of the content. The source may have to ask its owner for consent first. */
  async fetchList(list: PieceList, target: Target): Promise<void> {
    const onNews = (event: string): void => void (this.isAsking ||= event === Asking.event);
    try {
      await this.#work((connection) => list.fetch(connection, target, { pace: this.#parts.pace, onNews }));
      if (this.isAsking) this.#moved();
    } finally {
      this.isAsking = false;
    }
  }

  /** The same over a connection of its own, on and on while the source hashes, beside everything else. Fails: also by the signal. */
  async feed(list: PieceList, target: Target, signal: AbortSignal): Promise<void> {
    try {
      using connection = await this.#parts.connect(this.source, signal);
      signal.throwIfAborted();
      using _closing = connection.closeOn(signal);
      // A source that has to ask its owner says so where it is asked for bytes, too: there the wait is counted.
      await list.fetch(connection, target, { pace: this.#parts.pace, onNews: () => {} });
    } catch (thrown) {
      list.fail(thrown);
      throw thrown;
    }
  }

  /** Asks what it has, and how many want it. */
  async look(root: string): Promise<void> {
    this.#isLooking = true;
    await this.#work(async (connection) => {
      this.#holdings = await askHoldings(connection, { root, size: this.#parts.size }) ?? this.#holdings;
    }).finally(() => this.#isLooking = false);
    const { has, asking } = this.#holdings;
    const again = has !== undefined || asking > 1 ? LOOK_AGAIN_MS : LOOK_SELDOM_MS;
    this.#lookAtMs = this.#parts.clock.now() + again;
  }

  /** Fetches a range. Pieces that arrive before a failure count. */
  async fetch(range: Range, options: Omit<FetchOptions, "connection" | "onNews" | "onBegin" | "pace">): Promise<void> {
    this.#asked = range;
    this.#moved();
    let beganMs = this.#movedMs;
    let pieceMs = beganMs;
    let bytes = 0;
    try {
      await this.#work(async (connection) => {
        await fetchRange(range, {
          ...options,
          connection,
          pace: this.#parts.pace,
          onNews: (event, data) => {
            if (event === Asking.event) this.isAsking = true;
            if (event === Queued.event) this.before = Queued.data.check(data, event).before;
          },
          onBegin: () => {
            if (bytes === 0) beganMs = pieceMs = this.#parts.clock.now();
            // The wait in line is over: from now on pieces are due.
            if (this.before !== undefined || this.isAsking) this.#moved();
            this.before = undefined;
            this.isAsking = false;
          },
          onPiece: (piece) => {
            const nowMs = this.#parts.clock.now();
            this.busyMs += nowMs - pieceMs;
            pieceMs = nowMs;
            this.bytes += rangeBytes(piece);
            bytes += rangeBytes(piece);
            this.#tries = 0;
            this.#moved();
            if (this.#asked !== undefined) {
              this.#asked = { start: Math.max(piece.end, this.#asked.start), end: range.end };
            }
            options.onPiece(piece);
          },
        });
      });
    } finally {
      const tookMs = this.#parts.clock.now() - beganMs;
      this.#stoppedAt = this.#asked?.start ?? 0;
      this.#asked = undefined;
      this.before = undefined;
      this.isAsking = false;
      this.#standing = bytes > 0 ? "good" : "bad";
      if (bytes > 0) this.#bytesPerSecond = bytes / Math.max(tookMs, 1) * 1000;
    }
  }

  /**
   * Asks the source on a new connection whether it still has a content, after it sent a wrong piece of that.
   *
   * @returns What it says instead of digests, if it does.
   */
  async refusal(root: string): Promise<unknown> {
    try {
      using connection = await this.#connect();
      const doubt = Math.floor(this.#stoppedAt / PIECE_BYTES);
      await ask(connection, Pieces, { root, from: 0, limit: 1, doubt });
      return undefined;
    } catch (thrown) {
      return thrown;
    }
  }

  /** Notes a failed attempt: asks again after a while. */
  failed(): void {
    const bounds = { firstMs: RETRY_FIRST_MS, lastMs: RETRY_LAST_MS };
    this.#restUntilMs = this.#parts.clock.now() + backoffMs(this.#tries, bounds, this.#parts.random);
    // One that gave pieces before it failed has only ended its turn.
    if (this.#tries > 0) this.#standing = "bad";
    this.#tries += 1;
  }

  /** Ends what is under way because it is not needed any more: it fails with `RELEASED`. */
  release(): void {
    if (this.#isBusy) this.#isReleased = true;
    this.close();
  }

  /** Resolves when nothing is under way. */
  async quiet(): Promise<void> {
    await this.#working;
  }

  /** Never asks again. */
  drop(): void {
    this.#isDropped = true;
    this.close();
  }

  /** Closes the connection; whatever was under way fails. */
  close(reason?: Failure): void {
    this.#connection?.close(reason);
    this.#connection = undefined;
  }

  #work(work: (connection: Connection) => Promise<void>): Promise<void> {
    const done = this.#workOn(work);
    this.#working = done.catch(() => {});
    return done;
  }

  async #workOn(work: (connection: Connection) => Promise<void>): Promise<void> {
    this.#isBusy = true;
    this.#isReleased = false;
    try {
      if (this.#connection === undefined || this.#connection.ended !== undefined) {
        this.#connection = undefined;
        const connection = await this.#connect();
        if (this.#isReleased) connection.close();
        this.#connection = connection;
        this.#movedBytes = 0;
      }
      await work(this.#connection);
    } catch (thrown) {
      this.close();
      throw this.#isReleased ? RELEASED : thrown;
    } finally {
      this.#isBusy = false;
    }
  }

  #connect(): Promise<Connection> {
    return this.#parts.connect(this.source, this.#parts.signal);
  }
}

/** Failures after which a source may be better the next time. Every other one is for good. */
export function isWorthRetrying(failure: Failure): boolean {
  return failedWith(failure, "closed", "timeout", "unreachable", "busy", "not-here");
}
