/**
 * The certificates of Recess: self-signed, version 3, Ed25519 (RFC 5280, RFC 8410), one shape for
 * all. A certificate is accepted only if it is, to the byte, the one that would be made here for
 * its public key. So nothing in a foreign certificate can be understood in two ways. Called by
 * identity.ts.
 * @module
 */

import { createHash } from "node:crypto";
import { joinBytes } from "../core/bytes.ts";
import { Failure } from "../core/failure.ts";

/** The size of an Ed25519 public key, and of a signature. */
export const KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;

const ENCODER = new TextEncoder();
/** How the key begins in a certificate: the algorithm and the length, then its bytes. */
const SPKI_PREFIX = Uint8Array.fromHex("302a300506032b6570032100");
const OID = {
  ed25519: Uint8Array.fromHex("06032b6570"),
  commonName: Uint8Array.fromHex("0603550403"),
  basicConstraints: Uint8Array.fromHex("0603551d13"),
  keyUsage: Uint8Array.fromHex("0603551d0f"),
  extendedKeyUsage: Uint8Array.fromHex("0603551d25"),
  subjectAltName: Uint8Array.fromHex("0603551d11"),
  serverAuth: Uint8Array.fromHex("06082b06010505070301"),
  clientAuth: Uint8Array.fromHex("06082b06010505070302"),
} as const;
const TRUE = Uint8Array.fromHex("0101ff");
/**
 * The dates of a pinned certificate prove nothing, and two machines should understand each other
 * even when one clock is decades off. So the certificate is valid at any time that a system can
 * show. RFC 5280, 4.1.2.5: two digits of a year up to 2049, four after it, and this end for a
 * certificate that does not expire.
 */
const VALID = { from: "700101000000Z", until: "99991231235959Z" };
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;

/** Signs with the private key of a certificate. */
export type Sign = (bytes: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>;

/**
 * The name that a certificate is for. It is made from the key, so that nobody can choose it. A DNS
 * label is too short for a whole digest.
 */
export function hostOf(publicKey: Uint8Array): string {
  return `${createHash("sha256").update(publicKey).digest("hex").slice(0, 32)}.peer`;
}

/** The certificate of a key, as DER. */
export async function makeCertificate(publicKey: Uint8Array, sign: Sign): Promise<Uint8Array> {
  const body = bodyOf(publicKey);
  return certificateOf(body, await sign(body));
}

/**
 * The public key of a certificate.
 *
 * @throws {Failure} "wrong-key" unless the certificate is exactly one of ours. Another version,
 * name, time, purpose or signing key is enough to reject it.
 */
export async function publicKeyOf(certificate: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const refuse = (): Failure => new Failure("wrong-key", "Cannot accept that certificate: it is not one of Recess");
  const at = indexOf(certificate, SPKI_PREFIX);
  if (at === -1) throw refuse();
  const publicKey = certificate.slice(at + SPKI_PREFIX.length, at + SPKI_PREFIX.length + KEY_BYTES);
  const signature = certificate.slice(-SIGNATURE_BYTES);
  if (publicKey.length !== KEY_BYTES || isWeak(publicKey)) throw refuse();
  const body = bodyOf(publicKey);
  const expected = certificateOf(body, signature);
  const same = expected.length === certificate.length && expected.every((byte, index) => byte === certificate[index]);
  if (!same || !await verify(publicKey, signature, body)) throw refuse();
  return publicKey;
}

/**
 * The y coordinates, low byte first, of the eight points of Ed25519 with a small order. Anybody can
 * make a signature for such a key without a secret.
 */
const SMALL_ORDER_Y = [
  0n,
  1n,
  2n ** 255n - 20n,
  0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n,
  0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd83d3d706a17c7n,
];
const FIELD_PRIME = 2n ** 255n - 19n;

/** Whether a key is a point of small order, or is written as no honest key is. */
function isWeak(publicKey: Uint8Array): boolean {
  const number = BigInt(`0x${publicKey.toReversed().toHex()}`);
  // The highest bit is the sign of x.
  const y = number & (2n ** 255n - 1n);
  return y >= FIELD_PRIME || SMALL_ORDER_Y.includes(y);
}

/** Whether a signature was made with a key. */
export async function verify(
  publicKey: Uint8Array<ArrayBuffer>,
  signature: Uint8Array<ArrayBuffer>,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const key = await crypto.subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]).catch(() => undefined);
  return key !== undefined && await crypto.subtle.verify("Ed25519", key, signature, bytes);
}

/** Bytes as text between BEGIN and END (RFC 7468). */
export function pemOf(label: string, bytes: Uint8Array): string {
  const lines = bytes.toBase64().match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

/** The bytes between BEGIN and END of a label, or undefined when there are none. */
export function bytesInPem(label: string, text: string): Uint8Array<ArrayBuffer> | undefined {
  const base64 = new RegExp(`-----BEGIN ${label}-----([A-Za-z0-9+/=\\s]+)-----END ${label}-----`).exec(text)?.[1];
  try {
    return base64 === undefined ? undefined : Uint8Array.fromBase64(base64.replaceAll(/\s/g, ""));
  } catch {
    return undefined;
  }
}

const EMPTY = new Uint8Array(0);
/** No unused bits in the last byte of a bit string. */
const EMPTY_BITS = new Uint8Array([0]);
const ALGORITHM = sequence(OID.ed25519);

/** What all certificates share. It is made once: an index checks one for each peer that joins. */
const SHARED = {
  // Version 3, serial number 1: nobody revokes these.
  beginning: joinBytes([
    tagged(0xa0, tagged(0x02, new Uint8Array([2]))),
    tagged(0x02, new Uint8Array([1])),
    ALGORITHM,
  ]),
  times: sequence(
    tagged(UTC_TIME, ENCODER.encode(VALID.from)),
    tagged(GENERALIZED_TIME, ENCODER.encode(VALID.until)),
  ),
  extensions: joinBytes([
    // No authority over others, in force: CA:FALSE.
    extension(OID.basicConstraints, TRUE, sequence()),
    extension(OID.keyUsage, TRUE, Uint8Array.fromHex("03020780")),
    extension(OID.extendedKeyUsage, EMPTY, sequence(OID.serverAuth, OID.clientAuth)),
  ]),
} as const;

/** The part of the certificate that is signed. */
function bodyOf(publicKey: Uint8Array): Uint8Array<ArrayBuffer> {
  const host = ENCODER.encode(hostOf(publicKey));
  const name = sequence(tagged(0x31, sequence(OID.commonName, tagged(0x0c, host))));
  const names = extension(OID.subjectAltName, EMPTY, sequence(tagged(0x82, host)));
  return sequence(
    SHARED.beginning,
    name,
    SHARED.times,
    name,
    SPKI_PREFIX,
    publicKey,
    tagged(0xa3, sequence(SHARED.extensions, names)),
  );
}

function certificateOf(body: Uint8Array, signature: Uint8Array): Uint8Array<ArrayBuffer> {
  return sequence(body, ALGORITHM, tagged(0x03, EMPTY_BITS, signature));
}

function extension(oid: Uint8Array, critical: Uint8Array, value: Uint8Array): Uint8Array {
  return sequence(oid, critical, tagged(0x04, value));
}

function sequence(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  return tagged(0x30, ...parts);
}

/** One value in DER: tag, length, parts. */
function tagged(tag: number, ...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const header = length < 128
    ? [tag, length]
    : length < 256
    ? [tag, 0x81, length]
    : [tag, 0x82, length >> 8, length & 255];
  const bytes = new Uint8Array(header.length + length);
  bytes.set(header);
  let at = header.length;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function indexOf(bytes: Uint8Array, wanted: Uint8Array): number {
  for (let at = 0; at + wanted.length <= bytes.length; at++) {
    if (wanted.every((byte, index) => bytes[at + index] === byte)) return at;
  }
  return -1;
}
