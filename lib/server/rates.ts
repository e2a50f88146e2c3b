/**
 * How many costly requests an index answers in a second. `server.ts --rates` sets the rates of one
 * server; the defaults are in limits.ts. Called by server.ts, index_server.ts and
 * http/index_http.ts.
 * @module
 */

import { Failure } from "../core/failure.ts";
import { HTTP_REQUESTS_PER_SECOND_MAX, PROOFS_PER_SECOND_MAX, QUESTIONS_PER_SECOND_MAX } from "../core/limits.ts";

/** Requests a second, by class. Further requests wait. */
export interface Rates {
  /** Proofs of identity of one address. Every join needs one. */
  readonly proofs: number;
  /** Questions (searches, lists, owners of a file) on one connection of a peer. */
  readonly questions: number;
  /** Requests of one address in classroom dialects, which need no proof. */
  readonly requests: number;
  /** Requests of one address over HTTP. */
  readonly http: number;
}

/** The default rates. */
export const RATES: Rates = {
  proofs: PROOFS_PER_SECOND_MAX,
  questions: QUESTIONS_PER_SECOND_MAX,
  requests: QUESTIONS_PER_SECOND_MAX,
  http: HTTP_REQUESTS_PER_SECOND_MAX,
};

const HINT = `write a number of at least 1 for any class: ${
  Object.entries(RATES).map((pair) => pair.join("=")).join(",")
}`;

/**
 * Reads `CLASS=N,...`, such as `proofs=50,questions=1000`.
 *
 * @throws {Failure} "usage".
 */
export function parseRates(text: string): Rates {
  const rates: Partial<Record<keyof Rates, number>> = {};
  for (const part of text.split(",")) {
    const [, name, count] = /^\s*([^=]*?)\s*=\s*([1-9]\d{0,6})\s*$/.exec(part) ?? [];
    if (name === undefined || !isClass(name)) throw usage(`Cannot use "${part}" for --rates`);
    if (rates[name] !== undefined) throw usage(`Cannot use two rates for ${name}`);
    rates[name] = Number(count);
  }
  return { ...RATES, ...rates };
}

function isClass(name: string): name is keyof Rates {
  return Object.hasOwn(RATES, name);
}

function usage(message: string): Failure {
  return new Failure("usage", message, { hint: HINT });
}
