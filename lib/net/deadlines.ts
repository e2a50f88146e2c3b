/**
 * Ends waits that take too long: as many as there are connections, most of them over before their time. Waits of the same length end in the order in
 * which they began, so one timer does for all of them. A timer for each wait took half a kilobyte on every idle connection, and a twentieth of
 * the time that an index has for a search. Called by connection.ts.
 *
 * A program that was stopped, or that a busy machine did not let run, finds all timers over at once when it goes on. What has arrived meanwhile is
 * read before anybody counts as late.
 * @module
 */

/** So much later than it should a timer only fires when the whole program was held up. */
const HELD_UP_MS = 250;
/** Time to read what has arrived meanwhile. */
const CATCH_UP_MS = 100;
/** How often in a row that is granted: on a machine that is always late, waits still end. */
const CATCH_UPS_MAX = 3;

/** Lengths of waits that have a timer although nobody waits so long now. */
const IDLE_LENGTHS_MAX = 8;

/** Waits of any few lengths. */
export class Deadlines<T extends object> {
  readonly #onLate: (who: T, waitMs: number) => void;
  readonly #queues = new Map<number, Queue<T>>();
  /** Those who may begin another wait. */
  readonly #members = new Set<T>();

  /** `onLate` is called for whoever has waited too long, and waits no more. */
  constructor(onLate: (who: T, waitMs: number) => void) {
    this.#onLate = onLate;
  }

  /** Begins a wait, or begins it again. Its timer may run until {@linkcode leave} is called. */
  start(who: T, waitMs: number): void {
    this.#members.add(who);
    let queue = this.#queues.get(waitMs);
    if (queue === undefined) {
      queue = { ends: new Map(), timer: undefined, dueMs: 0, catchUps: 0 };
      this.#queues.set(waitMs, queue);
    }
    queue.ends.delete(who);
    queue.ends.set(who, performance.now() + waitMs);
    if (queue.timer === undefined) this.#lookIn(waitMs, waitMs, queue);
  }

  /** Ends a wait in time. Its timer keeps running, because the next message is usually awaited soon, and starting a timer costs more than keeping one. */
  stop(who: T, waitMs: number): void {
    const queue = this.#queues.get(waitMs);
    if (queue?.ends.delete(who) === true && queue.ends.size === 0 && this.#queues.size > IDLE_LENGTHS_MAX) {
      this.#end(waitMs, queue);
    }
  }

  /** Ends all waits of one who begins no more. With the last one, no timer is left. */
  leave(who: T): void {
    if (!this.#members.delete(who)) return;
    for (const [waitMs, queue] of this.#queues) {
      queue.ends.delete(who);
      if (this.#members.size === 0) this.#end(waitMs, queue);
    }
  }

  #lookIn(ms: number, waitMs: number, queue: Queue<T>): void {
    queue.dueMs = performance.now() + ms;
    queue.timer = setTimeout(() => this.#look(waitMs, queue), ms);
  }

  #look(waitMs: number, queue: Queue<T>): void {
    const isHeldUp = performance.now() - queue.dueMs > HELD_UP_MS;
    if (isHeldUp && queue.catchUps < CATCH_UPS_MAX) {
      queue.catchUps += 1;
      return this.#lookIn(CATCH_UP_MS, waitMs, queue);
    }
    queue.catchUps = 0;
    for (const [who, endMs] of queue.ends) {
      const leftMs = endMs - performance.now();
      if (leftMs > 0) return this.#lookIn(leftMs, waitMs, queue);
      queue.ends.delete(who);
      this.#onLate(who, waitMs);
    }
    if (this.#queues.get(waitMs) === queue) this.#queues.delete(waitMs);
  }

  #end(waitMs: number, queue: Queue<T>): void {
    clearTimeout(queue.timer);
    this.#queues.delete(waitMs);
  }
}

/** Waits of one length: when each ends, in that order. */
interface Queue<T> {
  readonly ends: Map<T, number>;
  timer: ReturnType<typeof setTimeout> | undefined;
  /** When the timer is to fire. */
  dueMs: number;
  /** How often in a row it fired too late. */
  catchUps: number;
}
