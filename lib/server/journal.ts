/**
 * What the index writes down: one line per event, for the person who watches it (classroom A's server did) or, with `--json`, for a program.
 * @module
 */

import { type Address, formatAddress } from "../core/address.ts";
import { Failure } from "../core/failure.ts";
import { printable, printableJson } from "../core/printable.ts";
import { formatCount } from "../core/quantity.ts";
import type { SharedIndexEvent } from "../index/search_index.ts";

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
  /** A secret of the index is not one. */
  | { readonly event: "insecure"; readonly why: string }
  /** SIGHUP: the room's key was read again. */
  | { readonly event: "rekeyed" }
  /** SIGHUP, but the key is what it was. */
  | { readonly event: "not-rekeyed"; readonly why: string }
  /** The log could not be written for a while; so many lines of it are lost. */
  | { readonly event: "log-lost"; readonly lines: number; readonly why: string }
  | { readonly event: "closing"; readonly peers: number }
  | SharedIndexEvent
  | { readonly event: "bug"; readonly message: string; readonly trace: string };

/** How much is written down, each level with all before it. */
export const LOG_LEVELS = ["error", "warn", "info", "debug"] as const;

/** One of them. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** How much each event matters. Searches are the most by far, and nobody's business by default. */
export const LEVEL_OF = {
  joined: "info",
  listed: "info",
  searched: "debug",
  asked: "info",
  registered: "info",
  left: "info",
  refused: "warn",
  rekeyed: "info",
  "not-rekeyed": "warn",
  "redis-away": "error",
  "redis-back": "warn",
  "server-gone": "warn",
  insecure: "warn",
  "log-lost": "error",
  closing: "info",
  bug: "error",
} as const satisfies Record<JournalEvent["event"], LogLevel>;

/** Reads a level. Fails: "usage". */
export function parseLogLevel(text: string): LogLevel {
  const level = LOG_LEVELS.find((each) => each === text);
  if (level !== undefined) return level;
  throw new Failure("usage", `Cannot use "${text}" for --log-level`, { hint: `write one of ${LOG_LEVELS.join(", ")}` });
}

/** Whether an event is written down at a level. */
export function isWritten({ event }: JournalEvent, level: LogLevel): boolean {
  return LOG_LEVELS.indexOf(LEVEL_OF[event]) <= LOG_LEVELS.indexOf(level);
}

/** Takes what is to be written down. */
export type Journal = (event: JournalEvent) => void;

/** One event as one line for people: the time of day, then a sentence. Nothing in it can leave its line. */
export function journalLine(event: JournalEvent, time: Date): string {
  return `${time.toTimeString().slice(0, 8)}  ${printable(sentence(event))}`;
}

/** One event as one JSON object on one line: `time`, `level` and `event` first, then what that event has. */
export function journalJson(event: JournalEvent, time: Date): string {
  return printableJson({ time: time.toISOString(), level: LEVEL_OF[event.event], ...event });
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
    case "redis-away":
      return `Redis is away (${event.why}): who is here stays and is found, nobody joins`;
    case "redis-back":
      return `Redis is back; ${formatCount(event.peers, "peer")} of this server announced`;
    case "server-gone":
      return `server ${event.server} is gone, and ${formatCount(event.peers, "peer")} with it`;
    case "rekeyed":
      return "read the room key again: whoever connects from now on needs it";
    case "not-rekeyed":
      return `kept the room key: ${event.why}`;
    case "insecure":
      return event.why;
    case "log-lost":
      return `${event.why}, for a while; ${formatCount(event.lines, "line")} got lost`;
    case "closing":
      return `closing; saying goodbye to ${formatCount(event.peers, "peer")}`;
    case "bug":
      return `bug: ${event.message}`;
  }
}
