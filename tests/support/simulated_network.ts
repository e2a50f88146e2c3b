/**
 * A picture on its way over a network that is a seed: both machines of lib/transfer, with a clock
 * that jumps to whatever happens next. A minute takes a moment.
 * @module
 */

import type { Random } from "../../lib/core/random.ts";
import { type Acknowledgement, PART_BYTES, partCount } from "../../lib/protocol/datagram.ts";
import { DatagramReceiver } from "../../lib/pictures/datagram_receiver.ts";
import { DatagramSender } from "../../lib/pictures/datagram_sender.ts";
import { seededRandom } from "./seeded_random.ts";
import { randomBytes } from "./temp.ts";

/** What the network does to datagrams, in each direction. Parts are from 0 to 1. */
export interface Network {
  readonly seed: number;
  readonly loss?: number;
  readonly duplicates?: number;
  /** Of those that are late, by up to as long again as they take. */
  readonly late?: number;
  readonly delayMs?: number;
  /**
   * Datagrams a millisecond that the narrowest place lets through, and how many wait before it;
   * more are lost.
   */
  readonly narrow?: { readonly rate: number; readonly queue: number };
  /** When the network stops for good. */
  readonly endMs?: number;
}

/** How it went. */
export interface Outcome {
  readonly whole: boolean;
  readonly identical: boolean;
  readonly tookMs: number;
  readonly parts: number;
  readonly sent: number;
  /** The largest window there was. */
  readonly windowMax: number;
}

const GIVE_UP_MS = 600_000;

/** Sends a picture of `size` bytes. */
export function sendThrough(network: Network, size: number): Outcome {
  const random = seededRandom(network.seed);
  const picture = randomBytes(size, seededRandom(size));
  const sender = new DatagramSender(partCount(size));
  const receiver = new DatagramReceiver(size);
  const there = new Direction(network, random);
  const back = new Direction(network, random);
  const events = new Timeline();
  let windowMax = 0;
  let nowMs = 0;
  const send = (): void => {
    sender.probe(nowMs);
    for (let next = sender.next(nowMs); next !== undefined; next = sender.next(nowMs)) {
      const { number, index } = next;
      const bytes = picture.subarray(index * PART_BYTES, (index + 1) * PART_BYTES);
      for (const atMs of there.arrivals(nowMs)) events.add(atMs, () => take({ number, index, bytes }));
    }
    windowMax = Math.max(windowMax, sender.window);
    events.add(sender.probeAtMs, send);
  };
  const tell = (): void => {
    if (nowMs < receiver.ackAtMs) return;
    const acknowledgement: Acknowledgement = receiver.acknowledge();
    for (const atMs of back.arrivals(nowMs)) {
      events.add(atMs, () => {
        sender.acknowledged(acknowledgement, nowMs);
        send();
      });
    }
  };
  const take = (part: { number: number; index: number; bytes: Uint8Array }): void => {
    receiver.take(part, nowMs);
    events.add(receiver.ackAtMs, tell);
  };
  events.add(0, send);
  for (let next = events.next(); next !== undefined && !sender.done; next = events.next()) {
    nowMs = next.atMs;
    if (nowMs > GIVE_UP_MS) break;
    next.run();
  }
  return {
    whole: receiver.whole && sender.done,
    identical: receiver.bytes.every((byte, index) => byte === picture[index]),
    tookMs: nowMs,
    parts: partCount(size),
    sent: sender.sent,
    windowMax,
  };
}

/** One way through the network. */
class Direction {
  readonly #network: Network;
  readonly #random: Random;
  #freeAtMs = 0;

  constructor(network: Network, random: Random) {
    this.#network = network;
    this.#random = random;
  }

  /** When a datagram that is sent now arrives: never, once or twice. */
  arrivals(nowMs: number): number[] {
    const { loss = 0, duplicates = 0, late = 0, delayMs = 0, narrow, endMs = Infinity } = this.#network;
    if (nowMs >= endMs || this.#random() < loss) return [];
    let queuedMs = 0;
    if (narrow !== undefined) {
      queuedMs = Math.max(0, this.#freeAtMs - nowMs);
      if (queuedMs * narrow.rate >= narrow.queue) return [];
      queuedMs += 1 / narrow.rate;
      this.#freeAtMs = nowMs + queuedMs;
    }
    const arrival = (): number => nowMs + queuedMs + delayMs * (this.#random() < late ? 1 + this.#random() : 1) + 0.1;
    return this.#random() < duplicates ? [arrival(), arrival()] : [arrival()];
  }
}

/** What happens when: a heap. */
class Timeline {
  readonly #heap: { readonly atMs: number; readonly order: number; readonly run: () => void }[] = [];
  #order = 0;

  add(atMs: number, run: () => void): void {
    if (atMs === Infinity) return;
    const heap = this.#heap;
    let at = heap.push({ atMs, order: this.#order++, run }) - 1;
    for (let up = (at - 1) >> 1; at > 0 && this.#before(at, up); up = (at - 1) >> 1) {
      this.#swap(at, up);
      at = up;
    }
  }

  next(): { readonly atMs: number; readonly run: () => void } | undefined {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    heap[0] = last;
    for (let at = 0;;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      const child = right < heap.length && this.#before(right, left) ? right : left;
      if (child >= heap.length || !this.#before(child, at)) return first;
      this.#swap(at, child);
      at = child;
    }
  }

  #before(one: number, other: number): boolean {
    const [a, b] = [this.#heap[one], this.#heap[other]];
    return a !== undefined && b !== undefined && (a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order));
  }

  #swap(one: number, other: number): void {
    const [a, b] = [this.#heap[one], this.#heap[other]];
    if (a !== undefined && b !== undefined) [this.#heap[one], this.#heap[other]] = [b, a];
  }
}
