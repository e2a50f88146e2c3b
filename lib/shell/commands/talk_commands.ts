/**
 * The commands by which people talk.
 * @module
 */

import { MESSAGES_KEPT_MAX, TELL_BYTES_MAX } from "../../core/limits.ts";
import { shownPeerName } from "../../core/peer_name.ts";
import { printable } from "../../core/printable.ts";
import type { KeptMessage } from "../../peer/talk/outbox.ts";
import { type Command, type CommandContext, type CommandFlags, joined } from "./command.ts";
import { parseCount } from "../../cli/flags.ts";

/** The commands. */
export const TALK_COMMANDS: readonly Command[] = [
  {
    name: "tell",
    args: "PEER TEXT...",
    about: "send the message TEXT to PEER; if PEER is away, it is delivered when PEER is back",
    more:
      `Up to ${TELL_BYTES_MAX} bytes. In the shell everything after the name is sent as typed. A message that cannot be delivered is kept, and sent in order when your peer runs on this folder and PEER is here.`,
    flags: {},
    completes: ["peers"],
    needs: "peer",
    count: { min: 2, max: Infinity },
    textAfter: 2,
    run: tell,
  },
  {
    name: "messages",
    args: "[PEER]",
    about: "list the messages sent and received; with PEER, only those to and from PEER",
    flags: { limit: { value: "N", about: "how many rows at most", byDefault: "20" } },
    completes: ["peers"],
    needs: "peer",
    count: { min: 0, max: 1 },
    check: (flags) => void limitOf(flags),
    run: listMessages,
  },
];

async function tell(
  { output, peer }: CommandContext,
  [name = "", ...words]: readonly string[],
): Promise<void> {
  const told = await joined(peer).outbox.tell(name, words.join(" "));
  if (told.waitsFor === undefined) {
    const { peer, id } = told;
    return output.result(`Delivered to ${shownPeerName(peer)}`, { event: "delivered", peer, id, count: 1 });
  }
  const { message, code } = told.waitsFor;
  output.result(`Kept for ${shownPeerName(told.peer)}, to be delivered when both of you are here: ${message}`, {
    event: "waiting",
    peer: told.peer,
    id: told.id,
    code,
    why: message,
  });
}

function listMessages(
  { output, peer }: CommandContext,
  [name]: readonly string[],
  flags: CommandFlags,
): Promise<void> {
  const self = joined(peer).name;
  const limit = limitOf(flags);
  const messages = joined(peer).outbox.history({ peer: name, limit });
  if (messages.length === 0) {
    const none = name === undefined ? "There are no messages" : `There are no messages with ${printable(name)}`;
    output.nothing(`${none}: write one with tell PEER TEXT`);
  }
  output.table(
    [
      { title: "time" },
      { title: "from", flexible: true },
      { title: "to", flexible: true },
      { title: "text", flexible: true, wraps: true },
      { title: "state" },
    ],
    messages.map((message) => {
      const { at, id, number, text, state } = message;
      const { from, to } = endsOf(message, self);
      return {
        cells: [formatTime(at), shownPeerName(from), shownPeerName(to), text, state],
        object: { event: "message", at, from, to, id, number, text, state },
      };
    }),
  );
  return Promise.resolve();
}

function endsOf({ peer, state }: KeptMessage, self: string): { from: string; to: string } {
  return state === "received" ? { from: peer, to: self } : { from: self, to: peer };
}

function limitOf(flags: CommandFlags): number {
  return Math.min(parseCount("limit", String(flags["limit"])), MESSAGES_KEPT_MAX);
}

/** A time of this machine's clock, to the minute: 2026-11-21 02:16. */
function formatTime(ms: number): string {
  const time = new Date(ms);
  const two = (part: number): string => String(part).padStart(2, "0");
  const day = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join("-");
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())}`;
}
