/**
 * The one place that decides what a failed write of our own means, whether of a peer's database, a
 * log, notes or results. No such failure ends a program. What cannot be written stays, is reported
 * once, and is tried again until there is room. Called by lib/store/state/state.ts and
 * line_stream.ts.
 * @module
 */

import { backoffMs } from "./backoff.ts";
import { failedWith, type Failure } from "../failure.ts";
import { WRITE_AGAIN_FIRST_MS, WRITE_AGAIN_LAST_MS } from "../limits.ts";

/** What is written, and the callbacks for its failures. */
export interface PatientWrites {
  /**
   * Writes everything that waits to be written, and forgets what is written.
   *
   * @throws {Failure} "disk-full", "no-access" or "busy". What is not written stays.
   */
  write(): void;
  /** Called at the first of several failures. */
  onHeld(failure: Failure): void;
  /** Called when everything is written after a failure. */
  onWritten(): void;
}

/** Carries out writes and survives their failures. */
export class PatientWriter implements Disposable {
  readonly #writes: PatientWrites;
  #failure: Failure | undefined;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(writes: PatientWrites) {
    this.#writes = writes;
  }

  /** Why something waits to be written. Undefined when nothing does. */
  get failure(): Failure | undefined {
    return this.#failure;
  }

  /**
   * Notes that there is something to write. It is written at once, unless an earlier write waits
   * for its next attempt.
   */
  changed(): void {
    if (this.#timer === undefined) this.flush();
  }

  /**
   * Writes now.
   *
   * @throws Anything but a failure of the disk, since that is a bug.
   */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    try {
      this.#writes.write();
    } catch (thrown) {
      if (!failedWith(thrown, "disk-full", "no-access", "busy")) throw thrown;
      this.#hold(thrown);
      return;
    }
    if (this.#failure === undefined) return;
    this.#failure = undefined;
    this.#failures = 0;
    this.#writes.onWritten();
  }

  /** Writes what is left, if that is possible. */
  [Symbol.dispose](): void {
    try {
      this.flush();
    } finally {
      clearTimeout(this.#timer);
    }
  }

  #hold(failure: Failure): void {
    const bounds = { firstMs: WRITE_AGAIN_FIRST_MS, lastMs: WRITE_AGAIN_LAST_MS };
    this.#timer = setTimeout(() => this.flush(), backoffMs(this.#failures++, bounds, Math.random));
    const isFirst = this.#failure === undefined;
    this.#failure = failure;
    if (isFirst) this.#writes.onHeld(failure);
  }
}
