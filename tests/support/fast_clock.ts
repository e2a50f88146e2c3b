/**
 * A clock that runs faster than the machine's, for tests of what would wait for minutes.
 * @module
 */

import { type Clock, systemClock } from "../../lib/core/flow/clock.ts";

/**
 * The longest time between two looks at the clock that counts in full: in a longer one this process
 * was held up.
 */
const STEP_MS = 5;

/**
 * A clock that runs `times` as fast as the machine's, as long as this process runs. On a busy
 * machine, where the process is often held up, the clock goes more slowly: what the code under test
 * waits for in vain, it waits for in vain on any machine.
 */
export function fastClock(times: number): Clock {
  let lookedMs = systemClock.now();
  let elapsedMs = 0;
  const now = (): number => {
    const nowMs = systemClock.now();
    elapsedMs += Math.min(STEP_MS, nowMs - lookedMs) * times;
    lookedMs = nowMs;
    return elapsedMs;
  };
  const delay = async (ms: number, signal?: AbortSignal): Promise<void> => {
    const endMs = now() + ms;
    do await systemClock.delay(Math.min(STEP_MS, Math.max(0, endMs - now()) / times), signal); while (now() < endMs);
  };
  return { now, delay };
}
