/**
 * One download at a time for each content: two would write the same unfinished file, and fetch the
 * same bytes twice. Called by fetch_file.ts and fetch_folder.ts.
 * @module
 */

import { onAbort } from "../../core/flow/on_abort.ts";
import type { Content } from "../../transfer/content/content.ts";

/** Turns by content: the transfers of one content wait for each other, in order. */
export class ContentTurns {
  /** For each key in use, the transfers that wait, in order. Undefined as long as none does. */
  readonly #waiting = new Map<string, Set<() => void> | undefined>();

  /**
   * Waits until no other transfer fetches the content.
   *
   * @returns The turn. Disposing of it lets the next transfer go on.
   * @throws The reason of the signal, when that is aborted first.
   */
  async take(content: Content, signal: AbortSignal): Promise<Disposable> {
    using stack = new DisposableStack();
    for (const key of keysOf(content)) stack.use(await this.#take(key, signal));
    return stack.move();
  }

  /** Takes a turn without waiting; undefined when another transfer fetches the content. */
  takeIfFree(content: Content): Disposable | undefined {
    const keys = keysOf(content);
    if (keys.some((key) => this.#waiting.has(key))) return undefined;
    for (const key of keys) this.#waiting.set(key, undefined);
    return { [Symbol.dispose]: () => keys.forEach((key) => this.#next(key)) };
  }

  /** Whether a transfer fetches the content, or waits for it. */
  isTaken(content: Content): boolean {
    return keysOf(content).some((key) => this.#waiting.has(key));
  }

  async #take(key: string, signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    if (!this.#waiting.has(key)) return this.#hold(key);
    const line = this.#waiting.get(key) ?? new Set();
    this.#waiting.set(key, line);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    line.add(resolve);
    using _leaving = onAbort(signal, () => {
      line.delete(resolve);
      reject(signal.reason);
    });
    await promise;
    return { [Symbol.dispose]: () => this.#next(key) };
  }

  #hold(key: string): Disposable {
    this.#waiting.set(key, undefined);
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
 * The names that the unfinished file of a content may have. They are always in the same order, so
 * that no two transfers wait for each other. A file that was begun before its root was known is
 * continued under its root.
 */
function keysOf({ name, size, root }: Content): string[] {
  const byName = JSON.stringify([name, size]);
  return root === undefined ? [byName] : [byName, root];
}
