/**
 * Makes connections. The only place that calls `Deno.connect`.
 * @module
 */

import { type Address, addressOf, formatAddress } from "../core/address.ts";
import { Failure, type FailureCode } from "../core/failure.ts";
import { CONNECT_WAIT_MS } from "../core/limits.ts";
import { onAbort } from "../core/flow/on_abort.ts";
import { Connection } from "./connection.ts";
import { certificatePem, type PublicIdentity } from "./identity.ts";

/** The bounds of one attempt, and the words for its failure. */
export interface DialOptions {
  readonly waitMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The code of a failed attempt. Default: "unreachable". */
  readonly failure?: FailureCode | undefined;
  /**
   * The identity that has to answer. The connection is then encrypted. Without it, the connection
   * is plain.
   */
  readonly identity?: PublicIdentity | undefined;
}

/**
 * How connections are made. It is passed to every part that makes some, so that tests can replace
 * it.
 */
export type Dial = typeof dial;

/**
 * Connects over TCP.
 *
 * @throws {Failure} "unreachable", or the given code. "wrong-key" when another identity answers.
 */
export async function dial(address: Address, options: DialOptions = {}): Promise<Connection> {
  const { waitMs = CONNECT_WAIT_MS, failure = "unreachable", identity } = options;
  // Neither AbortSignal.timeout, which keeps everything it could abort for as long as the wait
  // could have been, nor AbortSignal.any, which takes longer than connecting.
  const ending = new AbortController();
  const { signal } = ending;
  let isTooLate = false;
  const timer = setTimeout(() => {
    isTooLate = true;
    ending.abort();
  }, waitMs);
  using _givingUp = onAbort(options.signal, () => ending.abort(options.signal?.reason));
  try {
    options.signal?.throwIfAborted();
    const conn = await Deno.connect({ hostname: address.host, port: address.port, signal });
    conn.setNoDelay(true);
    const ends = { local: addressOf(conn.localAddr), remote: addressOf(conn.remoteAddr) };
    return new Connection(identity === undefined ? conn : await encrypted(conn, identity, signal), {
      ...ends,
      calledId: identity?.id ?? "",
    });
  } catch (thrown) {
    options.signal?.throwIfAborted();
    if (isTooLate) {
      throw new Failure(
        failure,
        `Cannot reach ${formatAddress(address)}: no answer for ${Math.round(waitMs / 1000)} s`,
      );
    }
    if (isOutOfDate(thrown)) {
      throw new Failure(
        failure,
        `Cannot reach ${formatAddress(address)}: by this machine's clock its key is not valid`,
        {
          cause: thrown,
          hint: "set the clock of this machine",
        },
      );
    }
    if (isWrongCertificate(thrown)) {
      throw new Failure("wrong-key", `Cannot trust ${formatAddress(address)}: somebody else answers there`, {
        cause: thrown,
      });
    }
    throw Failure.from(thrown, failure, `Cannot reach ${formatAddress(address)}`);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Speaks TLS with exactly one certificate. The platform also trusts public authorities, but none of
 * them can certify a name that ends in `.peer`.
 */
async function encrypted(conn: Deno.TcpConn, identity: PublicIdentity, signal: AbortSignal): Promise<Deno.TlsConn> {
  let current: Deno.Conn = conn;
  using _closing = onAbort(signal, () => closeConn(current));
  try {
    const tls = await Deno.startTls(conn, { hostname: identity.host, caCerts: [certificatePem(identity)] });
    current = tls;
    await tls.handshake();
    return tls;
  } catch (thrown) {
    closeConn(current);
    throw thrown;
  }
}

/**
 * Closes a connection. `conn` may have been replaced by its encrypted form meanwhile, which closes
 * with it.
 */
function closeConn(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch (thrown) {
    if (!(thrown instanceof Deno.errors.BadResource)) throw thrown;
  }
}

/**
 * Whether only the dates of a certificate were wrong according to the platform. That is no sign of
 * another key.
 */
function isOutOfDate(thrown: unknown): boolean {
  return thrown instanceof Error && /expired|not ?valid ?yet|CertNotValid/i.test(thrown.message);
}

/** Whether the certificate was missing, or not the trusted one, according to the platform. */
function isWrongCertificate(thrown: unknown): boolean {
  return thrown instanceof Deno.errors.InvalidData ||
    (thrown instanceof Error &&
      /certificate|UnknownIssuer|received corrupt message|HandshakeFailure/i.test(thrown.message));
}
