/**
 * Counts the names that each address has registered, so that no address keeps others from
 * registering. Called by registry.ts.
 * @module
 */

import { addressShare } from "../../core/address.ts";
import { Expiries } from "../../core/flow/expiries.ts";
import { Failure } from "../../core/failure.ts";
import { REGISTRATIONS_MAX, REGISTRATIONS_PER_ADDRESS_MAX } from "../../core/limits.ts";
import { Places } from "../../core/flow/places.ts";

/** A name that is registered, or is being registered. */
interface Registered {
  readonly key: string;
  readonly share: string;
  /** Undefined until the index has registered the name. */
  token?: string | undefined;
}

/** Calls of the index. */
export interface RegistrarCalls {
  /**
   * Registers the name.
   *
   * @returns Its token.
   */
  register(): Promise<string>;
  /**
   * Removes another name, which has lost its place.
   *
   * @param key Its `peerNameKey`.
   */
  remove(key: string, token: string): Promise<void>;
}

/** Registered names by the address that registered them. */
export class Registrars implements Disposable {
  readonly #names = new Map<string, Registered>();
  readonly #counts = new Map<string, number>();
  readonly #places: Places<Registered>;
  readonly #expiries = new Expiries((key) => this.#forget(key));

  /** @param total The most names at once. */
  constructor(total = REGISTRATIONS_MAX) {
    this.#places = new Places({ total, first: "oldest" });
  }

  /**
   * Registers or renews a name. From then on it counts for the address, until it expires. When all
   * places are taken, the address with the most names loses its oldest one.
   *
   * @param key The `peerNameKey` of the name.
   * @returns The token of the registration.
   * @throws {Failure} "busy" when the address has too many names, or when all places are taken and
   * no address has at least two names more than this one. Also what the calls throw.
   */
  async register(key: string, host: string, ttlMs: number, { register, remove }: RegistrarCalls): Promise<string> {
    const share = addressShare(host);
    const known = this.#names.get(key);
    if (known?.share !== share && (this.#counts.get(share) ?? 0) >= REGISTRATIONS_PER_ADDRESS_MAX) {
      throw new Failure("busy", `Cannot register more than ${REGISTRATIONS_PER_ADDRESS_MAX} names from one address`);
    }
    const registered: Registered = { key, share };
    this.#count(share, 1);
    try {
      // A name that is being renewed already has a place.
      if (known === undefined) await this.#enter(registered, host, remove);
      const token = await register();
      this.forget(key);
      if (known !== undefined) await this.#enter(registered, host, remove);
      else if (!this.#places.has(registered)) {
        await remove(key, token);
        throw noPlace();
      }
      registered.token = token;
      this.#count(share, 1);
      this.#names.set(key, registered);
      this.#expiries.set(key, ttlMs);
      return token;
    } finally {
      this.#count(share, -1);
      if (registered.token === undefined) this.#places.leave(registered);
    }
  }

  /** Forgets a name that has been removed. */
  forget(key: string): void {
    this.#expiries.delete(key);
    this.#forget(key);
  }

  [Symbol.dispose](): void {
    this.#expiries[Symbol.dispose]();
  }

  /** Gives a name a place. If none is free, another name loses its own and is removed. */
  async #enter(registered: Registered, host: string, remove: RegistrarCalls["remove"]): Promise<void> {
    const entered = this.#places.enter(registered, { host }, performance.now());
    if (!entered.given) throw noPlace();
    const { displaced } = entered;
    // A name without a token is still being registered. The call that registers it removes it.
    if (displaced?.token === undefined) return;
    this.forget(displaced.key);
    await remove(displaced.key, displaced.token);
  }

  #forget(key: string): void {
    const registered = this.#names.get(key);
    if (registered === undefined) return;
    this.#names.delete(key);
    this.#places.leave(registered);
    this.#count(registered.share, -1);
  }

  #count(share: string, more: number): void {
    const count = (this.#counts.get(share) ?? 0) + more;
    if (count > 0) this.#counts.set(share, count);
    else this.#counts.delete(share);
  }
}

function noPlace(): Failure {
  return new Failure("busy", "Cannot register any more names");
}
