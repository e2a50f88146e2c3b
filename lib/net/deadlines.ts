/**
 * Ends waits that take too long: as many as there are connections, most of them over before their time. Waits of the same length end in the order in
 * which they began, so one timer does for all of them. A timer for each wait took half a kilobyte on every idle connection, and a twentieth of
 * the time that an index has for a search. Called by connection.ts.
 * @module
 */

/** Waits of any few lengths. */
export class Deadlines<T extends object> {
  readonly #onLate: (who: T, waitMs: number) => void;
  readonly #queues = new Map<number, Queue<T>>();

  /** `onLate` is called for whoever has waited too long, and waits no more. */
  constructor(onLate: (who: T, waitMs: number) => void) {
    this.#onLate = onLate;
  }

  /** Begins a wait; for one who waits so long already, anew. */
  start(who: T, waitMs: number): void {
    const queue = this.#queues.get(waitMs) ?? { ends: new Map<T, number>(), timer: undefined };
    this.#queues.set(waitMs, queue);
    queue.ends.delete(who);
    queue.ends.set(who, performance.now() + waitMs);
    queue.timer ??= setTimeout(() => this.#look(waitMs, queue), waitMs);
  }

  /** Ends a wait in time. */
  stop(who: T, waitMs: number): void {
    const queue = this.#queues.get(waitMs);
    if (queue?.ends.delete(who) !== true || queue.ends.size > 0) return;
    clearTimeout(queue.timer);
    this.#queues.delete(waitMs);
  }

  #look(waitMs: number, queue: Queue<T>): void {
    for (const [who, endMs] of queue.ends) {
      const leftMs = endMs - performance.now();
      if (leftMs > 0) {
        queue.timer = setTimeout(() => this.#look(waitMs, queue), leftMs);
        return;
      }
      queue.ends.delete(who);
      this.#onLate(who, waitMs);
    }
    if (this.#queues.get(waitMs) === queue) this.#queues.delete(waitMs);
  }
}

/** Waits of one length: when each ends, in that order. */
interface Queue<T> {
  readonly ends: Map<T, number>;
  timer: ReturnType<typeof setTimeout> | undefined;
}
