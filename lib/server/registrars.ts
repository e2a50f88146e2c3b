/**
 * How many names each address has registered, so that one cannot take them all. Called by http_registry.ts.
 * @module
 */

import { addressShare } from "../core/address.ts";
import { Failure } from "../core/failure.ts";
import { REGISTRATIONS_PER_ADDRESS_MAX } from "../core/limits.ts";
import { Expiries } from "../core/expiries.ts";

/** Registered names by the address that registered them. */
export class Registrars implements Disposable {
  readonly #shares = new Map<string, string>();
  readonly #counts = new Map<string, number>();
  readonly #expiries = new Expiries((key) => this.#forget(key));

  /**
   * Registers a name, given by its `peerNameKey`, by `call`; if that succeeds, it counts for the address for so long. Fails: "busy" when the
   * address has too many; as `call` does.
   */
  async register<T>(key: string, host: string, ttlMs: number, call: () => Promise<T>): Promise<T> {
    const share = addressShare(host);
    const isNew = this.#shares.get(key) !== share;
    if (isNew && (this.#counts.get(share) ?? 0) >= REGISTRATIONS_PER_ADDRESS_MAX) {
      throw new Failure("busy", `Cannot register more than ${REGISTRATIONS_PER_ADDRESS_MAX} names from one address`);
    }
    this.#count(share, 1);
    let called: T;
    try {
      called = await call();
    } catch (thrown) {
      this.#count(share, -1);
      throw thrown;
    }
    this.forget(key);
    this.#shares.set(key, share);
    this.#expiries.set(key, ttlMs);
    return called;
  }

  /** Forgets a name that was removed. */
  forget(key: string): void {
    this.#expiries.delete(key);
    this.#forget(key);
  }

  [Symbol.dispose](): void {
    this.#expiries[Symbol.dispose]();
  }

  #forget(key: string): void {
    const share = this.#shares.get(key);
    if (share === undefined) return;
    this.#shares.delete(key);
    this.#count(share, -1);
  }

  #count(share: string, more: number): void {
    const count = (this.#counts.get(share) ?? 0) + more;
    if (count > 0) this.#counts.set(share, count);
    else this.#counts.delete(share);
  }
}
