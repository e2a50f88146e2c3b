/**
 * Events of a peer as sentences for people.
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
import type { FolderStateEvent } from "../../peer/folder/open_state.ts";
import { namedWithKey } from "../../peer/find/who.ts";

/** Describes a request for consent: the peer, the file, its size, and how to answer. */
function describeRequest({ number, kind, peer, id, key, name, size }: Question): string {
  const changed = key === "changed" ? ", another key than before" : "";
  const named = id === NO_ID ? peer : `${peer} (${fingerprint(id)}${changed})`;
  const what = `"${name}" (${formatSize(size)})`;
  const wish = kind === "download"
    ? `wants to download ${what}`
    : kind === "upload"
    ? `wants to put ${what} here`
    : `wants to show you ${what}`;
  const always = id === NO_ID ? "" : ", always";
  return `Request ${number}: ${named} ${wish}. Answer: accept ${number}, refuse ${number}${always}`;
}

/**
 * Describes a message, with the sender's key when the name alone does not identify the sender; or
 * the delivery of messages.
 */
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
        : `A message was dropped, since ${event.peer} does not accept it: ${event.why}`;
  }
}

/** One event as one sentence. */
export function describeEvent(event: PeerEvent): string {
  return describe("peer" in event ? { ...event, peer: shownPeerName(event.peer) } : event);
}

function describe(event: PeerEvent): string {
  switch (event.event) {
    case "index-lost":
      return `Lost the index (${event.why}); trying to reach it again, running downloads continue`;
    case "index-back":
      return `Back at the index ${formatAddress(event.index)}`;
    case "index-refused":
      return `The index refused: ${event.why}`;
    case "unreachable":
      return `Others cannot reach you at ${formatAddress(event)}, so your files are not listed; open that port in ` +
        `this machine's firewall and start again with --port ${event.port} (searching and downloading work without it)`;
    case "reachable":
      return "Others can reach you now, so your files are listed";
    case "bad-source":
      return `No longer downloading "${event.file}" from ${event.peer}: ${event.why}`;
    case "asked":
      return describeRequest(event);
    case "answered":
      return event.allowed
        ? `Request ${event.number}: allowed`
        : event.inTime
        ? `Request ${event.number}: refused`
        : `Request ${event.number}: refused, since it was not answered in time`;
    case "picture":
      return `${namedWithKey(event.peer, event)} shows you ${event.name} (${formatSize(event.size)})` +
        (event.path === undefined ? "; it is not saved, since there is no inbox (--inbox)" : `: ${event.path}`);
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
        : `The inbox accepts nothing more: the disk of "${event.path}" is full; free space there to continue`;
    case "taken-back":
      return `${namedWithKey(event.peer, event)} took back ${event.name}`;
    case "unreadable":
    case "unnamable":
    case "other-bytes":
    case "folder-gone":
    case "folder-new":
    case "folder-foreign":
      return describeTrouble(event);
    case "download-waits":
      return event.isNamed === true
        ? `The download of "${event.file}" waits until there is room on that disk`
        : `The download of "${event.file}" waits: the disk of "${event.path}" is full; free space there to continue`;
    case "renamed":
      return `The name ${event.from} is taken, so yours is ${event.name}; choose another with --name`;
    default:
      return describeState(event);
  }
}

/** What is wrong with the shared folder or with a file in it. */
type ShareTrouble = Extract<
  PeerEvent,
  { readonly event: "unreadable" | "unnamable" | "other-bytes" | "folder-gone" | "folder-new" | "folder-foreign" }
>;

/** Describes what is wrong with the shared folder or with a file in it. */
function describeTrouble(event: ShareTrouble): string {
  switch (event.event) {
    case "unreadable":
      return `"${event.file}" cannot be read, so nobody can download it; check its permissions and the disk`;
    case "unnamable":
      return `"${event.file}" is not shared: its name is not valid Unicode; rename it to share it`;
    case "other-bytes":
      return `The bytes of "${event.file}" have changed, although its size and date have not: others now get the ` +
        "new bytes; if you did not change the file, the disk may be damaged";
    case "folder-gone":
      return `The shared folder "${event.path}" is gone, so its files are not shared; make it again to share them`;
    case "folder-new":
      return `There is another folder at "${event.path}" than before: its files are shared from now on`;
    case "folder-foreign":
      return `The folder that is now at "${event.path}" belongs to another peer, so its files are not shared; ` +
        "move the former folder back, or start this peer again";
  }
}

/** Describes an event of the files in `.recess/`. */
function describeState(event: FolderStateEvent): string {
  switch (event.event) {
    case "insecure":
      return event.why;
    case "state-damaged": {
      const kept = event.lost.length === 0
        ? "all of it could be read"
        : `could not read all of: ${event.lost.join(", ")}`;
      return `"${event.path}" was damaged, and was moved to "${event.aside}" (${kept})`;
    }
    case "state-replaced": {
      const kept = event.lost.length === 0 ? "nothing is lost" : `could not read all of: ${event.lost.join(", ")}`;
      const aside = event.aside === undefined ? "" : `, and what was there is now "${event.aside}"`;
      return `Another program deleted, truncated or replaced "${event.path}" while it was in use; ` +
        `it was written again (${kept})${aside}`;
    }
    case "set-aside":
      return `"${event.path}" was ${event.kind}, not a file, and was moved to "${event.aside}"`;
    case "trust-restored":
      return `The database had lost ${formatCount(event.peers, "known key")}, which were restored from "${event.path}"`;
    case "state-not-kept":
      return `${event.why}; this run is not remembered`;
    case "state-unwritten":
      return event.isNamed === true
        ? "Keys, messages and downloads are saved as soon as there is room on that disk"
        : `${event.why}; keys, messages and downloads are saved as soon as that is possible`;
    case "state-written":
      return `"${event.path}" can be written again, and everything is saved`;
  }
}
