/**
 * The messages with which one peer shows another a picture. Its bytes travel over UDP (datagram.ts)
 * between these two requests.
 * @module
 */

import { IMAGE_TYPES } from "../core/image_type.ts";
import { SHOW_BYTES_MAX } from "../core/limits.ts";
import { TOKEN_BYTES } from "./datagram.ts";
import { choice, count, hex } from "./field.ts";
import { request } from "./message.ts";
import { fileName, port } from "./shapes.ts";

/**
 * Opens a session: the receiver waits at `port` for datagrams from the address that asked, sealed
 * with `key`.
 *
 * @throws {Failure} "refused" by the owner, "busy", "malformed" for a second one on the same
 * connection before the first is over.
 */
export const Show = request("SHOW", {
  about: "Peer → peer: may I show you this picture? Its bytes then come as datagrams to `port`.",
  data: {
    name: fileName,
    size: count({ min: 1, max: SHOW_BYTES_MAX }),
    type: choice(IMAGE_TYPES),
    sha256: hex({ bytes: 32 }),
  },
  reply: { port, token: hex({ bytes: TOKEN_BYTES }), key: hex({ bytes: 32 }) },
});

/**
 * Ends a session.
 *
 * @throws {Failure} "timeout" when no more came, "corrupt" when it is not the picture that was
 * agreed on, and failures of the disk.
 */
export const Shown = request("SHOWN", {
  about: "Peer → peer: answer when the whole picture of the last SHOW on this connection has arrived.",
  data: {},
  reply: {},
});
