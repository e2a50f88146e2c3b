/**
 * Decides when the plan of a download is made again although nothing happens: silence is no event.
 * Pure. Called by download.ts.
 * @module
 */

import type { Step } from "./plan.ts";

const TICK_MS = 500;
/** The tick while there are no digests. */
const OPENING_TICK_MS = 100;
/** The shortest wait for a source that is to be asked soon. */
const WAIT_MS_MIN = 10;

/** When something may be done although nothing has happened. */
export interface Due {
  /** The time until each idle source may be asked again. */
  readonly restMs: readonly number[];
  /** The time until each busy source is to be asked for its next range. */
  readonly aheadMs: readonly number[];
  /** Whether there are digests. */
  readonly isChecked: boolean;
}

/** How long to wait for something to happen. */
export function planAgainMs(step: Step, { restMs, aheadMs, isChecked }: Due): number {
  const dueMs = step.kind === "wait" ? [...restMs, ...aheadMs] : aheadMs;
  return Math.max(WAIT_MS_MIN, Math.min(isChecked ? TICK_MS : OPENING_TICK_MS, ...dueMs.filter((ms) => ms > 0)));
}
