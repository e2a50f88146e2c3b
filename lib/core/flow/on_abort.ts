/**
 * Does something when a signal is aborted, for as long as it matters.
 * @module
 */

/**
 * Calls `action` when the signal is aborted, and at once when it already is.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { onAbort } from "./on_abort.ts";
 * const calls: string[] = [];
 * const [first, second] = [new AbortController(), new AbortController()];
 * {
 *   using _first = onAbort(first.signal, () => calls.push("first"));
 *   using _second = onAbort(second.signal, () => calls.push("second"));
 *   first.abort();
 * }
 * second.abort();
 * assertEquals(calls, ["first"]);
 * ```
 *
 * @param signal Undefined when there is nothing that could be aborted.
 * @returns What has to be disposed of when the signal no longer matters.
 */
export function onAbort(signal: AbortSignal | undefined, action: () => void): Disposable {
  if (signal?.aborted === true) action();
  else signal?.addEventListener("abort", action, { once: true });
  return { [Symbol.dispose]: () => signal?.removeEventListener("abort", action) };
}

/**
 * Waits for a promise, but no longer when the signal is aborted.
 *
 * @returns What the promise gives; undefined when the signal is aborted first.
 */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  const over = Promise.withResolvers<undefined>();
  using _aborting = onAbort(signal, () => over.resolve(undefined));
  return await Promise.race([promise, over.promise]);
}
