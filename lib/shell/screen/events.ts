/**
 * What a peer tells, as people read it.
 * @module
 */

import { formatAddress } from "../../core/address.ts";
import { NO_ID } from "../../core/dialect.ts";
import { fingerprint } from "../../core/fingerprint.ts";
import { shownPeerName } from "../../core/peer_name.ts";
import { formatCount, formatSize } from "../../core/quantity.ts";
import type { Question } from "../../peer/serve/consent.ts";
import type { PeerEvent } from "../../peer/peer_event.ts";
import type { ToldEvent } from "../../peer/talk/mailbox.ts";
import type { OutboxEvent } from "../../peer/talk/outbox.ts";
import { namedWithKey } from "../../peer/find/who.ts";

/** A question as a person reads it: who, what, how large, and how to answer. */
function describeQuestion({ number, kind, peer, id, key, name, size }: Question): string {
  const who = id === NO_ID
    ? peer
    : `${peer} (${fingerprint(id)}${key === "changed" ? ", another key than before" : ""})`;
  const what = `"${name}" (${formatSize(size)})`;
  const wish = kind === "download"
    ? `wants to download ${what}`
    : kind === "upload"
    ? `wants to put ${what} here`
    : `wants to show you ${what}`;
  const always = id === NO_ID ? "" : ", always";
  return `Question ${number}: ${who} ${wish}. Answer: accept ${number}, refuse ${number}${always}`;
}

/** A message, with the sender's key where the name alone does not say who it is; or what became of messages. */
function describeTalk(event: ToldEvent | OutboxEvent): string {
  switch (event.event) {
    case "told": {
      return `${namedWithKey(event.peer, event)}: ${event.text}`;
    }
    case "delivered":
      return `Delivered to ${event.peer}: ${formatCount(event.count, "message")} that waited`;
    case "undelivered":
      return event.kept
        ? `Messages wait for ${event.peer}: ${event.why}${event.hint === "" ? "" : ` (${event.hint})`}`
        : `A message was given up, since ${event.peer} does not take it: ${event.why}`;
  }
}

/** One event as one sentence. */
export function describeEvent(event: PeerEvent): string {
  return describe("peer" in event ? { ...event, peer: shownPeerName(event.peer) } : event);
}

function describe(event: PeerEvent): string {
  switch (event.event) {
    case "index-lost":
      return `Lost the index (${event.why}); trying to reach it again, running downloads go on`;
    case "index-back":
      return `Back at the index ${formatAddress(event.index)}`;
    case "index-refused":
      return `The index refused: ${event.why}`;
    case "unreachable":
      return `Others cannot reach you at ${
        formatAddress(event)
      }, so your files are not listed; open that port in this ` +
        "machine's firewall and start again (searching and downloading work all the same)";
    case "bad-source":
      return `${event.peer} is not asked for "${event.file}" any more: ${event.why}`;
    case "asked":
      return describeQuestion(event);
    case "answered":
      return event.allowed
        ? `Question ${event.number}: allowed`
        : event.inTime
        ? `Question ${event.number}: refused`
        : `Question ${event.number}: nobody answered, so it was refused`;
    case "picture":
      return `${namedWithKey(event.peer, event)} shows you ${event.name} (${formatSize(event.size)})` +
        (event.path === undefined ? "; it is not kept, since there is no inbox (--inbox)" : `: ${event.path}`);
    case "picture-lost":
      return `${event.name} from ${namedWithKey(event.peer, event)} did not arrive: ${event.why}`;
    case "told":
    case "delivered":
    case "undelivered":
      return describeTalk(event);
    case "received":
      return `${namedWithKey(event.peer, event)} put ${event.name} here (${formatSize(event.size)})`;
    case "inbox-full":
      return event.isNamed === true
        ? "The inbox accepts nothing more until there is room on that disk"
        : `The inbox takes nothing more: the disk of "${event.path}" is full; make room there, and it goes on`;
    case "taken-back":
      return `${namedWithKey(event.peer, event)} took back ${event.name}`;
    case "unreadable":
      return `"${event.file}" cannot be read, so nobody can get it; check its permissions and the disk`;
    case "unnamable":
      return `"${event.file}" is not shared: its name is no Unicode text; rename it to share it`;
    case "other-bytes":
      return `"${event.file}" has other bytes than before, though its size and date are the same: others now get what ` +
        "it holds now; if you did not change it, the disk may be damaged";
    case "insecure":
      return event.why;
    case "download-waits":
      return event.isNamed === true
        ? `The download of "${event.file}" waits until there is room on that disk`
        : `The download of "${event.file}" waits: the disk of "${event.path}" is full; make room there, and it goes on`;
    case "state-damaged": {
      const kept = event.lost.length === 0
        ? "all of it was read"
        : `not all could be read of: ${event.lost.join(", ")}`;
      return `"${event.path}" was damaged; it lies at "${event.aside}" now (${kept})`;
    }
    case "state-replaced": {
      const kept = event.lost.length === 0 ? "nothing is lost" : `not all could be read of: ${event.lost.join(", ")}`;
      return `Another program deleted or cut "${event.path}" while it was in use; it was written again (${kept})`;
    }
    case "set-aside":
      return `"${event.path}" was ${event.kind}, not a file; it lies at "${event.aside}" now`;
    case "trust-restored":
      return `The database had lost ${formatCount(event.peers, "known key")}, which came back from "${event.path}"`;
    case "state-not-kept":
      return `${event.why}; what happens in this run is not remembered`;
    case "state-unwritten":
      return event.isNamed === true
        ? "What is remembered is written as soon as there is room on that disk"
        : `${event.why}; what is remembered is written as soon as that is possible`;
    case "state-written":
      return `"${event.path}" can be written again, and everything is written`;
    case "renamed":
      return `${event.from} is taken here, so you are ${event.name}; choose a name with --name`;
  }
}
