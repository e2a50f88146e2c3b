/**
 * A fair queue for transfers: a bounded number run at once and the others wait. Peers and their
 * addresses get turns one after the other. While others wait, a turn ends after some time, or as
 * soon as its receiver reads too slowly (queue_turn.ts). Used by uploads.ts for the files that this
 * peer sends, and by lib/peer/inbox for those that it receives.
 * @module
 */

import { addressShare } from "../../core/address.ts";
import { BoundedMap } from "../../core/bounded_map.ts";
import { type Clock, systemClock } from "../../core/flow/clock.ts";
import { QUEUED_EVERY_MS, UPLOAD_TURNS_KEPT_MAX, UPLOADS_ASIDE_MAX } from "../../core/limits.ts";
import { QueueTurn } from "./queue_turn.ts";

/** How often turns are judged while others wait. */
const JUDGE_EVERY_MS = 500;

/**
 * Called with how many are before a peer that waits. A failure means that the peer has
 * disconnected.
 */
export type ReportPlace = (before: number) => Promise<void>;

/** A peer that wants a slot, by its key and its address. */
export interface Asker {
  readonly key: string;
  readonly address: string;
}

/** A peer that waits, with what decides its place. */
export interface InQueue {
  readonly asker: Asker;
  /** Slots that its key and its address have now. */
  readonly held: { readonly key: number; readonly address: number };
  /** Turns that its key and its address have had since the queue was last empty. */
  readonly turns: { readonly key: number; readonly address: number };
}

/**
 * Sorts those that wait. First come those with the fewest slots of their key or
 * address, then those that have had the fewest turns.
 *
 * @param waiting In order of arrival, which decides among equals.
 * @returns The same, next first.
 */
export function inOrder<W extends InQueue>(waiting: readonly W[]): W[] {
  const most = ({ key, address }: { key: number; address: number }): number => Math.max(key, address);
  return waiting.toSorted((a, b) => {
    return most(a.held) - most(b.held) || a.held.key - b.held.key || most(a.turns) - most(b.turns) ||
      a.turns.key - b.turns.key;
  });
}

interface Waiting {
  readonly asker: Asker;
  readonly report: ReportPlace;
  readonly start: (turn: QueueTurn) => void;
  readonly giveUp: (thrown: unknown) => void;
  /** The place that was reported last. */
  reported: number | undefined;
}

/** Slots, and the queue for them. */
export class FairQueue {
  readonly #slots: number;
  readonly #clock: Clock;
  /** In order of arrival. */
  readonly #waiting: Waiting[] = [];
  /** Turns that have a slot. */
  readonly #running = new Map<QueueTurn, Asker>();
  /** Turns that have given their slot to others and finish a piece, the oldest first. */
  readonly #aside = new Set<QueueTurn>();
  readonly #turns = { key: new TurnCounts(), address: new TurnCounts() };
  #reporting: ReturnType<typeof setInterval> | undefined;
  #judging: ReturnType<typeof setInterval> | undefined;

  /** @param slots How many transfers run at once. */
  constructor(slots: number, clock: Clock = systemClock) {
    this.#slots = slots;
    this.#clock = clock;
  }

  /** How many wait. */
  get size(): number {
    return this.#waiting.length;
  }

  /** Whether a peer that asks for a slot now has to wait. */
  get isFull(): boolean {
    return this.#running.size >= this.#slots || this.#waiting.length > 0;
  }

  /**
   * Waits for a slot.
   *
   * @returns The turn, which has to be disposed of.
   * @throws {Failure} The failure of `report`, when that fails while the peer waits.
   */
  async take({ key, address }: Asker, report: ReportPlace): Promise<QueueTurn> {
    const asker = { key, address: addressShare(address) };
    return this.isFull ? await this.#wait(asker, report) : this.#begin(asker);
  }

  #begin(asker: Asker): QueueTurn {
    const turn = new QueueTurn(this.#clock, () => {
      this.#aside.delete(turn);
      if (this.#running.delete(turn)) this.#next();
    });
    this.#running.set(turn, asker);
    return turn;
  }

  #wait(asker: Asker, report: ReportPlace): Promise<QueueTurn> {
    this.#turns.key.enter(asker.key, this.#waiting.map((each) => each.asker.key));
    this.#turns.address.enter(asker.address, this.#waiting.map((each) => each.asker.address));
    this.#reporting ??= setInterval(() => this.#reportPlaces({ all: true }), QUEUED_EVERY_MS);
    this.#judging ??= setInterval(() => this.#judge(), JUDGE_EVERY_MS);
    return new Promise((start, giveUp) => {
      this.#waiting.push({ asker, report, start, giveUp, reported: undefined });
      this.#reportPlaces({ all: false });
    });
  }

  /** Gives a free slot to the next in the queue. */
  #next(): void {
    const [next] = this.#inOrder();
    if (next === undefined || this.#running.size >= this.#slots) return;
    this.#turns.key.count(next.asker.key);
    this.#turns.address.count(next.asker.address);
    this.#leave(next);
    next.start(this.#begin(next.asker));
    this.#reportPlaces({ all: false });
  }

  #judge(): void {
    for (const turn of [...this.#running.keys()]) {
      if (this.#waiting.length === 0) return;
      const verdict = turn.judge();
      if (verdict === "goes on") continue;
      turn.end();
      if (verdict === "makes room") this.#stepAside(turn);
    }
  }

  /** Gives a turn's slot to the next in the queue while the turn finishes its piece. */
  #stepAside(turn: QueueTurn): void {
    const [oldest] = this.#aside;
    if (this.#aside.size >= UPLOADS_ASIDE_MAX && oldest !== undefined) {
      this.#aside.delete(oldest);
      oldest.cut();
    }
    this.#running.delete(turn);
    this.#aside.add(turn);
    this.#next();
  }

  #inOrder(): Waiting[] {
    const held = [...this.#running.values()];
    const heldBy = { key: countOf(held.map(({ key }) => key)), address: countOf(held.map(({ address }) => address)) };
    const rows = this.#waiting.map((waiting) => {
      const { key, address } = waiting.asker;
      return {
        waiting,
        asker: waiting.asker,
        held: { key: heldBy.key.get(key) ?? 0, address: heldBy.address.get(address) ?? 0 },
        turns: { key: this.#turns.key.of(key), address: this.#turns.address.of(address) },
      };
    });
    return inOrder(rows).map(({ waiting }) => waiting);
  }

  /** Reports places to the peers that wait: to all, or only to those with a new place. */
  #reportPlaces({ all }: { all: boolean }): void {
    this.#inOrder().forEach((waiting, before) => {
      if (!all && waiting.reported === before) return;
      waiting.reported = before;
      waiting.report(before).catch((thrown) => {
        if (!this.#waiting.includes(waiting)) return;
        this.#leave(waiting);
        waiting.giveUp(thrown);
      });
    });
  }

  #leave(waiting: Waiting): void {
    this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
    if (this.#waiting.length > 0) return;
    clearInterval(this.#reporting);
    clearInterval(this.#judging);
    this.#reporting = this.#judging = undefined;
    this.#turns.key.clear();
    this.#turns.address.clear();
  }
}

/**
 * Turns of all that have waited since the queue was last empty. The one that came first is
 * forgotten first.
 */
class TurnCounts {
  readonly #counts = new BoundedMap<string, { turns: number }>(UPLOAD_TURNS_KEPT_MAX);

  of(name: string): number {
    return this.#counts.get(name)?.turns ?? 0;
  }

  /** Lets a newcomer begin with the fewest turns that anyone in the queue has had. */
  enter(name: string, queue: readonly string[]): void {
    if (this.#counts.has(name)) return;
    this.#counts.set(name, { turns: queue.length === 0 ? 0 : Math.min(...queue.map((each) => this.of(each))) });
  }

  count(name: string): void {
    const count = this.#counts.get(name);
    if (count !== undefined) count.turns += 1;
  }

  clear(): void {
    this.#counts.clear();
  }
}

function countOf(all: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const each of all) counts.set(each, (counts.get(each) ?? 0) + 1);
  return counts;
}
