/**
 * The journal of the index: one line for each event, for a person or, with `--json`, for a program.
 * (The server of classroom A also has such a log.) lib/server/README.md lists the events.
 * @module
 */

import { type Address, formatAddress } from "../core/address.ts";
import { Failure } from "../core/failure.ts";
import { printable, printableJson } from "../core/printable.ts";
import { formatCount } from "../core/quantity.ts";
import type { SharedIndexEvent } from "../index/search_index.ts";

/** The events. */
export type JournalEvent =
  | {
    readonly event: "joined";
    readonly peer: string;
    readonly from: Address;
    readonly files: number;
    readonly reachable: boolean;
  }
  /** The index has reached a peer that was not reachable when it joined. */
  | { readonly event: "reached"; readonly peer: string; readonly from: Address }
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
  /** A program registered a name over HTTP. */
  | { readonly event: "registered"; readonly peer: string; readonly from: Address; readonly seconds: number }
  | { readonly event: "left"; readonly peer: string; readonly why: string }
  | { readonly event: "refused"; readonly peer: string; readonly code: string; readonly message: string }
  /** Others can read a secret of the index, or guess it. */
  | { readonly event: "insecure"; readonly why: string }
  /** SIGHUP: the index read the room's key again. */
  | { readonly event: "rekeyed" }
  /** SIGHUP, but the room's key stays as it was. */
  | { readonly event: "not-rekeyed"; readonly why: string }
  /** The log could not be written for a while, and lines of it are lost. */
  | { readonly event: "log-lost"; readonly lines: number; readonly why: string }
  | { readonly event: "closing"; readonly peers: number }
  | SharedIndexEvent
  | { readonly event: "bug"; readonly message: string; readonly trace: string };

/** The levels of the log. Each has the events of all levels before it. */
export const LOG_LEVELS = ["error", "warn", "info", "debug"] as const;

/** A level of the log. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * The level of each event. Searches are private, and by far the most frequent events, so the
 * default level has none.
 */
export const LEVEL_OF = {
  joined: "info",
  reached: "info",
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

/**
 * Reads a level.
 *
 * @throws {Failure} "usage".
 */
export function parseLogLevel(text: string): LogLevel {
  const level = LOG_LEVELS.find((each) => each === text);
  if (level !== undefined) return level;
  throw new Failure("usage", `Cannot use "${text}" for --log-level`, { hint: `write one of ${LOG_LEVELS.join(", ")}` });
}

/** Whether the log has an event at a level. */
export function isWritten({ event }: JournalEvent, level: LogLevel): boolean {
  return LOG_LEVELS.indexOf(LEVEL_OF[event]) <= LOG_LEVELS.indexOf(level);
}

/** Records an event. */
export type Journal = (event: JournalEvent) => void;

/**
 * An event as a line for people: the time of day, then a sentence. Control characters are escaped.
 */
export function journalLine(event: JournalEvent, time: Date): string {
  return `${time.toTimeString().slice(0, 8)}  ${printable(sentence(event))}`;
}

/**
 * An event as a JSON object on one line: `time`, `level` and `event`, then the fields of that
 * event.
 */
export function journalJson(event: JournalEvent, time: Date): string {
  return printableJson({ time: time.toISOString(), level: LEVEL_OF[event.event], ...event });
}

/** The event of an error that is a bug of ours, with its stack. */
export function bugEvent(thrown: unknown): JournalEvent {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  return { event: "bug", message: error.message, trace: error.stack ?? "" };
}

function sentence(event: JournalEvent): string {
  switch (event.event) {
    case "joined": {
      const { peer, from, files, reachable } = event;
      const shared = reachable
        ? `with ${formatCount(files, "file")}`
        : "but is not reachable there, so it lists nothing";
      return `${peer} joined from ${formatAddress(from)} ${shared}`;
    }
    case "reached":
      return `${event.peer} is reachable at ${formatAddress(event.from)} now`;
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
      return `Redis is away (${event.why}): connected peers stay listed, and no new peer can join`;
    case "redis-back":
      return `Redis is back; ${formatCount(event.peers, "peer")} of this server registered there again`;
    case "server-gone":
      return `server ${event.server} has died; removed its ${formatCount(event.peers, "peer")}`;
    case "rekeyed":
      return "read the room key again: new connections need it";
    case "not-rekeyed":
      return `kept the room key: ${event.why}`;
    case "insecure":
      return event.why;
    case "log-lost":
      return `${event.why}; the log has lost ${formatCount(event.lines, "line")}`;
    case "closing":
      return `closing; saying goodbye to ${formatCount(event.peers, "peer")}`;
    case "bug":
      return `bug: ${event.message}`;
  }
}
