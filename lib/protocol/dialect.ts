/**
 * Tells classroom dialects from our own wire by the first bytes of a connection, and finds the end
 * of a JSON object that no line feed follows. Pure. Called by lib/net/dialect_reader.ts. README.md,
 * "Classroom dialects", has the rules in words.
 * @module
 */

import type { Dialect } from "../core/dialect.ts";
import { HELLO_LINE_BYTES_MAX } from "../core/limits.ts";
import { Hello } from "./hello.ts";

const LINE_FEED = 0x0a;
const SPACES = [0x20, 0x09];
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BRACE = 0x7b;
const END_BRACE = 0x7d;

const LATIN1 = new TextDecoder("latin1");

/** How our own first message begins. Nothing else has to be looked at. */
const OURS = `{"method":"${Hello.method}"`;
/**
 * Prefixes that identify a classroom request before all of it has arrived, and prefixes that are
 * still ambiguous.
 */
const CLASSROOM_REGEXP = /^\s*\{\s*(?:"method"\s*:\s*[^\s]|"data"\s*:)/;
const NOTHING_YET_REGEXP = /^\s*\{\s*(?:"(?:[a-z]*|method"\s*(?::\s*(?:"[A-Z_]*)?)?|data"\s*))?$/;
const HELLO_REGEXP = new RegExp(`^\\s*\\{\\s*"method"\\s*:\\s*"${Hello.method}"`);
/** What every request of ours has, and no classroom's. */
const ID_REGEXP = /[^\\]"id"\s*:/;

/**
 * Which way the other side speaks, by everything that has arrived. Undefined while it is not clear.
 * What is neither counts as "native", where it is rejected with a sentence.
 */
export function tellApart(arrived: Uint8Array): "native" | Dialect | undefined {
  const start = arrived.findIndex((byte) => !SPACES.includes(byte));
  const first = arrived[start];
  if (first === undefined) return arrived.length > HELLO_LINE_BYTES_MAX ? "native" : undefined;
  if (isLetter(first)) return "words";
  if (first !== BRACE) return "native";
  const bytes = arrived.subarray(start);
  if (startsWith(bytes, OURS)) return "native";
  const end = new JsonEnd().push(bytes);
  if (end !== undefined) return whoseObject(bytes.subarray(0, end));
  // Our own messages are complete at their line feed.
  if (bytes.length > HELLO_LINE_BYTES_MAX) return whoseBeginning(bytes);
  return bytes.includes(LINE_FEED) && !NOTHING_YET_REGEXP.test(LATIN1.decode(bytes))
    ? whoseBeginning(bytes)
    : undefined;
}

/**
 * Finds the end of a JSON object by its braces, but not those inside strings. Looks at each byte
 * once.
 */
export class JsonEnd {
  #depth = 0;
  #inString = false;
  #escaped = false;
  #seen = 0;

  /**
   * Takes the next bytes. The first of all is the opening brace.
   *
   * @returns How many of these bytes belong to the object, or undefined when it has not ended.
   */
  push(bytes: Uint8Array): number | undefined {
    for (const byte of bytes) {
      this.#seen += 1;
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === BACKSLASH) this.#escaped = true;
        else if (byte === QUOTE) this.#inString = false;
      } else if (byte === QUOTE) this.#inString = true;
      else if (byte === BRACE) this.#depth += 1;
      else if (byte === END_BRACE && --this.#depth === 0) return this.#seen;
    }
    return undefined;
  }
}

function whoseObject(bytes: Uint8Array): "native" | Dialect {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return whoseBeginning(bytes);
  }
  if (typeof value !== "object" || value === null || Object.hasOwn(value, "id")) return "native";
  const method = Object.getOwnPropertyDescriptor(value, "method")?.value;
  if (method === Hello.method) return "native";
  return Object.hasOwn(value, "method") || Object.hasOwn(value, "data") ? "json" : "native";
}

function whoseBeginning(bytes: Uint8Array): "native" | Dialect {
  const text = LATIN1.decode(bytes.subarray(0, HELLO_LINE_BYTES_MAX));
  return CLASSROOM_REGEXP.test(text) && !HELLO_REGEXP.test(text) && !ID_REGEXP.test(text) ? "json" : "native";
}

function isLetter(byte: number): boolean {
  return /[a-z]/i.test(String.fromCharCode(byte));
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  return bytes.length >= text.length && [...text].every((character, index) => character.charCodeAt(0) === bytes[index]);
}
