/**
 * What the index writes down: one line per event, for the person who watches it (classroom A's server did) or, with `--json`, for a program.
 * @module
 */

import { type Address, formatAddress } from "../core/address.ts";
import { printable, printableJson } from "../core/printable.ts";
import { formatCount } from "../core/quantity.ts";

/** Everything that is written down. */
export type JournalEvent =
  | {
    readonly event: "joined";
    readonly peer: string;
    readonly from: Address;
    readonly files: number;
    readonly reachable: boolean;
  }
  | {
    readonly event: "listed";
    readonly peer: string;
    readonly added: number;
    readonly removed: number;
    readonly files: number;
  }
  | { readonly event: "searched"; readonly peer: string; readonly query: string; readonly hits: number }
  | {
    readonly event: "asked";
    readonly peer: string;
    readonly owner: string;
    readonly file: string;
    readonly found: boolean;
  }
  /** A name without a connection, over HTTP. */
  | { readonly event: "registered"; readonly peer: string; readonly from: Address; readonly seconds: number }
  | { readonly event: "left"; readonly peer: string; readonly why: string }
  | { readonly event: "refused"; readonly peer: string; readonly code: string; readonly message: string }
  | { readonly event: "closing"; readonly peers: number }
  | { readonly event: "bug"; readonly message: string; readonly trace: string };

/** Takes what is to be written down. */
export type Journal = (event: JournalEvent) => void;

/** One event as one line for people: the time of day, then a sentence. Nothing in it can leave its line. */
export function journalLine(event: JournalEvent, time: Date): string {
  return `${time.toTimeString().slice(0, 8)}  ${printable(sentence(event))}`;
}

/** One event as one JSON object on one line. */
export function journalJson(event: JournalEvent, time: Date): string {
  return printableJson({ time: time.toISOString(), ...event });
}

function sentence(event: JournalEvent): string {
  switch (event.event) {
    case "joined": {
      const { peer, from, files, reachable } = event;
      const shared = reachable ? `with ${formatCount(files, "file")}` : "but cannot be reached there, so lists nothing";
      return `${peer} joined from ${formatAddress(from)} ${shared}`;
    }
    case "listed":
      return `${event.peer} lists ${formatCount(event.files, "file")} (+${event.added} -${event.removed})`;
    case "searched":
      return `${event.peer} searched "${event.query}": ${formatCount(event.hits, "hit")}`;
    case "asked":
      return `${event.peer} asked ${event.owner} for "${event.file}": ${event.found ? "listed" : "not listed"}`;
    case "registered":
      return `${event.peer} registered ${formatAddress(event.from)} for ${event.seconds} s`;
    case "left":
      return `${event.peer} left: ${event.why}`;
    case "refused":
      return `${event.peer} refused (${event.code}): ${event.message}`;
    case "closing":
      return `closing; saying goodbye to ${formatCount(event.peers, "peer")}`;
    case "bug":
      return `bug: ${event.message}`;
  }
}
