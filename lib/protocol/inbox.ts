/**
 * Messages by which one peer puts files into another's inbox, and takes back what it put there.
 *
 * After `PUT`, and until it is answered, the connection is used both ways: who takes the file asks for it with `PIECES` and `DOWNLOAD`, as for any
 * other, and who puts it answers for this one content alone. So nobody is called back, a peer behind a firewall can put files too, and what
 * arrives is verified and resumed as downloads are.
 * @module
 */

import { flag } from "./field.ts";
import { news, request } from "./message.ts";
import { fileName, fileSize, root } from "./shapes.ts";

/** Offers a file. Answered when it has its place. Fails: "refused" where there is no inbox, no room or no consent; "bad-name"; and as downloads do. */
export const Put = request("PUT", {
  about: "Peer → peer: take this file into your inbox; ask me for it on this connection. Answered with its name there.",
  data: { name: fileName, size: fileSize, root },
  reply: { name: fileName, alreadyHere: flag() },
});

/** How a file that is put gets on; told whenever there is more, and now and then, as a sign of life. */
export const Taken = news("TAKEN", {
  about: "Peer → peer: so many bytes of what you put are here, verified (or while `checking`, looked at).",
  data: { done: fileSize, checking: flag() },
});

/** Takes back. `name` is the one that `PUT_OK` gave, or its last part. Fails: "not-found", "file-changed". */
export const Remove = request("REMOVE", {
  about: "Peer → peer: delete the file of this name that I put into your inbox.",
  data: { name: fileName },
  reply: { name: fileName },
});
