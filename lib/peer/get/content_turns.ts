/**
 * One download at a time for each content: two would write the same unfinished file, and fetch the same bytes twice. Called by
 * fetch_file.ts and fetch_folder.ts.
 * @module
 */

import type { Content } from "../../transfer/content/content.ts";

/** Turns by content: of those who want the same one, each waits for those before it. */
export class ContentTurns {
  /** For each key in use, those who wait, in order. */
  readonly #waiting = new Map<string, Set<() => void>>();

  /**
   * Waits until nobody else fetches the content, and keeps others from it until what this gives is disposed of.
   *
   * @throws The reason of the signal, when that comes first.
   */
  async take(content: Content, signal: AbortSignal): Promise<Disposable> {
    using stack = new DisposableStack();
    for (const key of keysOf(content)) stack.use(await this.#take(key, signal));
    return stack.move();
  }

  /** The same without waiting; undefined when somebody else fetches the content. */
  takeIfFree(content: Content): Disposable | undefined {
    const keys = keysOf(content);
    if (keys.some((key) => this.#waiting.has(key))) return undefined;
    for (const key of keys) this.#waiting.set(key, new Set());
    return { [Symbol.dispose]: () => keys.forEach((key) => this.#next(key)) };
  }

  /** Whether somebody fetches the content, or waits for it. */
  isTaken(content: Content): boolean {
    return keysOf(content).some((key) => this.#waiting.has(key));
  }

  async #take(key: string, signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    const line = this.#waiting.get(key);
    if (line === undefined) return this.#hold(key);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = (): void => {
      line.delete(resolve);
      reject(signal.reason);
    };
    line.add(resolve);
    signal.addEventListener("abort", leave);
    try {
      await promise;
    } finally {
      signal.removeEventListener("abort", leave);
    }
    return { [Symbol.dispose]: () => this.#next(key) };
  }

  #hold(key: string): Disposable {
    this.#waiting.set(key, new Set());
    return { [Symbol.dispose]: () => this.#next(key) };
  }

  #next(key: string): void {
    const line = this.#waiting.get(key);
    const [first] = line ?? [];
    if (first === undefined) return void this.#waiting.delete(key);
    line?.delete(first);
    first();
  }
}

/**
 * What a content's unfinished file may be called by, always in the same order, so that no two wait for each other. What was begun before its
 * root was known is continued under its root.
 */
function keysOf({ name, size, root }: Content): string[] {
  const byName = JSON.stringify([name, size]);
  return root === undefined ? [byName] : [byName, root];
}
