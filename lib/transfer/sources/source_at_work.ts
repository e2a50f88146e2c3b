/**
 * One source at work for one download: what it has, how fast it is, what it was asked for. Called
 * by download.ts, which asks sources for what plan.ts decides.
 * @module
 */

import type { Failure } from "../../core/failure.ts";
import { CONSENT_WAIT_MS, PEER_IDLE_MS_MAX, REPLY_WAIT_MS, RETRIES_MAX } from "../../core/limits.ts";
import { type Range, rangeBytes } from "../../core/range.ts";
import type { Connection } from "../../net/connection.ts";
import { Asking, Queued } from "../../protocol/files.ts";
import type { DownloadTools } from "../content/download_tools.ts";
import { type FetchOrder, fetchRange } from "../pieces/fetch.ts";
import { Looks } from "./holdings.ts";
import type { PieceList, Target } from "../pieces/piece_list.ts";
import { ROUND_TRIP_MS_MIN } from "../plan/ahead.ts";
import type { Placed } from "../plan/places.ts";
import type { PlannedSource } from "../plan/plan_state.ts";
import type { Source } from "../content/source.ts";
import { type AskedRange, AskedRanges } from "./asked_ranges.ts";
import { SourceConnection } from "./source_connection.ts";
import { SourceRecord } from "./source_record.ts";

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
  /** How many peers are before us in its line for a free slot; undefined without a line. */
  before: number | undefined;
  /** Whether this source is asking its owner for consent. */
  isAsking = false;
  /** Whether it is asked why it sent wrong bytes. Meanwhile it is asked for nothing else. */
  isDoubted = false;
  /** Where the last request ended, well or badly. */
  stoppedAt = 0;
  readonly #context: SourceContext;
  readonly #tools: DownloadTools;
  readonly #connection: SourceConnection;
  #isDropped = false;
  #isLooking = false;
  #isPlaced = false;
  #displacedMs = 0;
  #turns = 0;
  readonly #asked = new AskedRanges();
  /** The shortest time so far from a request to its answer. */
  #roundTripMs: number | undefined;
  readonly #looks: Looks;
  /** When it was last asked, got its place, or gave a verified piece. */
  #movedMs = 0;

  constructor(listed: Source, context: SourceContext, tools: DownloadTools) {
    this.listed = listed;
    this.#context = context;
    this.#tools = tools;
    this.record = new SourceRecord(tools);
    this.#looks = new Looks(context.size, tools.clock);
    this.#connection = new SourceConnection(() => this.connect());
  }

  /** Aborted when the download is over. */
  get signal(): AbortSignal {
    return this.#context.signal;
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

  /** What it still has to deliver, before what it was asked for ahead. */
  get asked(): Range | undefined {
    return this.#asked.first?.left;
  }

  /**
   * How long to wait before it can be asked again: after a failure, or until a new look at what it
   * has is due. 0 when it can be asked now.
   */
  waitMs(): number {
    const { holdings, dueInMs } = this.#looks;
    return Math.max(this.record.restMs(), holdings.has === undefined ? 0 : dueInMs);
  }

  /** Whether to ask what it has before asking it for pieces. */
  get isDueForLook(): boolean {
    return this.planned().state === "ready" && this.#looks.dueInMs <= 0;
  }

  /** The source as the plan sees it. */
  planned(): PlannedSource {
    const { tries, standing, bytesPerSecond } = this.record;
    const isResting = this.isDoubted || this.record.restMs() > 0;
    const { first, next } = this.#asked;
    const isAsked = first !== undefined;
    return {
      id: this.peer,
      state: this.#isDropped ? "dropped" : this.isBusy ? "busy" : isResting ? "resting" : "ready",
      tries,
      standing,
      bytesPerSecond,
      ...this.#looks.holdings,
      asked: first?.left,
      next: next?.left,
      turnBytesPerSecond: first?.record.bytesPerSecond,
      roundTripMs: this.#roundTripMs,
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
      isWaiting: this.isWaiting || this.isDoubted,
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
    if (this.isBusy && (!this.#isLooking || this.#asked.first !== undefined)) this.release();
  }

  /** Whether it has no place but has a connection, or is making one. */
  get isKept(): boolean {
    return !this.#isPlaced && (this.#connection.isOpen || this.#isLooking);
  }

  /** Does not count `ms` of the time since it moved, because this machine held everything up. */
  excuse(ms: number): void {
    this.#movedMs = Math.min(this.#nowMs(), this.#movedMs + ms);
  }

  /**
   * Fetches all digests of the content. The source may have to ask its owner for consent first.
   * What it has is asked in the same breath, and answered after the digests.
   *
   * @param askFirst Asks for the first range, if the line is long. All digests then come at once.
   */
  async fetchList(list: PieceList, target: Target, askFirst?: () => void): Promise<void> {
    const { pace } = this.#tools;
    const onNews = (event: string): void => void (this.isAsking ||= event === Asking.event);
    try {
      const connection = await this.#connection.begin();
      const isOnce = askFirst !== undefined && connection.roundTripMs >= ROUND_TRIP_MS_MIN;
      const fetching = list.fetch(connection, target, { pace, onNews, isOnce });
      if ("root" in target) this.#lookBeside(target.root);
      if (isOnce) askFirst();
      await fetching;
      if (this.isAsking) this.#moved();
    } catch (thrown) {
      throw this.#connection.failed(thrown);
    } finally {
      this.isAsking = false;
      this.#connection.end();
    }
  }

  /** Asks what it has, and how many peers want it. */
  async look(root: string): Promise<void> {
    this.#isLooking = true;
    try {
      const connection = await this.#connection.begin();
      const askedMs = this.#nowMs();
      await this.#looks.look(connection, root);
      this.#answered(askedMs);
    } catch (thrown) {
      throw this.#connection.failed(thrown);
    } finally {
      this.#isLooking = false;
      this.#connection.end();
    }
  }

  /** Asks what it has beside another request, if that is due. A later look reports a failure. */
  async #lookBeside(root: string): Promise<void> {
    if (this.#looks.dueInMs > 0) return;
    try {
      await this.#looks.look(await this.#connection.begin(), root);
    } catch {
      // The request before it or the look after it reports why.
    } finally {
      this.#connection.end();
    }
  }

  /**
   * Fetches a range. Pieces that arrive before a failure count. While another range still arrives,
   * it is asked for ahead; it fails with `RELEASED` when that other one fails.
   */
  async fetch(range: Range, order: FetchOrder): Promise<void> {
    const asked = this.#asked.begin(range, this.record.beginTurn());
    let isGood = false;
    if (asked.before === undefined) this.#moved();
    else if (order.list.root !== undefined) this.#lookBeside(order.list.root);
    try {
      const connection = await this.#connection.begin();
      const askedMs = asked.before === undefined ? this.#nowMs() : undefined;
      await fetchRange(range, connection, {
        order,
        pace: this.#tools.pace,
        onNews: (event, data) => this.#heard(event, data),
        onBegin: () => this.#begins(asked, askedMs),
        onPiece: (piece) => this.#gave(piece, asked),
      });
      isGood = true;
      await asked.before;
    } catch (thrown) {
      await asked.before;
      throw this.#connection.failed(thrown);
    } finally {
      // A failure of the request before it says nothing about this one, nor that others are served.
      if (asked.record.bytes > 0 || (!isGood && await asked.before !== false)) {
        this.record.endTurn(asked.record);
        this.stoppedAt = asked.left.start;
      }
      asked.end(isGood);
      if (this.#asked.first === undefined) {
        this.before = undefined;
        this.isAsking = false;
      }
      this.#connection.end();
    }
  }

  /** Notes what the source says while we wait. */
  #heard(event: string, data: unknown): void {
    if (event === Asking.event) this.isAsking = true;
    if (event === Queued.event) this.before = Queued.data.check(data, event).before;
  }

  /** Notes that the source begins to send. */
  #begins({ record }: AskedRange, askedMs: number | undefined): void {
    if (askedMs !== undefined && record.bytes === 0) this.#answered(askedMs);
    record.answers();
    // The wait in line is over: from now on pieces are due.
    if (this.before !== undefined || this.isAsking) this.#moved();
    this.before = undefined;
    this.isAsking = false;
  }

  /** Notes that the answer to a request has come, before which nothing had to be answered. */
  #answered(askedMs: number): void {
    this.#roundTripMs = Math.min(this.#roundTripMs ?? Infinity, this.#nowMs() - askedMs);
  }

  /** Notes a piece that was verified and written. */
  #gave(piece: Range, asked: AskedRange): void {
    this.record.gave(rangeBytes(piece), asked.record);
    this.#moved();
    asked.left = { start: Math.max(piece.end, asked.left.start), end: asked.left.end };
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

  /** Makes a new connection to it, beside the one for bytes. */
  connect(signal = this.#context.signal): Promise<Connection> {
    return this.#tools.connect(this.listed, signal);
  }

  #moved(): void {
    this.#movedMs = this.#nowMs();
    this.#connection.mark();
  }

  #nowMs(): number {
    return this.#tools.clock.now();
  }
}
