/**
 * One peer in a download of small files: how many connections it has, what it gave, how often it
 * failed. Called by small_download.ts.
 * @module
 */

import { Failure } from "../../core/failure.ts";
import { backoffMs } from "../../core/flow/backoff.ts";
import { CONSENT_WAIT_MS, REPLY_WAIT_MS, RETRY_FIRST_MS, RETRY_LAST_MS, SMALL_TRIES_MAX } from "../../core/limits.ts";
import type { Random } from "../../core/random.ts";
import type { Placed } from "../plan/places.ts";
import type { Source } from "../content/source.ts";

/** Connections to one peer, so that its disk and ours work at the same time. */
export const CONNECTIONS_EACH = 4;
/** Files that a peer gives before it gets one more connection. */
const FILES_EACH = 4;
/** How recently the last of those files must have come. */
const RECENT_MS = 1_000;

/** What one peer does for a download of small files. */
export class Helper {
  readonly source: Source;
  /** How many connections to it there are now. */
  connections = 0;
  isPlaced = false;
  turns = 0;
  /** Files and bytes that it gave, and how long it took. */
  files = 0;
  bytes = 0;
  busyMs = 0;
  /** When it last gave a file or got its place. */
  movedMs: number;
  /** Until when it rests after a failure. */
  restUntilMs = -Infinity;
  /** Failures in a row. */
  #tries = 0;
  /** When it first reported that it is asking its owner, since it last gave something. */
  #askingMs: number | undefined;
  #leaving = new AbortController();

  constructor(source: Source, nowMs: number) {
    this.source = source;
    this.movedMs = nowMs;
  }

  /** Whether it failed so often that it is asked no more. */
  get isOver(): boolean {
    return this.#tries >= SMALL_TRIES_MAX;
  }

  /** Aborted when it loses its place. */
  get leaving(): AbortSignal {
    return this.#leaving.signal;
  }

  /** Whether further files can get it further connections. */
  get mayGrow(): boolean {
    return this.files <= FILES_EACH * CONNECTIONS_EACH;
  }

  /** The peer as places.ts sees it. */
  placed(nowMs: number): Placed {
    return {
      id: this.source.peer,
      turns: this.turns,
      isOver: this.isOver,
      isWaiting: this.isWaiting(nowMs),
      sinceMs: nowMs - this.movedMs,
      sinceBytes: 0,
    };
  }

  /** Whether it is asking its owner, for no longer than a person may take. */
  isWaiting(nowMs: number): boolean {
    const askingMs = this.#askingMs;
    return this.connections > 0 && askingMs !== undefined && nowMs - askingMs < CONSENT_WAIT_MS + REPLY_WAIT_MS;
  }

  /** How many connections it has earned by what it gave lately. */
  earnedConnections(nowMs: number): number {
    return nowMs - this.movedMs < RECENT_MS ? 1 + Math.floor(this.files / FILES_EACH) : 1;
  }

  /** Gives it a place. */
  enter(nowMs: number): void {
    this.isPlaced = true;
    this.turns += 1;
    this.movedMs = nowMs;
    this.#leaving = new AbortController();
  }

  /** Takes its place away and ends its connections. */
  leave(): void {
    this.isPlaced = false;
    this.#leaving.abort(new Failure("cancelled", "Others are asked now"));
  }

  /** Notes that its owner is being asked. */
  asks(nowMs: number): void {
    this.#askingMs ??= nowMs;
  }

  /** Notes a verified file. */
  gave(bytes: number, tookMs: number, nowMs: number): void {
    this.movedMs = nowMs;
    this.files += 1;
    this.bytes += bytes;
    this.busyMs += tookMs;
    this.#tries = 0;
    this.#askingMs = undefined;
  }

  /** Notes a connection that failed without a file. Several that fail together are one failure. */
  failed(nowMs: number, random: Random): void {
    if (nowMs < this.restUntilMs) return;
    const bounds = { firstMs: RETRY_FIRST_MS, lastMs: RETRY_LAST_MS };
    this.restUntilMs = nowMs + backoffMs(this.#tries, bounds, random);
    this.#tries += 1;
  }
}
