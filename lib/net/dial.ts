/**
 * Makes connections. The only place that calls `Deno.connect`.
 * @module
 */

import { type Address, addressOf, formatAddress } from "../core/address.ts";
import { Failure, type FailureCode } from "../core/failure.ts";
import { CONNECT_WAIT_MS } from "../core/limits.ts";
import { Connection } from "./connection.ts";
import { certificatePem, type PublicIdentity } from "./identity.ts";

/** Bounds and words of one attempt. */
export interface DialOptions {
  readonly waitMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** The code of a failed attempt; default: "unreachable". */
  readonly failure?: FailureCode;
  /** Who has to be there. The connection is then encrypted, and made with nobody else; without, it is plain. */
  readonly identity?: PublicIdentity | undefined;
}

/** How connections are made: passed to whoever needs one, so that tests can give another way. */
export type Dial = typeof dial;

/** Connects over TCP. Fails: "unreachable", or the code given; "wrong-key" when somebody else is there than has to be. */
export async function dial(address: Address, options: DialOptions = {}): Promise<Connection> {
  const { waitMs = CONNECT_WAIT_MS, failure = "unreachable", identity } = options;
  // Neither AbortSignal.timeout, which keeps what it could abort for as long as the wait might have been, nor AbortSignal.any, which takes longer
  // than connecting.
  const ending = new AbortController();
  const { signal } = ending;
  let isTooLate = false;
  const timer = setTimeout(() => {
    isTooLate = true;
    ending.abort();
  }, waitMs);
  const giveUp = (): void => ending.abort(options.signal?.reason);
  options.signal?.addEventListener("abort", giveUp);
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
    options.signal?.removeEventListener("abort", giveUp);
  }
}

/**
 * Speaks TLS with exactly one certificate. The platform trusts public authorities, too, but none of them can certify a name that ends in
 * `.peer`.
 */
async function encrypted(conn: Deno.TcpConn, identity: PublicIdentity, signal: AbortSignal): Promise<Deno.TlsConn> {
  let current: Deno.Conn = conn;
  const close = (): void => closeConn(current);
  signal.addEventListener("abort", close);
  try {
    const tls = await Deno.startTls(conn, { hostname: identity.host, caCerts: [certificatePem(identity)] });
    current = tls;
    await tls.handshake();
    return tls;
  } catch (thrown) {
    closeConn(current);
    throw thrown;
  } finally {
    signal.removeEventListener("abort", close);
  }
}

/** Closes a connection; one that has become another in the meantime is closed with that. */
function closeConn(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch (thrown) {
    if (!(thrown instanceof Deno.errors.BadResource)) throw thrown;
  }
}

/** What the platform says when only the dates of a certificate do not fit: that is no sign of another key. */
function isOutOfDate(thrown: unknown): boolean {
  return thrown instanceof Error && /expired|not ?valid ?yet|CertNotValid/i.test(thrown.message);
}

/** What the platform says when the certificate is not the one that is trusted, or there is none at all. */
function isWrongCertificate(thrown: unknown): boolean {
  return thrown instanceof Deno.errors.InvalidData ||
    (thrown instanceof Error &&
      /certificate|UnknownIssuer|received corrupt message|HandshakeFailure/i.test(thrown.message));
}
