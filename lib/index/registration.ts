/**
 * Names that are registered without a connection: what stands in the index for them, and the token that tells who may change it. Pure but for
 * chance. Called by the indexes.
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

/** Fails: "refused" unless this is the token under which the name was registered. */
export function checkToken(name: string, token: string, registered: string): void {
  const [given, expected] = [token, registered].map((each) => new TextEncoder().encode(each));
  if (given !== undefined && given.length === expected?.length && timingSafeEqual(given, expected)) return;
  throw wrongToken(name);
}

/** Says that the token is not the one under which the name was registered. */
export function wrongToken(name: string): Failure {
  return new Failure("refused", `Cannot change "${name}": that is not its token`);
}

/** Says that nobody has registered the name. */
export function notRegistered(name: string): Failure {
  return new Failure("not-found", `"${name}" is not registered`, { hint: "" });
}

/** The row of a registered name: a classmate's own program, that has no key and speaks at most the dialect of classroom A. */
export function registeredPeer({ name, host, port }: Registration): IndexedPeer {
  return { name, id: NO_ID, certificate: NO_CERTIFICATE, plain: true, host, port, dialect: "json" };
}
