/**
 * Notices when bytes that should move do not. One timer serves a whole body, however many reads and
 * writes that takes: a timer for each of them took four percent of a download's time.
 * @module
 */

/** Calls back once nothing has moved for a while. */
export class Watchdog implements Disposable {
  readonly #waitMs: number;
  readonly #onStall: () => void;
  #movedMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(waitMs: number, onStall: () => void) {
    this.#waitMs = waitMs;
    this.#onStall = onStall;
  }

  /** Notes that bytes have moved. The first call begins to watch. */
  moved(): void {
    this.#movedMs = performance.now();
    this.#timer ??= setTimeout(() => this.#look(), this.#waitMs);
  }

  /** Stops watching until bytes move again. */
  [Symbol.dispose](): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    const leftMs = this.#movedMs + this.#waitMs - performance.now();
    this.#timer = leftMs > 0 ? setTimeout(() => this.#look(), leftMs) : undefined;
    if (this.#timer === undefined) this.#onStall();
  }
}
