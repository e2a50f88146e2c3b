/**
 * Messages from person to person.
 * @module
 */

import { TELL_BYTES_MAX } from "../core/limits.ts";
import { count, text } from "./field.ts";
import { request } from "./message.ts";

const number = count({ min: 1, max: Number.MAX_SAFE_INTEGER });

/** What is told: text of any kind, which whoever shows it has to make printable. */
export const toldText = text({ bytesMax: TELL_BYTES_MAX });

/**
 * Tells a person something. Who tells is who has proven to call. Numbers only rise, by one sender to one receiver, and the next message is sent
 * when the one before is acknowledged; so a number up to the last one taken is a message that was sent again, and is acknowledged without being
 * shown. They begin at the milliseconds since 1970, so that a sender that has lost its state goes on above what it has said before.
 *
 * The reply is the acknowledgement: the message is stored. `last` is the highest number taken; above the message's own, it says that the sender
 * has lost count, and has to number what it still has to say from there.
 */
export const Tell = request("TELL", {
  about: "Peer → peer: show this to your owner, unless you have taken this `number` or a higher one from me before.",
  data: { number, text: toldText },
  reply: { last: number },
});
