/**
 * Time for simulations: it passes from one event to the next, in no time.
 * @module
 */

import type { Clock } from "../../lib/core/flow/clock.ts";

interface Event {
  readonly atMs: number;
  /** Events of one moment happen in the order in which they were planned. */
  readonly order: number;
  readonly run: () => void;
}

/** A clock that jumps to whatever happens next. The events are a binary heap, the soonest first. */
export class VirtualTime implements Clock {
  readonly #events: Event[] = [];
  #nowMs = 0;
  #order = 0;

  now(): number {
    return this.#nowMs;
  }

  delay(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /** Plans an event. */
  after(ms: number, run: () => void): void {
    const event = { atMs: this.#nowMs + Math.max(0, ms), order: this.#order++, run };
    let at = this.#events.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = this.#events[parent];
      if (above === undefined || isSooner(above, event)) break;
      this.#events[at] = above;
      at = parent;
    }
    this.#events[at] = event;
  }

  /**
   * Lets the next event happen.
   *
   * @returns Whether there was one.
   */
  step(): boolean {
    const [first] = this.#events;
    const last = this.#events.pop();
    if (first === undefined || last === undefined) return false;
    if (this.#events.length > 0) this.#sink(last);
    this.#nowMs = first.atMs;
    first.run();
    return true;
  }

  #sink(event: Event): void {
    let at = 0;
    while (true) {
      const [left, right] = [this.#events[2 * at + 1], this.#events[2 * at + 2]];
      if (left === undefined) break;
      const [below, child] = right !== undefined && isSooner(right, left) ? [right, 2 * at + 2] : [left, 2 * at + 1];
      if (isSooner(event, below)) break;
      this.#events[at] = below;
      at = child;
    }
    this.#events[at] = event;
  }
}

function isSooner(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
