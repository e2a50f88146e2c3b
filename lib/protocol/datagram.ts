/**
 * The datagrams of a picture: their bytes and their seal. No socket and no clock. README.md,
 * "Pictures", describes the format. Called by lib/pictures/send_picture.ts and take_picture.ts.
 *
 * The cipher comes from node:crypto: WebCrypto answers with a promise only, and there are twenty
 * thousand datagrams a second.
 * @module
 */

import { createCipheriv, createDecipheriv } from "node:crypto";
import { DATAGRAM_BYTES_MAX } from "../core/limits.ts";

/** The size of a token, which tells the datagrams of one picture from all others. */
export const TOKEN_BYTES = 8;
/** The size of the secret key that both sides know. */
export const KEY_BYTES = 32;

const CIPHER = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Token, kind and number: readable, but covered by the seal. */
const HEADER_BYTES = TOKEN_BYTES + 1 + 4;
const INDEX_BYTES = 4;
const ACK_BYTES_MIN = 8;

/** Bytes of a picture in one datagram. The last one may have fewer. */
export const PART_BYTES = DATAGRAM_BYTES_MAX - HEADER_BYTES - INDEX_BYTES - TAG_BYTES;
/**
 * How many parts after the first missing one an acknowledgement can cover. Nobody sends further
 * ahead.
 */
export const ACK_PARTS_MAX = 8192;

const DATA = 1;
const ACK = 2;

/** One part of a picture. */
export interface DataDatagram {
  readonly kind: "data";
  /** Counts the datagrams. Each has a number of its own, even when it repeats a part. */
  readonly number: number;
  /** The index of the part. */
  readonly index: number;
  readonly bytes: Uint8Array;
}

/** What has arrived. */
export interface Acknowledgement {
  /** The highest number of a datagram that has arrived. */
  readonly latest: number;
  /** All parts before this one have arrived, and this one has not. */
  readonly inOrder: number;
  /**
   * Which of the parts after `inOrder` have arrived: part `inOrder + 1 + i` is bit `i % 8`, counted
   * from the lowest, of byte `i / 8`.
   */
  readonly beyond: Uint8Array;
}

/** An acknowledgement, with a number of its own. */
export interface AckDatagram extends Acknowledgement {
  readonly kind: "ack";
  readonly number: number;
}

/** Every kind of datagram. */
export type Datagram = DataDatagram | AckDatagram;

/** How many parts a picture of `size` bytes has. */
export function partCount(size: number): number {
  return Math.ceil(size / PART_BYTES);
}

/** Seals and opens the datagrams of one picture. */
export class DatagramCodec {
  readonly #token: Uint8Array;
  readonly #key: Uint8Array;

  /** @throws {RangeError} When the token or the key has the wrong size. */
  constructor(token: Uint8Array, key: Uint8Array) {
    if (token.length !== TOKEN_BYTES || key.length !== KEY_BYTES) throw new RangeError("Cannot use this token or key");
    this.#token = token.slice();
    this.#key = key.slice();
  }

  /**
   * The bytes of a datagram. Neither kind may use a number twice, since the number is the nonce.
   */
  encode(datagram: Datagram): Uint8Array<ArrayBuffer> {
    const plain = datagram.kind === "data" ? plainData(datagram) : plainAck(datagram);
    const sealed = new Uint8Array(HEADER_BYTES + plain.length + TAG_BYTES);
    sealed.set(this.#token);
    sealed[TOKEN_BYTES] = datagram.kind === "data" ? DATA : ACK;
    new DataView(sealed.buffer).setUint32(TOKEN_BYTES + 1, datagram.number);
    const header = sealed.subarray(0, HEADER_BYTES);
    const cipher = createCipheriv(CIPHER, this.#key, nonceOf(header));
    cipher.setAAD(header);
    sealed.set(cipher.update(plain), HEADER_BYTES);
    cipher.final();
    sealed.set(cipher.getAuthTag(), HEADER_BYTES + plain.length);
    return sealed;
  }

  /**
   * What the other side sealed, or undefined for anything else. Datagrams with another token are
   * dropped before the cipher is asked.
   */
  decode(bytes: Uint8Array): Datagram | undefined {
    if (bytes.length < HEADER_BYTES + TAG_BYTES || bytes.length > DATAGRAM_BYTES_MAX) return undefined;
    if (!this.#token.every((byte, index) => byte === bytes[index])) return undefined;
    const kind = bytes[TOKEN_BYTES];
    if (kind !== DATA && kind !== ACK) return undefined;
    const plain = this.#open(bytes);
    if (plain === undefined) return undefined;
    const number = viewOf(bytes).getUint32(TOKEN_BYTES + 1);
    return kind === DATA ? readData(number, plain) : readAck(number, plain);
  }

  #open(bytes: Uint8Array): Uint8Array | undefined {
    const header = bytes.subarray(0, HEADER_BYTES);
    const decipher = createDecipheriv(CIPHER, this.#key, nonceOf(header), { authTagLength: TAG_BYTES });
    decipher.setAAD(header);
    decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
    const plain = decipher.update(bytes.subarray(HEADER_BYTES, bytes.length - TAG_BYTES));
    try {
      decipher.final();
      return plain;
    } catch {
      return undefined;
    }
  }
}

/** The nonce: kind and number, which no other datagram has under the same key. */
function nonceOf(header: Uint8Array): Uint8Array {
  const nonce = new Uint8Array(NONCE_BYTES);
  nonce.set(header.subarray(TOKEN_BYTES), NONCE_BYTES - (HEADER_BYTES - TOKEN_BYTES));
  return nonce;
}

function plainData({ index, bytes }: DataDatagram): Uint8Array {
  const plain = new Uint8Array(INDEX_BYTES + bytes.length);
  viewOf(plain).setUint32(0, index);
  plain.set(bytes, INDEX_BYTES);
  return plain;
}

function plainAck({ latest, inOrder, beyond }: AckDatagram): Uint8Array {
  const plain = new Uint8Array(ACK_BYTES_MIN + beyond.length);
  viewOf(plain).setUint32(0, latest);
  viewOf(plain).setUint32(4, inOrder);
  plain.set(beyond, ACK_BYTES_MIN);
  return plain;
}

function readData(number: number, plain: Uint8Array): DataDatagram | undefined {
  if (plain.length <= INDEX_BYTES) return undefined;
  return { kind: "data", number, index: viewOf(plain).getUint32(0), bytes: plain.subarray(INDEX_BYTES) };
}

function readAck(number: number, plain: Uint8Array): AckDatagram | undefined {
  if (plain.length < ACK_BYTES_MIN || plain.length > ACK_BYTES_MIN + ACK_PARTS_MAX / 8) return undefined;
  const view = viewOf(plain);
  const beyond = plain.subarray(ACK_BYTES_MIN);
  return { kind: "ack", number, latest: view.getUint32(0), inOrder: view.getUint32(4), beyond };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
