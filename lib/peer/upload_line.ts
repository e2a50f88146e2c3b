/**
 * Who may be sent to now: so many at once, the others in a line. Turns go round the peers, not to who asks most: next is who has had the
 * fewest turns, among equals who has waited longest. Called by host.ts.
 * @module
 */

import { QUEUED_EVERY_MS, UPLOAD_TURNS_KEPT_MAX } from "../core/limits.ts";

/** Told how many are before one who waits. A failure means that he is gone. */
export type TellPlace = (before: number) => Promise<void>;

interface Waiting {
  readonly peer: string;
  readonly tell: TellPlace;
  readonly start: () => void;
  readonly giveUp: (thrown: unknown) => void;
  told: number | undefined;
}

/** Slots for large uploads, and the line before them. */
export class UploadLine {
  #free: number;
  /** In order of arrival. */
  readonly #waiting: Waiting[] = [];
  /** Turns had since there is a line, of everybody who has waited in it. Who came first is forgotten first. */
  readonly #turns = new Map<string, number>();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(slots: number) {
    this.#free = slots;
  }

  /** How many wait. */
  get size(): number {
    return this.#waiting.length;
  }

  /** Waits for a slot. Shape: what gives it back. Fails: as `tell` does. */
  async take(peer: string, tell: TellPlace): Promise<Disposable> {
    if (this.#free > 0 && this.#waiting.length === 0) this.#free -= 1;
    else await this.#wait(peer, tell);
    let given = false;
    return {
      [Symbol.dispose]: () => {
        if (!given) this.#giveBack();
        given = true;
      },
    };
  }

  #wait(peer: string, tell: TellPlace): Promise<void> {
    if (!this.#turns.has(peer)) this.#turns.set(peer, this.#fewest());
    const [first] = this.#turns.keys();
    if (this.#turns.size > UPLOAD_TURNS_KEPT_MAX && first !== undefined) this.#turns.delete(first);
    this.#timer ??= setInterval(() => this.#tellPlaces({ all: true }), QUEUED_EVERY_MS);
    return new Promise((start, giveUp) => {
      this.#waiting.push({ peer, tell, start, giveUp, told: undefined });
      this.#tellPlaces({ all: false });
    });
  }

  #giveBack(): void {
    const [next] = this.#inOrder();
    if (next === undefined) {
      this.#free += 1;
      return;
    }
    this.#turns.set(next.peer, (this.#turns.get(next.peer) ?? 0) + 1);
    this.#leave(next);
    next.start();
    this.#tellPlaces({ all: false });
  }

  /** Who waits, next first. */
  #inOrder(): Waiting[] {
    return this.#waiting.toSorted((a, b) => (this.#turns.get(a.peer) ?? 0) - (this.#turns.get(b.peer) ?? 0));
  }

  /** Newcomers begin beside those who have had the fewest turns, neither before nor behind them. */
  #fewest(): number {
    const turns = this.#waiting.map(({ peer }) => this.#turns.get(peer) ?? 0);
    return turns.length === 0 ? 0 : Math.min(...turns);
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
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#turns.clear();
  }
}
