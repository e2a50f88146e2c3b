/**
 * Ends waits that take too long. There are as many as connections, and most of them end in time.
 * Waits of the same length end in the order in which they began, so one timer serves all of them. A
 * timer for each wait would take half a kilobyte on every idle connection, and a twentieth of the
 * time that an index has for a search. Called by connection.ts.
 *
 * When a program was stopped, or a busy machine did not run it, all timers fire at once when it
 * continues. It then reads what has arrived before anybody counts as late.
 * @module
 */

/** A timer that fires this much too late shows that the whole program was held up. */
const HELD_UP_MS = 250;
/** Time to read what has arrived meanwhile. */
const CATCH_UP_MS = 100;
/** How often in a row that time is granted: on a machine that is always late, waits still end. */
const CATCH_UPS_MAX = 3;

/** Lengths of waits that keep a timer although nobody waits for so long now. */
const IDLE_LENGTHS_MAX = 8;

/** Waits of a few different lengths. */
export class Deadlines<T extends object> {
  readonly #onLate: (member: T, waitMs: number) => void;
  readonly #queues = new Map<number, Queue<T>>();
  /** The members that may begin another wait. */
  readonly #members = new Set<T>();

  /** `onLate` is called with each member that has waited too long. Its wait is then over. */
  constructor(onLate: (member: T, waitMs: number) => void) {
    this.#onLate = onLate;
  }

  /** Begins a wait, or begins it again. Its timer may run until {@linkcode leave} is called. */
  start(member: T, waitMs: number): void {
    this.#members.add(member);
    let queue = this.#queues.get(waitMs);
    if (queue === undefined) {
      queue = { ends: new Map(), timer: undefined, dueMs: 0, catchUps: 0 };
      this.#queues.set(waitMs, queue);
    }
    queue.ends.delete(member);
    queue.ends.set(member, performance.now() + waitMs);
    if (queue.timer === undefined) this.#lookIn(waitMs, waitMs, queue);
  }

  /**
   * Ends a wait in time. Its timer keeps running: the next message is usually awaited soon, and
   * starting a timer costs more than keeping one.
   */
  stop(member: T, waitMs: number): void {
    const queue = this.#queues.get(waitMs);
    if (queue?.ends.delete(member) === true && queue.ends.size === 0 && this.#queues.size > IDLE_LENGTHS_MAX) {
      this.#end(waitMs, queue);
    }
  }

  /**
   * Ends all waits of a member that begins no more. When the last member leaves, no timer is left.
   */
  leave(member: T): void {
    if (!this.#members.delete(member)) return;
    for (const [waitMs, queue] of this.#queues) {
      queue.ends.delete(member);
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
    for (const [member, endMs] of queue.ends) {
      const leftMs = endMs - performance.now();
      if (leftMs > 0) return this.#lookIn(leftMs, waitMs, queue);
      queue.ends.delete(member);
      this.#onLate(member, waitMs);
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
  /** When the timer should fire. */
  dueMs: number;
  /** How often in a row it fired too late. */
  catchUps: number;
}
