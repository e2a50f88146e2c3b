/**
 * The first messages on every connection, to an index or to a peer.
 * @module
 */

import { bytes, count, hex, optional, record, text } from "./field.ts";
import { CERTIFICATE_BYTES_MAX, SOFTWARE_BYTES_MAX } from "../core/limits.ts";
import { request } from "./message.ts";
import { peerName } from "./shapes.ts";

/** The size of a nonce. */
export const NONCE_BYTES = 32;

const version = count({ max: 65_535 });
/** A random number that each side makes for every connection. */
const nonce = hex({ bytes: NONCE_BYTES });
const software = text({ bytesMax: SOFTWARE_BYTES_MAX });

/**
 * The part of a HELLO that is read first. A caller with another version hears of that, whatever the
 * rest of its message is.
 */
export const HelloVersion = record({ version });

/**
 * Says which version of the wire a program speaks. A peer also gives its name, which this does not
 * prove. An index has no name.
 */
export const Hello = request("HELLO", {
  about: "Caller → index or peer, first: the version of the wire that I speak, and my nonce.",
  data: { version, software, name: optional(peerName), nonce },
  reply: { version, software, name: optional(peerName), nonce },
});

/**
 * Proves the identity of the caller: its certificate, and a signature of its key over both nonces,
 * the kind of program called, and its id (lib/net/proof.ts). With a room key, `member` proves that
 * the caller has it.
 *
 * @throws {Failure} "wrong-key", "no-member".
 */
export const Prove = request("PROVE", {
  about: "Caller → index or peer, second: my certificate, and the proof that I have its key, " +
    "and the key of the room if there is one.",
  data: {
    certificate: bytes({ bytesMax: CERTIFICATE_BYTES_MAX }),
    signature: hex({ bytes: 64 }),
    member: optional(hex({ bytes: 32 })),
  },
  reply: {},
});
