/**
 * The commands that send and list messages.
 * @module
 */

import { MESSAGES_KEPT_MAX, TELL_BYTES_MAX } from "../../core/limits.ts";
import { shownPeerName } from "../../core/peer_name.ts";
import { printable } from "../../core/printable.ts";
import type { KeptMessage } from "../../peer/talk/outbox.ts";
import { type Command, peerCommand, type PeerContext } from "./command.ts";
import { parseCount } from "../../cli/flags.ts";

/** The commands. */
export const TALK_COMMANDS: readonly Command[] = [
  peerCommand({
    name: "tell",
    args: [{ name: "PEER", completes: "peers" }, { name: "TEXT", takes: "text", completes: "peers" }],
    about: "send the message TEXT to PEER; if PEER is away, it is delivered when PEER is back",
    more: `A message has at most ${TELL_BYTES_MAX} bytes. In the shell, everything after the name is sent as typed. ` +
      "A message that cannot be delivered is stored with your folder, and sent in order as soon as your peer " +
      "and PEER are both connected.",
    flags: {},
    run: tell,
  }),
  peerCommand({
    name: "messages",
    args: [{ name: "PEER", takes: "optional", completes: "peers" }],
    about: "list the messages sent and received; with PEER, only those to and from PEER",
    flags: { limit: { value: "N", about: "show at most N rows", byDefault: "20" } },
    check: ({ limit }) => void parseCount("limit", limit),
    run: listMessages,
  }),
];

async function tell(
  { output, peer }: PeerContext,
  [name, words]: readonly [peer: string, text: readonly string[]],
): Promise<void> {
  const told = await peer.outbox.tell(name, words.join(" "));
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
  { output, peer }: PeerContext,
  [name]: readonly [peer: string | undefined],
  flags: { readonly limit: string },
): Promise<void> {
  const self = peer.name;
  const limit = Math.min(parseCount("limit", flags.limit), MESSAGES_KEPT_MAX);
  const messages = peer.outbox.history({ peer: name, limit });
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

/** A time in this machine's time zone, to the minute: 2026-11-21 02:16. */
function formatTime(ms: number): string {
  const time = new Date(ms);
  const two = (part: number): string => String(part).padStart(2, "0");
  const day = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join("-");
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())}`;
}
