/**
 * The messages from person to person.
 * @module
 */

import { TELL_BYTES_MAX } from "../core/limits.ts";
import { count, text } from "./field.ts";
import { request } from "./message.ts";

const number = count({ min: 1, max: Number.MAX_SAFE_INTEGER });

/** The text of a message, of any kind. A program that shows it has to make it printable. */
export const toldText = text({ bytesMax: TELL_BYTES_MAX });

/**
 * Sends a person a message. Its sender is the peer that has proven its key. Numbers only rise from
 * one sender to one receiver, and the next message is sent after the one before is acknowledged. So
 * a number up to the last accepted one is a message that was sent again: it is acknowledged without
 * being shown. Numbers begin at the milliseconds since 1970, so that a sender that has lost its
 * state continues above its earlier ones.
 *
 * The reply is the acknowledgement: the message is stored. `last` is the highest accepted number.
 * When it is above the message's own, the sender has lost count and has to number its remaining
 * messages from there.
 */
export const Tell = request("TELL", {
  about:
    "Peer → peer: show this text to your owner, unless you already accepted this `number` or a higher one from me.",
  data: { number, text: toldText },
  reply: { last: number },
});
