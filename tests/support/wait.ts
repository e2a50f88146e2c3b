/**
 * Waiting for something to become true, with a deadline.
 * @module
 */

/** Calls `check` until it gives something other than undefined or false; fails after `waitMs`, saying what was waited for. */
export async function eventually<T>(
  what: string,
  check: () => T | undefined | false | Promise<T | undefined | false>,
  waitMs = 15_000,
): Promise<T> {
  const end = performance.now() + waitMs;
  while (true) {
    const value = await check();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > end) throw new Error(`Waited ${waitMs} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
