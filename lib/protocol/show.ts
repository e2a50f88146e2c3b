/**
 * Messages by which one peer shows another a picture. Its bytes travel over UDP (datagram.ts) between these two requests.
 * @module
 */

import { IMAGE_TYPES } from "../core/image_type.ts";
import { SHOW_BYTES_MAX } from "../core/limits.ts";
import { TOKEN_BYTES } from "./datagram.ts";
import { choice, count, hex } from "./field.ts";
import { request } from "./message.ts";
import { fileName, port } from "./shapes.ts";

/**
 * Opens a session: the one who is shown something waits for datagrams at `port`, from the address that asked, sealed with `key`. Fails: "refused"
 * by the owner, "busy", "malformed" for a second one on the same connection before the first is over.
 */
export const Show = request("SHOW", {
  about: "Peer → peer: may I show you this picture? Then its bytes come as datagrams to `port`.",
  data: {
    name: fileName,
    size: count({ min: 1, max: SHOW_BYTES_MAX }),
    type: choice(IMAGE_TYPES),
    sha256: hex({ bytes: 32 }),
  },
  reply: { port, token: hex({ bytes: TOKEN_BYTES }), key: hex({ bytes: 32 }) },
});

/** Ends a session. Fails: "timeout" when no more came, "corrupt" when it is not the picture that was agreed on, as the disk does. */
export const Shown = request("SHOWN", {
  about: "Peer → peer: tell me when the picture of the last SHOW on this connection is there, whole.",
  data: {},
  reply: {},
});
