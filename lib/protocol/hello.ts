/**
 * The first message on every connection, to an index or to a peer.
 * @module
 */

import { count, optional, text } from "./field.ts";
import { request } from "./message.ts";
import { peerName } from "./shapes.ts";

const version = count({ max: 65_535 });
const software = text({ bytesMax: 64 });

/** Says which version of the wire one speaks. A peer says its name, too, which is not yet proven by that; an index has none. */
export const Hello = request("HELLO", {
  about: "Anybody → anybody, first: which version of the wire I speak, and who you are.",
  data: { version, software, name: optional(peerName) },
  reply: { version, software, name: optional(peerName) },
});
