/**
 * Writes lines of a log, many at a time: a search is answered in less time than a write takes.
 * @module
 */

/** How long a line may wait for others. */
const PAUSE_MS = 50;

/** A log that is written in batches; closing it writes what is left. */
export class LineLog implements Disposable {
  readonly #target: { writeSync(bytes: Uint8Array): number };
  #lines: string[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(target: { writeSync(bytes: Uint8Array): number }) {
    this.#target = target;
  }

  /** Writes a line soon. */
  write(line: string): void {
    this.#lines.push(line);
    this.#timer ??= setTimeout(() => this.#flush(), PAUSE_MS);
  }

  [Symbol.dispose](): void {
    this.#flush();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lines.length === 0) return;
    const bytes = new TextEncoder().encode(this.#lines.splice(0).join("\n") + "\n");
    try {
      for (let done = 0; done < bytes.length;) done += this.#target.writeSync(bytes.subarray(done));
    } catch (thrown) {
      // Nobody reads the log any more. The index does not live for it.
      if (!(thrown instanceof Deno.errors.BrokenPipe)) throw thrown;
    }
  }
}
