/**
 * Lines for a log, for standard error or for standard output. A line that cannot be written because
 * the disk is full is written later. When nobody reads the stream any more, lines are dropped.
 * Called by lib/shell/screen/output.ts and server.ts.
 * @module
 */

import { Failure } from "../failure.ts";
import { LINES_HELD_MAX } from "../limits.ts";
import { PatientWriter } from "./patient_writer.ts";

/** Where lines go: standard output, standard error, or a file. */
export interface LineTarget {
  writeSync(bytes: Uint8Array): number;
}

/** How lines are written. */
export interface LineStreamOptions {
  /**
   * How many milliseconds a line may wait for others, so that many are written at once. Default:
   * each line is written at once.
   */
  readonly pauseMs?: number | undefined;
  /** The name of the stream in a failure. Default: "standard error". */
  readonly name?: string | undefined;
  /**
   * Makes the line that is written after lines could not be written for a while and `lost` of them
   * were dropped. Default: none.
   */
  readonly afterwards?: ((failure: Failure, lost: number) => string) | undefined;
  /** Called when a line could not be written for the first time and waits. */
  readonly onHeld?: ((failure: Failure) => void) | undefined;
  /** Called once, when nobody reads the stream any more. */
  readonly onClosed?: (() => void) | undefined;
}

/** One stream of lines. Closing it writes what is left. */
export class LineStream implements Disposable {
  readonly #target: LineTarget;
  readonly #options: LineStreamOptions;
  readonly #writer: PatientWriter;
  /** The rest of a batch that is partly written. */
  #begun: Uint8Array = new Uint8Array(0);
  #lines: string[] = [];
  #lost = 0;
  #held: Failure | undefined;
  #isClosed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(target: LineTarget, options: LineStreamOptions = {}) {
    this.#target = target;
    this.#options = options;
    this.#writer = new PatientWriter({
      write: () => this.#writeAll(),
      onHeld: (failure) => {
        this.#held = failure;
        options.onHeld?.(failure);
      },
      onWritten: () => this.#tellAfterwards(),
    });
  }

  /** Why lines wait to be written. Undefined when none waits. */
  get failure(): Failure | undefined {
    return this.#writer.failure;
  }

  /** Writes a line, which may contain line feeds. */
  write(line: string): void {
    if (this.#isClosed) return;
    if (this.#lines.length >= LINES_HELD_MAX) this.#lost += 1;
    else this.#lines.push(line);
    const { pauseMs = 0 } = this.#options;
    if (pauseMs === 0) this.#writer.changed();
    else this.#timer ??= setTimeout(() => this.#flush(), pauseMs);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#writer[Symbol.dispose]();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writer.changed();
  }

  #writeAll(): void {
    try {
      this.#writeBegun();
      if (this.#lines.length === 0) return;
      this.#begun = new TextEncoder().encode(this.#lines.splice(0).join("\n") + "\n");
      this.#writeBegun();
    } catch (thrown) {
      if (!(thrown instanceof Deno.errors.BrokenPipe)) {
        throw Failure.from(thrown, "no-access", `Cannot write on ${this.#options.name ?? "standard error"}`);
      }
      this.#isClosed = true;
      this.#lines = [];
      this.#begun = new Uint8Array(0);
      this.#options.onClosed?.();
    }
  }

  #writeBegun(): void {
    while (this.#begun.length > 0) this.#begun = this.#begun.subarray(this.#target.writeSync(this.#begun));
  }

  #tellAfterwards(): void {
    const [failure, lost] = [this.#held, this.#lost];
    this.#held = undefined;
    this.#lost = 0;
    if (failure === undefined || this.#options.afterwards === undefined || this.#isClosed) return;
    this.write(this.#options.afterwards(failure, lost));
  }
}
