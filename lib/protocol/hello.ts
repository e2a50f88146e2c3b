/**
 * The first message on every connection, to an index or to a peer.
 * @module
 */

import { bytes, count, hex, optional, record, text } from "./field.ts";
import { CERTIFICATE_BYTES_MAX } from "../core/limits.ts";
import { request } from "./message.ts";
import { peerName } from "./shapes.ts";

/** The size of a nonce. */
export const NONCE_BYTES = 32;

const version = count({ max: 65_535 });
/** Chosen by chance for every connection, by both sides. */
const nonce = hex({ bytes: NONCE_BYTES });
const software = text({ bytesMax: 64 });

/** What is looked at first of a HELLO: whoever speaks another version is told so, whatever else it says. */
export const HelloVersion = record({ version });

/** Says which version of the wire one speaks. A peer says its name, too, which is not yet proven by that; an index has none. */
export const Hello = request("HELLO", {
  about: "Anybody → anybody, first: which version of the wire I speak, and who you are.",
  data: { version, software, name: optional(peerName), nonce },
  reply: { version, software, name: optional(peerName), nonce },
});

/**
 * Proves who calls: the certificate, and the signature of its key under both nonces, what was called and its id (lib/net/proof.ts). With a room
 * key, `member` proves that the caller has it. Fails: "wrong-key", "no-member".
 */
export const Prove = request("PROVE", {
  about: "Anybody → anybody, second: this is my certificate, and I have its key; and the room's, if there is one.",
  data: {
    certificate: bytes({ bytesMax: CERTIFICATE_BYTES_MAX }),
    signature: hex({ bytes: 64 }),
    member: optional(hex({ bytes: 32 })),
  },
  reply: {},
});
