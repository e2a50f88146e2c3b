/**
 * Decides when the plan of a download is made again although nothing happens: silence is no event.
 * Pure. Called by download.ts.
 * @module
 */

import type { Step } from "./plan.ts";

const TICK_MS = 500;
/** The tick while there are no digests. */
const OPENING_TICK_MS = 100;
/** The shortest wait for a source that may be asked again soon. */
const WAIT_MS_MIN = 10;

/**
 * How long to wait for something to happen.
 *
 * @param restMs The time until each idle source may be asked again.
 */
export function planAgainMs(
  step: Step,
  restMs: readonly number[],
  { isChecked }: { readonly isChecked: boolean },
): number {
  const tickMs = isChecked ? TICK_MS : OPENING_TICK_MS;
  if (step.kind !== "wait") return tickMs;
  return Math.max(WAIT_MS_MIN, Math.min(tickMs, ...restMs.filter((ms) => ms > 0)));
}
