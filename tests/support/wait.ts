/**
 * Waiting for something to become true, with a deadline.
 * @module
 */

/** Much longer than anything here takes on a busy machine: only what never comes is to fail. */
const WAIT_MS = 120_000;
/** A pause that lasts longer than this was not ours: the machine had other things to do. */
const PAUSE_MS_MAX = 100;

/**
 * Calls `check` until it gives something other than undefined or false; fails after `waitMs`,
 * saying what was waited for. Time in which this process was held up, and so could not look, does
 * not count.
 */
export async function eventually<T>(
  what: string,
  check: () => T | undefined | false | Promise<T | undefined | false>,
  waitMs = WAIT_MS,
): Promise<T> {
  let end = performance.now() + waitMs;
  while (true) {
    const value = await check();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > end) throw new Error(`Waited ${waitMs} ms in vain: ${what}`);
    const pausedMs = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 20));
    end += Math.max(0, performance.now() - pausedMs - PAUSE_MS_MAX);
  }
}
