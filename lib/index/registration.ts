/**
 * Names that are registered without a connection: the row in the index for such a name, and the
 * token that allows changing it. Called by the indexes.
 * @module
 */

import { timingSafeEqual } from "node:crypto";
import { NO_CERTIFICATE, NO_ID } from "../core/dialect.ts";
import { Failure } from "../core/failure.ts";
import type { IndexedPeer, Registration } from "./search_index.ts";

const TOKEN_BYTES = 16;

/** A token that nobody can guess, in hex. */
export function makeToken(): string {
  return crypto.getRandomValues(new Uint8Array(TOKEN_BYTES)).toHex();
}

/**
 * Checks the token of a registered name.
 *
 * @throws {Failure} "refused" unless `token` is the one under which the name was registered.
 */
export function checkToken(name: string, token: string, registered: string): void {
  const [given, expected] = [token, registered].map((each) => new TextEncoder().encode(each));
  if (given !== undefined && given.length === expected?.length && timingSafeEqual(given, expected)) return;
  throw wrongToken(name);
}

/** The failure of a change with a token other than the name's own. */
export function wrongToken(name: string): Failure {
  return new Failure("refused", `Cannot change "${name}": wrong token`);
}

/** The failure of a change of a name that is not registered. */
export function notRegistered(name: string): Failure {
  return new Failure("not-found", `"${name}" is not registered`, { hint: "" });
}

/**
 * The row of a registered name: a classmate's program, which has no key and speaks at most the
 * dialect of classroom A.
 */
export function registeredPeer({ name, host, port }: Registration): IndexedPeer {
  return { name, id: NO_ID, certificate: NO_CERTIFICATE, plain: true, host, port, dialect: "json" };
}
