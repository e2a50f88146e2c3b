/**
 * A secret that everybody in a room shares. Two things follow from it: the key with which the index
 * speaks TLS, so that peers know its certificate before they connect, and the proof of membership.
 * The secret itself travels only over HTTP, which by default listens on this machine alone.
 * @module
 */

import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import { Failure } from "../core/failure.ts";
import { Identity, SEED_BYTES } from "./identity.ts";

/** 128 bits: more than anybody can guess, and few enough to read out. */
const KEY_BYTES = 16;
const GROUP_DIGITS = 4;
/** Only one in 25 million random keys has seven or fewer different digits among its 32. */
const DIFFERENT_DIGITS_MIN = 8;
/** The warning about a room key that can be guessed. */
export const WEAK_KEY = "The room key can be guessed; make another one with: server.ts --new-room-key";

/** A room with a key, and the index's identity that follows from the key. */
export interface Room {
  readonly key: RoomKey;
  readonly identity: Identity;
}

/** The key of one room. */
export class RoomKey {
  readonly #bytes: Uint8Array;

  private constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** A new random key, as it is written: `1a2b-3c4d-…`. */
  static makeText(): string {
    const digits = crypto.getRandomValues(new Uint8Array(KEY_BYTES)).toHex();
    return digits.match(new RegExp(`.{${GROUP_DIGITS}}`, "g"))?.join("-") ?? digits;
  }

  /**
   * Reads a key as `makeText` writes it. Dashes, spaces and case do not matter.
   *
   * @throws {Failure} "usage".
   */
  static parse(text: string): RoomKey {
    const digits = text.replaceAll(/[-\s]/g, "").toLowerCase();
    if (/^[0-9a-f]+$/.test(digits) && digits.length === KEY_BYTES * 2) return new RoomKey(Uint8Array.fromHex(digits));
    throw new Failure("usage", "Cannot read the room key: it has to be 32 hex digits", {
      hint: "make one with: deno run --allow-net --allow-read server.ts --new-room-key",
    });
  }

  /**
   * Whether the key can be guessed: it has few different digits, or they follow each other in a
   * simple way. A random key is never like that.
   */
  get isWeak(): boolean {
    const digits = Array.from(this.#bytes.toHex(), (digit) => parseInt(digit, 16));
    const steps = digits.slice(1).map((digit, index) => (digit - (digits[index] ?? 0) + 16) % 16);
    return new Set(digits).size < DIFFERENT_DIGITS_MIN || new Set(steps).size < DIFFERENT_DIGITS_MIN;
  }

  /**
   * Whether a text is this key, as `parse` reads it. Takes the same time whichever digits are
   * wrong. For HTTP, which has no proofs.
   */
  isKey(text: string): boolean {
    try {
      return timingSafeEqual(RoomKey.parse(text).#bytes, this.#bytes);
    } catch (thrown) {
      if (thrown instanceof Failure) return false;
      throw thrown;
    }
  }

  /** The room, with the identity of its index. Everybody with the room key knows that identity. */
  async room(): Promise<Room> {
    const seed = new Uint8Array(hkdfSync("sha256", this.#bytes, "", "recess index", SEED_BYTES));
    return { key: this, identity: await Identity.fromSeed(seed) };
  }

  /**
   * The proof that a caller has the key. It is valid for one connection only: it covers both nonces
   * and the id of the caller.
   */
  proof(asked: string, asking: string, id: string): Uint8Array {
    return createHmac("sha256", this.#bytes).update(`recess member ${asked} ${asking} ${id}`).digest();
  }

  /** Whether a proof is right. Takes the same time whatever is wrong. */
  isProof(given: Uint8Array, asked: string, asking: string, id: string): boolean {
    const expected = this.proof(asked, asking, id);
    return given.length === expected.length && timingSafeEqual(given, expected);
  }
}
