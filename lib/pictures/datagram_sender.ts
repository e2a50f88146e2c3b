/**
 * Decides which part of a picture is sent next, and when to look again. It has no socket, and the
 * time is passed in. Called by send_picture.ts, and by tests with a simulated network.
 *
 * Every datagram has a number of its own, also one that carries a part again. So an acknowledgement
 * shows which datagram has arrived, how long it took, and that datagrams sent well before it are
 * lost. "Well before" is measured in time, not in datagrams, since networks re-order them (RFC
 * 8985, "RACK").
 * @module
 */

import { ACK_PARTS_MAX, type Acknowledgement } from "../protocol/datagram.ts";
import { DatagramWindow } from "./datagram_window.ts";

/** One datagram to send. */
export interface Transmission {
  readonly number: number;
  /** Which part it carries. */
  readonly index: number;
}

/** A part that is to be sent. */
const WAITING = 0;
/** A part that was sent and may still arrive. */
const UNDER_WAY = 1;
/** A part that was acknowledged. */
const THERE = 2;

/** How long an earlier datagram may arrive after a later one, as a part of the round-trip time. */
const LATE_PART = 0.25;
/** The shortest time that an earlier datagram may arrive after a later one. */
const LATE_MS_MIN = 3;
/** The silence after which parts are sent again as a probe, until the round-trip time is known. */
const PROBE_FIRST_MS = 200;
/** The shortest silence before a probe. */
const PROBE_MS_MIN = 20;
/** The longest silence before a probe. */
const PROBE_MS_MAX = 1_000;
/** How many datagrams a probe sends. */
const PROBES = 2;
/** For how many datagrams the time of sending is remembered. */
const TIMES_KEPT = 1 << 15;

/** The sending side of one picture. */
export class DatagramSender {
  readonly #count: number;
  readonly #window = new DatagramWindow();
  readonly #state: Uint8Array;
  /** The last number under which each part was sent. */
  readonly #lastNumber: Uint32Array;
  /** When each number was sent; its place is the remainder of the number. */
  readonly #sentMs = new Float64Array(TIMES_KEPT);
  /** Datagrams that were sent and may be lost, in the order of their numbers. */
  readonly #sent: Queue<Transmission> = new Queue();
  /** Parts that are lost. They are sent again before new ones. */
  readonly #lost: Queue<number> = new Queue();
  #fresh = 0;
  #nextNumber = 0;
  #underWay = 0;
  #there = 0;
  #inOrder = 0;
  #latest = -1;
  /** When the newest acknowledged datagram was sent. */
  #latestSentMs = -Infinity;
  #quietSinceMs = 0;
  #probes = 0;

  constructor(count: number) {
    this.#count = count;
    this.#state = new Uint8Array(count);
    this.#lastNumber = new Uint32Array(count);
  }

  /** Whether all parts are acknowledged. */
  get done(): boolean {
    return this.#there === this.#count;
  }

  /** How many parts are acknowledged. */
  get there(): number {
    return this.#there;
  }

  /** How many datagrams were sent. */
  get sent(): number {
    return this.#nextNumber;
  }

  /** How many datagrams may be under way now. */
  get window(): number {
    return this.#window.size;
  }

  /**
   * Chooses the next datagram to send, which then counts as sent.
   *
   * @returns Undefined when no more may be sent now.
   */
  next(nowMs: number): Transmission | undefined {
    if (this.#underWay >= (this.#probes > 0 ? PROBES : this.#window.size)) return undefined;
    const index = this.#nextIndex();
    if (index === undefined) return undefined;
    const transmission = { number: this.#nextNumber++, index };
    if (this.#underWay === 0) this.#quietSinceMs = nowMs;
    this.#state[index] = UNDER_WAY;
    this.#lastNumber[index] = transmission.number;
    this.#sentMs[transmission.number % TIMES_KEPT] = nowMs;
    this.#underWay += 1;
    this.#sent.push(transmission);
    return transmission;
  }

  /** Notes what has arrived. An acknowledgement that is old or impossible changes nothing. */
  acknowledged({ latest, inOrder, beyond }: Acknowledgement, nowMs: number): void {
    if (latest >= this.#nextNumber || inOrder > this.#count) return;
    const before = this.#there;
    for (; this.#inOrder < inOrder; this.#inOrder++) this.#arrived(this.#inOrder);
    beyond.forEach((bits, byte) => {
      for (let bit = 0; bits >> bit > 0; bit++) {
        if ((bits >> bit & 1) === 1) this.#arrived(inOrder + 1 + byte * 8 + bit);
      }
    });
    let tripMs: number | undefined;
    if (latest > this.#latest && this.#nextNumber - latest <= TIMES_KEPT) {
      this.#latest = latest;
      this.#latestSentMs = this.#sentMs[latest % TIMES_KEPT] ?? nowMs;
      tripMs = nowMs - this.#latestSentMs;
    }
    if (this.#there > before || tripMs !== undefined) {
      this.#quietSinceMs = nowMs;
      this.#probes = 0;
    }
    this.#window.note({ nowMs, latest: this.#latest, next: this.#nextNumber, delivered: this.#there, tripMs });
    this.#findLost();
  }

  /**
   * When to call {@linkcode probe} if nothing arrives before; Infinity when nothing is under way.
   */
  get probeAtMs(): number {
    if (this.#underWay === 0) return Infinity;
    const { tripMs } = this.#window;
    const wait = tripMs === undefined ? PROBE_FIRST_MS : Math.max(PROBE_MS_MIN, 2 * tripMs);
    return this.#quietSinceMs + Math.min(PROBE_MS_MAX, wait * 2 ** this.#probes);
  }

  /**
   * Probes after a silence: everything under way counts as lost, and a few parts may be sent again.
   * Their acknowledgement shows what became of the rest.
   */
  probe(nowMs: number): void {
    if (nowMs < this.probeAtMs) return;
    this.#quietSinceMs = nowMs;
    this.#probes += 1;
    for (let oldest = this.#sent.shift(); oldest !== undefined; oldest = this.#sent.shift()) this.#lose(oldest);
  }

  #nextIndex(): number | undefined {
    for (let index = this.#lost.shift(); index !== undefined; index = this.#lost.shift()) {
      if (this.#state[index] === WAITING) return index;
    }
    while (this.#fresh < this.#count && this.#state[this.#fresh] !== WAITING) this.#fresh += 1;
    // No further ahead of the first missing part than an acknowledgement can report.
    return this.#fresh < Math.min(this.#count, this.#inOrder + ACK_PARTS_MAX) ? this.#fresh++ : undefined;
  }

  #arrived(index: number): void {
    if (index >= this.#count || this.#state[index] === THERE) return;
    if (this.#state[index] === UNDER_WAY) this.#underWay -= 1;
    this.#state[index] = THERE;
    this.#there += 1;
  }

  #findLost(): void {
    const lateMs = Math.max(LATE_MS_MIN, LATE_PART * (this.#window.tripMs ?? 0));
    for (let oldest = this.#sent.first; oldest !== undefined; oldest = this.#sent.first) {
      const sentMs = this.#sentMs[oldest.number % TIMES_KEPT] ?? 0;
      if (this.#isUnderWay(oldest) && sentMs + lateMs >= this.#latestSentMs) return;
      this.#sent.shift();
      this.#lose(oldest);
    }
  }

  #isUnderWay({ index, number }: Transmission): boolean {
    return this.#state[index] === UNDER_WAY && this.#lastNumber[index] === number;
  }

  #lose(transmission: Transmission): void {
    if (!this.#isUnderWay(transmission)) return;
    this.#state[transmission.index] = WAITING;
    this.#underWay -= 1;
    this.#lost.push(transmission.index);
  }
}

/** A first-in, first-out queue that does not move its items at each `shift`. */
class Queue<T> {
  #items: T[] = [];
  #start = 0;

  get first(): T | undefined {
    return this.#items[this.#start];
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    const item = this.#items[this.#start];
    if (item === undefined) return undefined;
    this.#start += 1;
    if (this.#start > 1024 && this.#start * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#start);
      this.#start = 0;
    }
    return item;
  }
}
