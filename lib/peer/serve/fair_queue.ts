/**
 * Decides which receivers are sent to now: a bounded number at once, the others wait in line. Peers and their addresses get turns one after the other, and a turn ends while
 * others wait: after a while, or as soon as the receiver reads too slowly (upload_turn.ts). Called by host.ts, dialect_host.ts and inbox.ts.
 * @module
 */

import { addressShare } from "../../core/address.ts";
import { type Clock, systemClock } from "../../core/flow/clock.ts";
import {
  QUEUED_EVERY_MS,
  UPLOAD_SLOT_BYTES_PER_SECOND,
  UPLOAD_TURNS_KEPT_MAX,
  UPLOADS_ASIDE_MAX,
} from "../../core/limits.ts";
import { UploadTurn } from "./upload_turn.ts";

/** How often turns are judged while others wait. */
const JUDGE_EVERY_MS = 500;

/** Called with how many are before one that waits. A failure means that it has disconnected. */
export type TellPlace = (before: number) => Promise<void>;

/** A peer that asks for an upload, by its key and its address. */
export interface Asker {
  readonly key: string;
  readonly address: string;
}

/** One that waits, as the order of the line sees it. */
export interface InLine {
  readonly asker: Asker;
  /** Slots that its key and its address hold now. */
  readonly held: { readonly key: number; readonly address: number };
  /** Turns that they have had since there is a line. */
  readonly turns: { readonly key: number; readonly address: number };
}

/**
 * Those that wait, next first: those come first whose key or address holds the fewest slots, then those who have had the fewest turns; among equals
 * the order of `waiting`, in which they came.
 */
export function inOrder<W extends InLine>(waiting: readonly W[]): W[] {
  const most = ({ key, address }: { key: number; address: number }): number => Math.max(key, address);
  return waiting.toSorted((a, b) => {
    return most(a.held) - most(b.held) || a.held.key - b.held.key || most(a.turns) - most(b.turns) ||
      a.turns.key - b.turns.key;
  });
}

/**
 * Slots that a peer has at its own limit: no more than such as give each receiver a piece in about a second, so that others have it soon and can give it on.
 *
 * @param slots What its owner wants at most.
 * @param bytesPerSecond The peer's own limit; undefined when it has none.
 */
export function slotsAt(slots: number, bytesPerSecond: number | undefined): number {
  return Math.max(1, Math.min(slots, Math.round((bytesPerSecond ?? Infinity) / UPLOAD_SLOT_BYTES_PER_SECOND)));
}

interface Waiting {
  readonly asker: Asker;
  readonly tell: TellPlace;
  readonly start: (turn: UploadTurn) => void;
  readonly giveUp: (thrown: unknown) => void;
  told: number | undefined;
}

/** Slots for large uploads, and the line before them. */
export class UploadLine {
  readonly #slots: number;
  readonly #clock: Clock;
  /** In order of arrival. */
  readonly #waiting: Waiting[] = [];
  /** Turns that hold a slot. */
  readonly #running = new Map<UploadTurn, Asker>();
  /** Turns that have given their slot to others and finish a piece, the oldest first. */
  readonly #aside = new Set<UploadTurn>();
  readonly #turns = { key: new Turns(), address: new Turns() };
  #telling: ReturnType<typeof setInterval> | undefined;
  #judging: ReturnType<typeof setInterval> | undefined;

  constructor(slots: number, clock: Clock = systemClock) {
    this.#slots = slots;
    this.#clock = clock;
  }

  /** How many wait. */
  get size(): number {
    return this.#waiting.length;
  }

  /** Whether one that asks now has to wait. */
  get isFull(): boolean {
    return this.#running.size >= this.#slots || this.#waiting.length > 0;
  }

  /** Waits for a slot. Fails: as `tell` does. */
  async take({ key, address }: Asker, tell: TellPlace): Promise<UploadTurn> {
    const asker = { key, address: addressShare(address) };
    return this.isFull ? await this.#wait(asker, tell) : this.#begin(asker);
  }

  #begin(asker: Asker): UploadTurn {
    const turn = new UploadTurn(this.#clock, () => {
      this.#aside.delete(turn);
      if (this.#running.delete(turn)) this.#next();
    });
    this.#running.set(turn, asker);
    return turn;
  }

  #wait(asker: Asker, tell: TellPlace): Promise<UploadTurn> {
    this.#turns.key.enter(asker.key, this.#waiting.map((each) => each.asker.key));
    this.#turns.address.enter(asker.address, this.#waiting.map((each) => each.asker.address));
    this.#telling ??= setInterval(() => this.#tellPlaces({ all: true }), QUEUED_EVERY_MS);
    this.#judging ??= setInterval(() => this.#judge(), JUDGE_EVERY_MS);
    return new Promise((start, giveUp) => {
      this.#waiting.push({ asker, tell, start, giveUp, told: undefined });
      this.#tellPlaces({ all: false });
    });
  }

  /** Gives a free slot to the next in line. */
  #next(): void {
    const [next] = this.#inOrder();
    if (next === undefined || this.#running.size >= this.#slots) return;
    this.#turns.key.count(next.asker.key);
    this.#turns.address.count(next.asker.address);
    this.#leave(next);
    next.start(this.#begin(next.asker));
    this.#tellPlaces({ all: false });
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

  /** Gives a turn's slot to the next in line while the turn finishes its piece. */
  #stepAside(turn: UploadTurn): void {
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

  #tellPlaces({ all }: { all: boolean }): void {
    this.#inOrder().forEach((waiting, before) => {
      if (!all && waiting.told === before) return;
      waiting.told = before;
      waiting.tell(before).catch((thrown) => {
        if (!this.#waiting.includes(waiting)) return;
        this.#leave(waiting);
        waiting.giveUp(thrown);
      });
    });
  }

  #leave(waiting: Waiting): void {
    this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
    if (this.#waiting.length > 0) return;
    clearInterval(this.#telling);
    clearInterval(this.#judging);
    this.#telling = this.#judging = undefined;
    this.#turns.key.clear();
    this.#turns.address.clear();
  }
}

/** Turns had since there is a line, of all who have waited in it. The one that came first is forgotten first. */
class Turns {
  readonly #counts = new Map<string, number>();

  of(who: string): number {
    return this.#counts.get(who) ?? 0;
  }

  /** A newcomer begins beside those of the line that have had the fewest turns, neither before nor behind them. */
  enter(who: string, line: readonly string[]): void {
    if (this.#counts.has(who)) return;
    this.#counts.set(who, line.length === 0 ? 0 : Math.min(...line.map((each) => this.of(each))));
    const [first] = this.#counts.keys();
    if (this.#counts.size > UPLOAD_TURNS_KEPT_MAX && first !== undefined) this.#counts.delete(first);
  }

  count(who: string): void {
    this.#counts.set(who, this.of(who) + 1);
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
