/**
 * One source at work for one download: what it has, how fast it is, what it was asked for. Called
 * by download.ts, which asks sources for what plan.ts decides.
 * @module
 */

import { PIECE_BYTES } from "../../core/content.ts";
import type { Failure } from "../../core/failure.ts";
import { CONSENT_WAIT_MS, PEER_IDLE_MS_MAX, REPLY_WAIT_MS, RETRIES_MAX } from "../../core/limits.ts";
import { type Range, rangeBytes } from "../../core/range.ts";
import { ask } from "../../net/caller.ts";
import type { Connection } from "../../net/connection.ts";
import { Asking, Pieces, Queued } from "../../protocol/files.ts";
import type { DownloadTools } from "../content/download_tools.ts";
import { type FetchOrder, fetchRange } from "../pieces/fetch.ts";
import { askHoldings, EVERYTHING } from "./holdings.ts";
import type { PieceList, Target } from "../pieces/piece_list.ts";
import type { Placed } from "../plan/places.ts";
import type { PlannedSource } from "../plan/plan_state.ts";
import type { Source } from "../content/source.ts";
import { SourceConnection } from "./source_connection.ts";
import { SourceRecord } from "./source_record.ts";

/**
 * How soon a source is asked again what it has, when it does not have everything or when others
 * also ask it.
 */
const LOOK_AGAIN_MS = 1_000;
/** How soon a source is asked again that has everything, when no other peer asks it. */
const LOOK_SELDOM_MS = 2_000;

/**
 * How long a source without a place keeps a usable connection: half of the time after which peers
 * close a silent one.
 */
const KEPT_MS_MAX = PEER_IDLE_MS_MAX / 2;

/** The download that a source works for. */
export interface SourceContext {
  /** The size of the content. */
  readonly size: number;
  /** Aborted when the download is over. */
  readonly signal: AbortSignal;
}

/** One source of one download. */
export class SourceAtWork {
  /** The source as the index lists it now. */
  listed: Source;
  /** What it has given, and how often it failed. */
  readonly record: SourceRecord;
  /**
   * How many peers are before us in the line for this source's next free slot; undefined while
   * there is no line.
   */
  before: number | undefined;
  /** Whether this source is asking its owner for consent. */
  isAsking = false;
  readonly #context: SourceContext;
  readonly #tools: DownloadTools;
  readonly #connection: SourceConnection;
  #isDropped = false;
  #isLooking = false;
  #isPlaced = false;
  #displacedMs = 0;
  #turns = 0;
  #asked: Range | undefined;
  /** Where the last request ended, well or badly. */
  #stoppedAt = 0;
  #holdings = EVERYTHING;
  #lookAtMs = -Infinity;
  /** When it was last asked, got its place, or gave a verified piece. */
  #movedMs = 0;

  constructor(listed: Source, context: SourceContext, tools: DownloadTools) {
    this.listed = listed;
    this.#context = context;
    this.#tools = tools;
    this.record = new SourceRecord(tools);
    this.#connection = new SourceConnection(() => this.#connect());
  }

  /** The name of the peer. */
  get peer(): string {
    return this.listed.peer;
  }

  /** Whether it is doing something. */
  get isBusy(): boolean {
    return this.#connection.isBusy;
  }

  /** Whether it was dropped. */
  get isDropped(): boolean {
    return this.#isDropped;
  }

  /** What it still has to deliver. */
  get asked(): Range | undefined {
    return this.#asked;
  }

  /**
   * How long to wait before it can be asked again: after a failure, or until a new look at what it
   * has is due. 0 when it can be asked now.
   */
  waitMs(): number {
    const lookMs = this.#holdings.has === undefined ? 0 : this.#lookAtMs - this.#nowMs();
    return Math.max(this.record.restMs(), lookMs);
  }

  /** Whether to ask what it has before asking it for pieces. */
  get isDueForLook(): boolean {
    const isFree = !this.isBusy && !this.#isDropped && this.record.restMs() === 0;
    return isFree && this.#nowMs() >= this.#lookAtMs;
  }

  /** The source as the plan sees it. */
  planned(): PlannedSource {
    const { tries, standing, bytesPerSecond } = this.record;
    const isResting = this.record.restMs() > 0;
    const isAsked = this.#asked !== undefined;
    return {
      id: this.peer,
      state: this.#isDropped ? "dropped" : this.isBusy ? "busy" : isResting ? "resting" : "ready",
      tries,
      standing,
      bytesPerSecond,
      ...this.#holdings,
      asked: this.#asked,
      sinceMs: isAsked ? this.#nowMs() - this.#movedMs : 0,
      sinceBytes: isAsked ? this.#connection.bytesSinceMark : 0,
      isWaiting: this.isWaiting,
    };
  }

  /** The source as places.ts sees it. */
  placed(): Placed {
    return {
      id: this.peer,
      turns: this.#turns,
      isOver: this.#isDropped || this.record.tries >= RETRIES_MAX,
      isWaiting: this.isWaiting,
      sinceMs: this.#nowMs() - this.#movedMs,
      sinceBytes: this.#connection.bytesSinceMark,
    };
  }

  /** How often it has had a place in this download. */
  get turns(): number {
    return this.#turns;
  }

  /** Whether it has a place now. */
  get isPlaced(): boolean {
    return this.#isPlaced;
  }

  /** Whether we wait for our turn, or for a person. The wait for a person is limited. */
  get isWaiting(): boolean {
    const askedMs = this.#nowMs() - this.#movedMs;
    return this.before !== undefined || (this.isAsking && askedMs < CONSENT_WAIT_MS + REPLY_WAIT_MS);
  }

  /** Gives it a place among the sources that are asked. */
  place(): void {
    // The other side may have closed the connection unnoticed.
    if (!this.isBusy && this.#nowMs() - this.#displacedMs > KEPT_MS_MAX) this.close();
    this.#isPlaced = true;
    this.#turns += 1;
    this.#moved();
  }

  /**
   * Takes its place away and ends what is under way. A connection that is idle or used for a look
   * stays open, in case the source gets its place back.
   */
  displace(): void {
    this.#isPlaced = false;
    this.#displacedMs = this.#nowMs();
    if (this.isBusy && !this.#isLooking) this.release();
  }

  /** Whether it has no place but has a connection, or is making one. */
  get isKept(): boolean {
    return !this.#isPlaced && (this.#connection.isOpen || this.#isLooking);
  }

  /** Does not count `ms` of the time since it moved, because this machine held everything up. */
  excuse(ms: number): void {
    this.#movedMs = Math.min(this.#nowMs(), this.#movedMs + ms);
  }

  /** Fetches all digests of the content. The source may have to ask its owner for consent first. */
  async fetchList(list: PieceList, target: Target): Promise<void> {
    const { pace } = this.#tools;
    const onNews = (event: string): void => void (this.isAsking ||= event === Asking.event);
    try {
      await list.fetch(await this.#connection.begin(), target, { pace, onNews });
      if (this.isAsking) this.#moved();
    } catch (thrown) {
      throw this.#connection.failed(thrown);
    } finally {
      this.isAsking = false;
      this.#connection.end();
    }
  }

  /**
   * Fetches all digests over a connection of their own, while the source is still hashing and
   * beside everything else.
   *
   * @throws The reason of the signal; and as the source does.
   */
  async feed(list: PieceList, target: Target, signal: AbortSignal): Promise<void> {
    const { connect, pace } = this.#tools;
    try {
      using connection = await connect(this.listed, signal);
      signal.throwIfAborted();
      using _closing = connection.closeOn(signal);
      // A source that asks its owner also says so on the connection for bytes, where the wait is
      // counted.
      await list.fetch(connection, target, { pace, onNews: () => {} });
    } catch (thrown) {
      list.fail(thrown);
      throw thrown;
    }
  }

  /** Asks what it has, and how many peers want it. */
  async look(root: string): Promise<void> {
    this.#isLooking = true;
    try {
      const connection = await this.#connection.begin();
      this.#holdings = await askHoldings(connection, { root, size: this.#context.size }) ?? this.#holdings;
    } catch (thrown) {
      throw this.#connection.failed(thrown);
    } finally {
      this.#isLooking = false;
      this.#connection.end();
    }
    const { has, asking } = this.#holdings;
    this.#lookAtMs = this.#nowMs() + (has !== undefined || asking > 1 ? LOOK_AGAIN_MS : LOOK_SELDOM_MS);
  }

  /** Fetches a range. Pieces that arrive before a failure count. */
  async fetch(range: Range, order: FetchOrder): Promise<void> {
    this.#asked = range;
    this.#moved();
    this.record.beginTurn();
    try {
      await fetchRange(range, await this.#connection.begin(), {
        order,
        pace: this.#tools.pace,
        onNews: (event, data) => this.#heard(event, data),
        onBegin: () => this.#begins(),
        onPiece: (piece) => this.#gave(piece),
      });
    } catch (thrown) {
      throw this.#connection.failed(thrown);
    } finally {
      this.record.endTurn();
      this.#stoppedAt = this.#asked?.start ?? 0;
      this.#asked = undefined;
      this.before = undefined;
      this.isAsking = false;
      this.#connection.end();
    }
  }

  /** Notes what the source says while we wait. */
  #heard(event: string, data: unknown): void {
    if (event === Asking.event) this.isAsking = true;
    if (event === Queued.event) this.before = Queued.data.check(data, event).before;
  }

  /** Notes that the source begins to send. */
  #begins(): void {
    this.record.answers();
    // The wait in line is over: from now on pieces are due.
    if (this.before !== undefined || this.isAsking) this.#moved();
    this.before = undefined;
    this.isAsking = false;
  }

  /** Notes a piece that was verified and written. */
  #gave(piece: Range): void {
    this.record.gave(rangeBytes(piece));
    this.#moved();
    if (this.#asked !== undefined) {
      this.#asked = { start: Math.max(piece.end, this.#asked.start), end: this.#asked.end };
    }
  }

  /**
   * Asks the source on a new connection whether it still has a content, after it sent a wrong piece
   * of it.
   *
   * @returns The failure with which it answers; undefined when it still has the content.
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

  /** Ends what is under way because it is not needed any more. It fails with `RELEASED`. */
  release(): void {
    this.#connection.release();
  }

  /** Resolves when nothing is under way. */
  async quiet(): Promise<void> {
    await this.#connection.quiet();
  }

  /** Makes sure that it is never asked again. */
  drop(): void {
    this.#isDropped = true;
    this.close();
  }

  /** Closes the connection. What is under way fails. */
  close(reason?: Failure): void {
    this.#connection.close(reason);
  }

  #moved(): void {
    this.#movedMs = this.#nowMs();
    this.#connection.mark();
  }

  #connect(): Promise<Connection> {
    return this.#tools.connect(this.listed, this.#context.signal);
  }

  #nowMs(): number {
    return this.#tools.clock.now();
  }
}
