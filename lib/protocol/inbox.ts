/**
 * The messages with which one peer puts files into another's inbox, and removes them again.
 *
 * After `PUT`, and until it is answered, both sides use the connection: the receiver requests the
 * file with `PIECES` and `DOWNLOAD`, like any other, and the sender answers for this one content
 * only. So nobody is called back, a peer behind a firewall can also put files, and the bytes are
 * verified and resumed as in downloads.
 * @module
 */

import { flag } from "./field.ts";
import { news, request } from "./message.ts";
import { fileName, fileSize, root } from "./shapes.ts";

/**
 * Offers a file. Answered when the file has its place.
 *
 * @throws {Failure} "refused" without an inbox, room or consent, "bad-name", and what downloads
 * throw.
 */
export const Put = request("PUT", {
  about:
    "Peer → peer: put this file into your inbox. Request it from me on this connection. The reply has its name there.",
  data: { name: fileName, size: fileSize, root },
  reply: { name: fileName, alreadyHere: flag() },
});

/**
 * The progress of a file that is put. Sent whenever there is more, and now and then as a sign of
 * life.
 */
export const Taken = news("TAKEN", {
  about: "Peer → peer: so many bytes of your file are here and verified, or, while `checking`, were read again.",
  data: { done: fileSize, checking: flag() },
});

/**
 * Removes a file that was put. `name` is the one in `PUT_OK`, or its last part.
 *
 * @throws {Failure} "not-found", "file-changed".
 */
export const Remove = request("REMOVE", {
  about: "Peer → peer: delete the file with this name that I put into your inbox.",
  data: { name: fileName },
  reply: { name: fileName },
});
