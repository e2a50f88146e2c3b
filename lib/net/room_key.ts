/**
 * A secret that all in a room share. From it follow the key with which the index speaks TLS, so that peers know its certificate before they
 * connect, and the proof of membership that everybody gives. The secret itself never travels, but
 * over HTTP, which listens on this machine alone unless told otherwise.
 * @module
 */

import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import { Failure } from "../core/failure.ts";
import { Identity, SEED_BYTES } from "./identity.ts";

/** 128 bits: more than anybody guesses, few enough to read to each other. */
const KEY_BYTES = 16;
const GROUP_DIGITS = 4;
/** Of the 32 digits of a key that was made by chance, seven or fewer differ in one of 25 million. */
const DIFFERENT_DIGITS_MIN = 8;
/** What a person is told whose room key can be guessed. */
export const WEAK_KEY = "The room key can be guessed; make another one with: server.ts --new-room-key";

/** A room that has a key, and the index's identity that follows from it. */
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

  /** A new key, by chance, as it is written: `1a2b-3c4d-…`. */
  static makeText(): string {
    const digits = crypto.getRandomValues(new Uint8Array(KEY_BYTES)).toHex();
    return digits.match(new RegExp(`.{${GROUP_DIGITS}}`, "g"))?.join("-") ?? digits;
  }

  /** Reads a key as `makeText` writes it; dashes, spaces and case do not matter. Fails: "usage". */
  static parse(text: string): RoomKey {
    const digits = text.replaceAll(/[-\s]/g, "").toLowerCase();
    if (/^[0-9a-f]+$/.test(digits) && digits.length === KEY_BYTES * 2) return new RoomKey(Uint8Array.fromHex(digits));
    throw new Failure("usage", "Cannot read the room key: it has to be 32 hex digits", {
      hint: "make one with: deno run --allow-net --allow-read server.ts --new-room-key",
    });
  }

  /** Whether it can be guessed: it has few different digits, or they follow each other in a simple way. A key made by chance is never so. */
  get isWeak(): boolean {
    const digits = Array.from(this.#bytes.toHex(), (digit) => parseInt(digit, 16));
    const steps = digits.slice(1).map((digit, index) => (digit - (digits[index] ?? 0) + 16) % 16);
    return new Set(digits).size < DIFFERENT_DIGITS_MIN || new Set(steps).size < DIFFERENT_DIGITS_MIN;
  }

  /** Whether a text is this key, as `parse` reads it; takes as long whichever of its digits are wrong. For HTTP, which has no proofs. */
  isKey(text: string): boolean {
    try {
      return timingSafeEqual(RoomKey.parse(text).#bytes, this.#bytes);
    } catch (thrown) {
      if (thrown instanceof Failure) return false;
      throw thrown;
    }
  }

  /** The room, with what its index speaks TLS with: everybody who has the room key knows it. */
  async room(): Promise<Room> {
    const seed = new Uint8Array(hkdfSync("sha256", this.#bytes, "", "recess index", SEED_BYTES));
    return { key: this, identity: await Identity.fromSeed(seed) };
  }

  /** The proof that somebody has the key, good for one connection only: for its two nonces and whoever gives it. */
  proof(asked: string, asking: string, id: string): Uint8Array {
    return createHmac("sha256", this.#bytes).update(`recess member ${asked} ${asking} ${id}`).digest();
  }

  /** Whether that is the proof; takes as long whatever is wrong. */
  isProof(given: Uint8Array, asked: string, asking: string, id: string): boolean {
    const expected = this.proof(asked, asking, id);
    return given.length === expected.length && timingSafeEqual(given, expected);
  }
}
