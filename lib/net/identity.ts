/**
 * The identity of a peer or index: a key, and a certificate. SHA-256 of the certificate is the id.
 * Anybody can claim a name, but nobody can claim an id. Called by lib/peer and lib/server.
 * @module
 */

import { createHash } from "node:crypto";
import { Failure } from "../core/failure.ts";
import { bytesInPem, hostOf, makeCertificate, pemOf, publicKeyOf, verify } from "./certificate.ts";

/** How a private key begins in PKCS #8 (RFC 8410). Its seed comes last. */
const PKCS8_PREFIX = Uint8Array.fromHex("302e020100300506032b657004220420");
/** The size of the seed from which an Ed25519 key follows. */
export const SEED_BYTES = 32;
const CERTIFICATE = "CERTIFICATE";
const PRIVATE_KEY = "PRIVATE KEY";

/** A key that others know by its certificate. */
export interface PublicIdentity {
  /** SHA-256 of the certificate, in hex. */
  readonly id: string;
  /** The name that the certificate is for. */
  readonly host: string;
  /** DER. */
  readonly certificate: Uint8Array;
  readonly publicKey: Uint8Array<ArrayBuffer>;
}

/** Our own key. */
export class Identity implements PublicIdentity {
  readonly id: string;
  readonly host: string;
  readonly certificate: Uint8Array;
  readonly publicKey: Uint8Array<ArrayBuffer>;
  readonly #seed: Uint8Array;
  readonly #key: CryptoKey;

  private constructor(seed: Uint8Array, key: CryptoKey, known: PublicIdentity) {
    this.id = known.id;
    this.host = known.host;
    this.certificate = known.certificate;
    this.publicKey = known.publicKey;
    this.#seed = seed;
    this.#key = key;
  }

  /** Makes a random identity. */
  static make(): Promise<Identity> {
    return Identity.fromSeed(crypto.getRandomValues(new Uint8Array(SEED_BYTES)));
  }

  /**
   * The identity that follows from a seed. It is always the same, with its certificate, since
   * Ed25519 signatures are not random.
   */
  static async fromSeed(seed: Uint8Array): Promise<Identity> {
    const pkcs8 = new Uint8Array([...PKCS8_PREFIX, ...seed]);
    const key = await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", true, ["sign"]);
    const { x = "" } = await crypto.subtle.exportKey("jwk", key);
    const publicKey = Uint8Array.fromBase64(x, { alphabet: "base64url" });
    const certificate = await makeCertificate(publicKey, async (bytes) => {
      return new Uint8Array(await crypto.subtle.sign("Ed25519", key, bytes));
    });
    return new Identity(seed, key, { id: idOf(certificate), host: hostOf(publicKey), certificate, publicKey });
  }

  /**
   * Reads what `toPem` wrote.
   *
   * @throws {Failure} "no-access" when it is damaged.
   */
  static async fromPem(text: string): Promise<Identity> {
    const pkcs8 = bytesInPem(PRIVATE_KEY, text);
    if (pkcs8?.length === PKCS8_PREFIX.length + SEED_BYTES) return await Identity.fromSeed(pkcs8.slice(-SEED_BYTES));
    throw new Failure("no-access", "Cannot read the identity: the file is damaged", {
      hint: "delete .recess/identity.pem to get a new one; others then have to trust the new one",
    });
  }

  /** The key and the certificate, as they are stored. */
  toPem(): string {
    return this.keyPem + this.certificatePem;
  }

  /** The private key, for the platform's TLS. */
  get keyPem(): string {
    return pemOf(PRIVATE_KEY, new Uint8Array([...PKCS8_PREFIX, ...this.#seed]));
  }

  /** The certificate, for the platform's TLS. */
  get certificatePem(): string {
    return pemOf(CERTIFICATE, this.certificate);
  }

  /** Signs bytes with the private key. */
  async sign(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
    return new Uint8Array(await crypto.subtle.sign("Ed25519", this.#key, bytes));
  }
}

/**
 * The identity behind a certificate from anywhere.
 *
 * @throws {Failure} "wrong-key" unless the certificate is one of ours, to the byte.
 */
export async function identityOf(certificate: Uint8Array): Promise<PublicIdentity> {
  const publicKey = await publicKeyOf(certificate);
  return { id: idOf(certificate), host: hostOf(publicKey), certificate, publicKey };
}

/** The certificate of an identity, for the platform's TLS. */
export function certificatePem({ certificate }: PublicIdentity): string {
  return pemOf(CERTIFICATE, certificate);
}

/** Whether an identity signed these bytes. */
export function signedBy(
  { publicKey }: PublicIdentity,
  signature: Uint8Array<ArrayBuffer>,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  return verify(publicKey, signature, bytes);
}

function idOf(certificate: Uint8Array): string {
  return createHash("sha256").update(certificate).digest("hex");
}
