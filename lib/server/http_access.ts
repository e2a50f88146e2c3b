/**
 * Who may ask over HTTP, and how much at once. Called by http_api.ts, before anything is looked at.
 * @module
 */

import { addressShare } from "../core/address.ts";
import type { Clock } from "../core/flow/clock.ts";
import { Failure } from "../core/failure.ts";
import { HOST_BYTES_MAX, HTTP_REQUESTS_MAX, HTTP_REQUESTS_PER_ADDRESS_MAX } from "../core/limits.ts";
import { AddressPaces } from "../net/address_paces.ts";
import { Guesses } from "../net/guesses.ts";
import type { RoomKey } from "../net/room_key.ts";

/** What decides about it. */
export interface HttpAccessOptions {
  readonly clock: Clock;
  /** How often one address may ask in a second. */
  readonly perSecond: number;
  /** The room's key, if it has one. Asked for each time, since it may be replaced. */
  readonly roomKey?: () => RoomKey | undefined;
  /** Names under which this server may be asked for, beside those that nobody outside can have. */
  readonly hostNames: readonly string[];
}

/** The guard of the HTTP side. */
export class HttpAccess {
  readonly #options: HttpAccessOptions;
  readonly #guesses: Guesses;
  readonly #paces: AddressPaces;
  /** Requests that are being answered, by address. */
  readonly #running = new Map<string, number>();
  #runningAll = 0;

  constructor(options: HttpAccessOptions) {
    this.#options = options;
    this.#guesses = new Guesses(options.clock);
    this.#paces = new AddressPaces(options.perSecond, options.clock);
  }

  /** Counts a request of an address until what this gives is disposed of. Fails: "busy" when there are too many. */
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

  /** Waits until an address may ask again. */
  turn(host: string): Promise<void> {
    return this.#paces.wait(host);
  }

  /**
   * Checks the name by which this server was asked for. A page on the internet can have its own name lead here and then read as if it came from
   * here (DNS rebinding); it can have no number for a name, and none of those that only a local network gives. Fails: "refused".
   */
  checkHost(header: string | null): void {
    if (header === null || isOwnName(header, this.#options.hostNames)) return;
    throw new Failure("refused", "Cannot answer under that host name", {
      hint: "use the index's IP address, or start the index with --http-host and this name",
    });
  }

  /** Checks the room's key. Fails: "unproven" without any, "no-member" with a wrong one. */
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

/** Whether a Host header can only name this server: by number, by a name of the local network, or by one of `names`. */
export function isOwnName(header: string, names: readonly string[]): boolean {
  const name = hostOf(header);
  if (name === undefined || name.length > HOST_BYTES_MAX) return false;
  if (/^\d+(\.\d+){3}$/.test(name) || name.includes(":") || !name.includes(".")) return true;
  return /\.(local|localhost)$/.test(name) || names.some((each) => each.toLowerCase() === name);
}

/** The host of a Host header in its one spelling, without brackets, or undefined if it is none. */
export function hostOf(header: string): string | undefined {
  if (/[/?#@\\\s]/.test(header)) return undefined;
  const url = URL.parse(`http://${header}`);
  return url === null || url.hostname === "" ? undefined : url.hostname.replace(/^\[|\]$/g, "");
}
