/**
 * How a peer that lost its index comes back: which index it tries, how long it waits, and what a
 * refusal means. Pure; carried out by index_session.ts.
 * @module
 */

import { type Address, formatAddress } from "../../core/address.ts";
import { backoffMs } from "../../core/flow/backoff.ts";
import { failedWith, Failure } from "../../core/failure.ts";
import { OWN_NAME_TAKEN_MAX, RECONNECT_FIRST_MS, RECONNECT_LAST_MS, RECONNECT_SPREAD_MS } from "../../core/limits.ts";
import type { Random } from "../../core/random.ts";

/**
 * The order in which to try indexes. It is random, so that peers spread over them. The index that
 * was lost or refused last comes last: its machine may be off, and then an attempt takes the whole
 * time limit of a connection.
 */
export function indexOrder(indexes: readonly Address[], lost: Address | undefined, random: Random): Address[] {
  const last = lost && formatAddress(lost);
  return indexes
    .map((index) => ({ index, key: formatAddress(index) === last ? 1 : random() }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ index }) => index);
}

/**
 * Milliseconds to wait before an attempt to come back. The first wait is random from zero on, so
 * that thousands of peers that lost one index do not reach the others in the same second. Later
 * waits grow.
 *
 * @param attempt The number of the attempt, counted from 0.
 */
export function returnWaitMs(attempt: number, random: Random): number {
  if (attempt === 0) return RECONNECT_SPREAD_MS * random();
  return backoffMs(attempt, { firstMs: RECONNECT_FIRST_MS, lastMs: RECONNECT_LAST_MS }, random);
}

/**
 * Whether an index refuses the peer for good. A person has to read that once. After any other
 * failure the next attempt may succeed.
 */
export function isForGood(thrown: unknown): thrown is Failure {
  return thrown instanceof Failure && !thrown.retry;
}

/** What is known when an index reports that a name is taken. */
export interface NameDispute {
  /** The name that was asked for. */
  readonly name: string;
  /** The name that this session had before with the same key, if it had any. */
  readonly hadName: string | undefined;
  /** How many times in a row the name was taken, including this time. */
  readonly times: number;
}

/**
 * Whether a taken name probably still belongs to this peer's own session at the index that was
 * lost, because the other indexes have not noticed its end. Then the same name is tried again, a
 * few times only: it may have become another peer's.
 */
export function isLikelyOurs(thrown: unknown, { name, hadName, times }: NameDispute): boolean {
  return failedWith(thrown, "name-taken") && name === hadName && times <= OWN_NAME_TAKEN_MAX;
}
