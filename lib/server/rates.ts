/**
 * How often an index does for others what costs it much. `server.ts --rates` says it for one server; what is not said is as in limits.ts.
 * Called by server.ts and index_server.ts.
 * @module
 */

import { Failure } from "../core/failure.ts";
import { HTTP_REQUESTS_PER_SECOND_MAX, PROOFS_PER_SECOND_MAX, QUESTIONS_PER_SECOND_MAX } from "../core/limits.ts";

/** Times a second, by class. Whoever wants more waits. */
export interface Rates {
  /** Proofs of identity, and so joins, of one address. */
  readonly proofs: number;
  /** Questions (searches, lists, holders) on one connection of a peer. */
  readonly questions: number;
  /** Requests of one address in classroom dialects, which nobody proves to send. */
  readonly requests: number;
  /** Requests of one address over HTTP. */
  readonly http: number;
}

/** The rates of a server that was told nothing else. */
export const RATES: Rates = {
  proofs: PROOFS_PER_SECOND_MAX,
  questions: QUESTIONS_PER_SECOND_MAX,
  requests: QUESTIONS_PER_SECOND_MAX,
  http: HTTP_REQUESTS_PER_SECOND_MAX,
};

const HINT = `write a number from 1 for any of them: ${Object.entries(RATES).map((pair) => pair.join("=")).join(",")}`;

/** Reads `CLASS=N,...`, such as `proofs=50,questions=1000`. Fails: "usage". */
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
