/**
 * How a peer that lost its index comes back: which index it tries, how long it waits, and what a refusal means. Pure; index_session.ts carries
 * it out.
 * @module
 */

import { type Address, formatAddress } from "../../core/address.ts";
import { backoffMs } from "../../core/flow/backoff.ts";
import { failedWith, Failure } from "../../core/failure.ts";
import { OWN_NAME_TAKEN_MAX, RECONNECT_FIRST_MS, RECONNECT_LAST_MS, RECONNECT_SPREAD_MS } from "../../core/limits.ts";
import type { Random } from "../../core/random.ts";

/**
 * In which order indexes are tried: by chance, so that peers spread over them, but the one that was lost or refused last comes last. It may
 * be a machine that is off, and then costs the whole wait for a connection.
 */
export function indexOrder(indexes: readonly Address[], lost: Address | undefined, random: Random): Address[] {
  const last = lost && formatAddress(lost);
  return indexes
    .map((index) => ({ index, key: formatAddress(index) === last ? 1 : random() }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ index }) => index);
}

/**
 * Milliseconds before attempt number `attempt`, counted from 0, to come back. The first is spread over seconds from zero on, so that ten thousand
 * peers that lost one index do not come to the others in the same second; later ones grow.
 */
export function returnWaitMs(attempt: number, random: Random): number {
  if (attempt === 0) return RECONNECT_SPREAD_MS * random();
  return backoffMs(attempt, { firstMs: RECONNECT_FIRST_MS, lastMs: RECONNECT_LAST_MS }, random);
}

/** Whether an attempt to come back was refused for good, which the person is to hear once; else the next may succeed, and nobody needs to know. */
export function isForGood(thrown: unknown): thrown is Failure {
  return thrown instanceof Failure && !thrown.retry;
}

/** What is known when an index says that a name is taken. */
export interface NameDispute {
  /** The name that was asked for, and the one this session had before with the same key, if it had any. */
  readonly name: string;
  readonly hadName: string | undefined;
  /** How many times in a row it was taken, this time included. */
  readonly times: number;
}

/**
 * Whether a taken name is likely still held by our own session at the index that was lost, whose end the others have not noticed yet: then the
 * same name is asked for again. Only a few times, for it may have become somebody else's.
 */
export function isLikelyOurs(thrown: unknown, { name, hadName, times }: NameDispute): boolean {
  return failedWith(thrown, "name-taken") && name === hadName && times <= OWN_NAME_TAKEN_MAX;
}
