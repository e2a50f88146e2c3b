/**
 * How long to wait before another attempt. The wait doubles from a first to a last one. Chance
 * shortens it, so that a roomful of peers that lost the same index does not return in the same
 * instant ("full jitter", AWS Architecture Blog, 2015, kept above a half).
 * @module
 */

import type { Random } from "../random.ts";

/** The shortest and longest wait in milliseconds, before chance shortens them. */
export interface BackoffBounds {
  readonly firstMs: number;
  readonly lastMs: number;
}

/** Milliseconds to wait after failed attempt number `attempt`, counted from 0. */
export function backoffMs(attempt: number, bounds: BackoffBounds, random: Random): number {
  const whole = Math.min(bounds.lastMs, bounds.firstMs * 2 ** Math.min(attempt, 30));
  return whole * (0.5 + random() / 2);
}
