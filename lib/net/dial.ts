/**
 * Makes connections. The only place that calls `Deno.connect`.
 * @module
 */

import { type Address, addressOf, formatAddress } from "../core/address.ts";
import { Failure, type FailureCode } from "../core/failure.ts";
import { CONNECT_WAIT_MS } from "../core/limits.ts";
import { Connection } from "./connection.ts";

/** Bounds and words of one attempt. */
export interface DialOptions {
  readonly waitMs?: number;
  readonly signal?: AbortSignal;
  /** The code of a failed attempt; "unreachable" if not said. */
  readonly failure?: FailureCode;
}

/** How connections are made: passed to whoever needs one, so that tests can give another way. */
export type Dial = typeof dial;

/** Connects over TCP. Fails: "unreachable", or the code given. */
export async function dial(address: Address, options: DialOptions = {}): Promise<Connection> {
  const { waitMs = CONNECT_WAIT_MS, failure = "unreachable" } = options;
  const timeout = AbortSignal.timeout(waitMs);
  try {
    const conn = await Deno.connect({
      hostname: address.host,
      port: address.port,
      signal: options.signal ? AbortSignal.any([options.signal, timeout]) : timeout,
    });
    conn.setNoDelay(true);
    return new Connection(conn, { local: addressOf(conn.localAddr), remote: addressOf(conn.remoteAddr) });
  } catch (thrown) {
    options.signal?.throwIfAborted();
    if (timeout.aborted) {
      throw new Failure(
        failure,
        `Cannot reach ${formatAddress(address)}: no answer for ${Math.round(waitMs / 1000)} s`,
      );
    }
    throw Failure.from(thrown, failure, `Cannot reach ${formatAddress(address)}`);
  }
}
