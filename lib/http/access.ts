/**
 * Checks the clients of an HTTP server, and bounds their requests. Called by api.ts before it looks
 * at a request.
 * @module
 */

import { addressShare } from "../core/address.ts";
import type { Clock } from "../core/flow/clock.ts";
import { Failure } from "../core/failure.ts";
import { HOST_BYTES_MAX, HTTP_REQUESTS_MAX, HTTP_REQUESTS_PER_ADDRESS_MAX } from "../core/limits.ts";
import { CallerPaces } from "../net/caller_paces.ts";
import { WrongGuesses } from "../net/wrong_guesses.ts";
import type { RoomKey } from "../net/room_key.ts";

/** The rules of one server. */
export interface HttpAccessOptions {
  readonly clock: Clock;
  /** How many requests of one address are answered in a second. */
  readonly perSecond: number;
  /** The room's key, if the room has one. It is read for each request, since it may be replaced. */
  readonly roomKey?: (() => RoomKey | undefined) | undefined;
  /**
   * Host names of this server, beside the ones that only a local network can give (see {@linkcode
   * isOwnName}).
   */
  readonly hostNames: readonly string[];
  /** The advice in the failure of a request for another host name. */
  readonly hostHint?: string | undefined;
}

/** Guards the requests of one server. */
export class HttpAccess {
  readonly #options: HttpAccessOptions;
  readonly #guesses: WrongGuesses;
  readonly #paces: CallerPaces;
  /** Requests that are being answered, by address. */
  readonly #running = new Map<string, number>();
  #runningAll = 0;

  constructor(options: HttpAccessOptions) {
    this.#options = options;
    this.#guesses = new WrongGuesses(options.clock);
    this.#paces = new CallerPaces(options.perSecond, options.clock);
  }

  /**
   * Counts a request of an address as running.
   *
   * @returns Ends the count when it is disposed of.
   * @throws {Failure} "busy" when too many requests are running, in all or of this address.
   */
  enter(host: string): Disposable {
    const share = addressShare(host);
    const running = this.#running.get(share) ?? 0;
    if (running >= HTTP_REQUESTS_PER_ADDRESS_MAX || this.#runningAll >= HTTP_REQUESTS_MAX) {
      throw new Failure("busy", "Cannot answer: too many requests are being answered already");
    }
    this.#running.set(share, running + 1);
    this.#runningAll += 1;
    return {
      [Symbol.dispose]: () => {
        this.#runningAll -= 1;
        const left = (this.#running.get(share) ?? 1) - 1;
        if (left > 0) this.#running.set(share, left);
        else this.#running.delete(share);
      },
    };
  }

  /** Waits until the pace of an address allows another request. */
  turn(host: string): Promise<void> {
    return this.#paces.wait(host);
  }

  /**
   * Checks the host name that a request asks for. A page on the internet can make its own name lead
   * to this server and then read the answers as its own (DNS rebinding). It cannot do so with an IP
   * address, nor with a name that only a local network gives.
   *
   * @throws {Failure} "refused" when the name is not one of this server.
   */
  checkHost(header: string | null): void {
    if (header === null || isOwnName(header, this.#options.hostNames)) return;
    throw new Failure("refused", "Cannot answer under that host name", {
      hint: this.#options.hostHint ?? "use the IP address of this server",
    });
  }

  /**
   * Checks the room's key, in a room that has one. An address that has sent a wrong key waits
   * before its next one is looked at.
   *
   * @throws {Failure} "unproven" without a key, "no-member" with a wrong one.
   */
  async checkKey(authorization: string | null, host: string): Promise<void> {
    const roomKey = this.#options.roomKey?.();
    if (roomKey === undefined) return;
    const hint = "send the room's key: Authorization: Bearer ROOM-KEY";
    const [, given] = /^Bearer +(\S{1,128})$/i.exec(authorization ?? "") ?? [];
    if (given === undefined) throw new Failure("unproven", "This room has a key", { hint });
    await this.#guesses.wait(host);
    if (roomKey.isKey(given)) return;
    this.#guesses.note(host);
    throw new Failure("no-member", "That is not the room's key", { hint });
  }
}

/**
 * Whether a Host header can only mean this server: an IP address, a name of the local network, or
 * one of `names`.
 *
 * @param names Names that were configured for this server.
 */
export function isOwnName(header: string, names: readonly string[]): boolean {
  const name = hostOf(header);
  if (name === undefined || name.length > HOST_BYTES_MAX) return false;
  if (/^\d+(\.\d+){3}$/.test(name) || name.includes(":") || !name.includes(".")) return true;
  return /\.(local|localhost)$/.test(name) || names.some((each) => each.toLowerCase() === name);
}

/**
 * Reads the host of a Host header.
 *
 * @returns The host in its one spelling, IPv6 without brackets; undefined when the header names no
 * host.
 */
export function hostOf(header: string): string | undefined {
  if (/[/?#@\\\s]/.test(header)) return undefined;
  const url = URL.parse(`http://${header}`);
  return url === null || url.hostname === "" ? undefined : url.hostname.replace(/^\[|\]$/g, "");
}
