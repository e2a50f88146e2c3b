/**
 * Requests and answers of classroom clients in both dialects: JSON as in classroom A, words as in
 * classroom B. Every field is checked as strictly as in our own messages. Called by
 * lib/server/dialect_session.ts, lib/peer/serve/dialect_host.ts and lib/peer/get/dialect_fetch.ts.
 * @module
 */

import { type Address, formatAddress, parseAddress } from "../core/address.ts";
import type { Dialect } from "../core/dialect.ts";
import { Failure } from "../core/failure.ts";
import { DIALECT_ANSWER_BYTES_MAX, DIALECT_FILES_MAX, MESSAGE_BYTES_MAX, METHOD_BYTES_MAX } from "../core/limits.ts";
import { printable } from "../core/printable.ts";
import { decodeNames, nameAfter } from "./dialect_names.ts";
import { type Field, list, optional, record, text } from "./field.ts";
import { fileName, fileSize, port } from "./shapes.ts";

/**
 * A request of a classroom client. `port` is the one at which the client says that it serves. Its
 * host is never believed.
 */
export type DialectRequest =
  | { readonly kind: "join"; readonly port?: number | undefined; readonly files: readonly string[] }
  /**
   * With `isWhole`, `files` is everything that the client has now. Without, these files are added.
   */
  | {
    readonly kind: "update";
    readonly port?: number | undefined;
    readonly files: readonly string[];
    readonly isWhole: boolean;
  }
  /** Which peers have this file? The answer is a list of addresses. */
  | { readonly kind: "search"; readonly port?: number | undefined; readonly name: string }
  /** Does the peer at `port` have this file? */
  | { readonly kind: "confirm"; readonly port?: number | undefined; readonly name: string }
  /** Send me this file. Only a peer answers that. */
  | { readonly kind: "download"; readonly name: string }
  | { readonly kind: "leave"; readonly port?: number | undefined }
  /** What a person types. The answer is lines to read. */
  | { readonly kind: "find"; readonly query: string }
  | { readonly kind: "peers" }
  | { readonly kind: "help" };

/** Bare answers, as the classroom's own programs give them. */
export const DIALECT_ANSWERS = {
  joined: "JOIN_OK",
  updated: "UPDATE_OK",
  left: "LEAVE_OK",
  confirmed: "OK",
  notFound: "Arquivo não encontrado",
  found: "Arquivo Encontrado!",
  refused: "Download recusado",
} as const;

/** How a peer announces a file in JSON, or says no. */
export const DIALECT_HEADER = { ok: "OK", absent: "FILE_NOT_FOUND", yes: "SIM", no: "NAO" } as const;

const HTTP_REGEXP = /\sHTTP\/\d/;

/** A port as a number or as digits: some clients send it as the person typed it. */
const anyPort: Field<number> = {
  ...port,
  check: (value, path) =>
    port.check(typeof value === "string" && /^\d{1,5}$/.test(value) ? Number(value) : value, path),
};

const REQUEST = record({
  method: optional(text({ bytesMax: METHOD_BYTES_MAX })),
  data: optional(record({
    files: optional(list(fileName, { max: DIALECT_FILES_MAX })),
    file: optional(fileName),
    filename: optional(fileName),
    query: optional(fileName),
    port: optional(anyPort),
  })),
});

/** The fields of a request that a peer looks at. */
const DOWNLOAD = record({ data: optional(record({ filename: optional(fileName) })) });

const HEADER = record({
  status: text({ bytesMax: MESSAGE_BYTES_MAX }),
  data: optional(text({ bytesMax: MESSAGE_BYTES_MAX })),
  file_size: optional(fileSize),
});

/**
 * Reads a request.
 *
 * @throws {Failure} "malformed", with words for the author of the client. "unsupported" for
 * HTTP.
 */
export function decodeDialect(dialect: Dialect, bytes: Uint8Array): DialectRequest {
  const text = decodeText(bytes);
  return dialect === "json" ? decodeJson(text) : decodeWords(text);
}

/** An answer with addresses, as many as its reader reads. */
export function encodeAddresses(dialect: Dialect, addresses: readonly Address[]): string {
  if (addresses.length === 0 && dialect === "words") return DIALECT_ANSWERS.notFound;
  const shown = addresses.map(formatAddress);
  // The spaces are those of Python's json.dumps. Some clients take the list apart by hand.
  const encode = (some: readonly string[]): string =>
    dialect === "words" ? some.join(" ") : `[${some.map((each) => JSON.stringify(each)).join(", ")}]`;
  while (encode(shown).length > DIALECT_ANSWER_BYTES_MAX) shown.pop();
  return encode(shown);
}

/** An answer with a failure: its message, and its hint unless that is the general one. */
export function encodeDialectFailure(failure: Failure): string {
  const { message, hint } = failure.toWire();
  return `ERROR: ${printable(message)}${hint === undefined ? "" : ` (${printable(hint)})`}`;
}

/** The announcement of a file of `size` bytes, or the refusal to send it. */
export function encodeHeader(dialect: Dialect, size: number, allowed: boolean): string {
  if (dialect === "words") return allowed ? DIALECT_ANSWERS.found : DIALECT_ANSWERS.refused;
  const data = allowed ? DIALECT_HEADER.yes : DIALECT_HEADER.no;
  return JSON.stringify({ status: DIALECT_HEADER.ok, file_size: size, data });
}

/** The answer to a client that wants a file which is not here. */
export function encodeAbsent(dialect: Dialect): string {
  return dialect === "words" ? DIALECT_ANSWERS.notFound : JSON.stringify({ status: DIALECT_HEADER.absent });
}

/**
 * Asks the peer that serves at `port` for a file, as its own program would. In JSON it is the
 * request that the index also confirms. The port is text there, because the peer of classroom A
 * uses it as the name of its folder. In words the rest of the request is the name with its spaces:
 * these peers split once.
 */
export function encodeDownload(dialect: Dialect, name: string, port: number): Uint8Array {
  const text = dialect === "json"
    ? JSON.stringify({ method: "DOWNLOAD_REQUEST", data: { filename: name, port: String(port) } })
    : `DOWNLOAD ${name}`;
  return new TextEncoder().encode(text);
}

/**
 * Reads which file a client wants from a peer. In JSON any object with `data.filename` is such a
 * request, whatever its method.
 *
 * @returns The name of the file.
 * @throws {Failure} "malformed" for every other request, "unsupported" for HTTP.
 */
export function decodeDownload(dialect: Dialect, bytes: Uint8Array): string {
  const text = decodeText(bytes);
  if (dialect === "json") {
    const { filename } = DOWNLOAD.check(parseJson(text), "request").data ?? {};
    if (filename !== undefined) return filename;
  } else {
    const request = decodeWords(text);
    if (request.kind === "download") return request.name;
  }
  throw new Failure("malformed", "Cannot do that: this peer only sends files");
}

/**
 * Reads a peer's announcement, in JSON, of the requested file.
 *
 * @returns The size of what follows.
 * @throws {Failure} "not-shared", "refused" or "malformed".
 */
export function decodeHeader(bytes: Uint8Array, name: string): number {
  const { status, data, file_size: size } = HEADER.check(parseJson(decodeText(bytes)), "header");
  if (status === DIALECT_HEADER.absent) {
    throw new Failure("not-shared", `Cannot download "${name}": it is not shared there`);
  }
  if (data === DIALECT_HEADER.no) {
    throw new Failure("refused", `The owner refused to send "${name}"`, { hint: "ask them" });
  }
  if (status !== DIALECT_HEADER.ok || size === undefined) {
    throw new Failure("malformed", `Cannot download "${name}": the answer was "${status}", without a size`);
  }
  return size;
}

function decodeJson(text: string): DialectRequest {
  const { method = "", data = {} } = REQUEST.check(parseJson(text), "request");
  const { port, files = [], file, filename, query } = data;
  const name = filename ?? query ?? file;
  switch (method.toUpperCase()) {
    case "JOIN":
      return { kind: "join", port, files };
    case "UPDATE": {
      const isWhole = data.files !== undefined;
      return { kind: "update", port, files: name === undefined ? files : [...files, name], isWhole };
    }
    case "SEARCH":
      return { kind: "search", port, name: named(name, "data.query") };
    case "DOWNLOAD_REQUEST":
      return { kind: "confirm", port, name: named(name, "data.filename") };
    case "LEAVE":
      return { kind: "leave", port };
  }
  // To a peer, any method means this.
  if (filename !== undefined) return { kind: "download", name: filename };
  throw new Failure("malformed", `There is no method "${printable(method)}" here`, {
    hint: "JOIN, UPDATE, SEARCH, DOWNLOAD_REQUEST, LEAVE",
  });
}

function decodeWords(line: string): DialectRequest {
  // A page in a browser can make the browser send lines of the page's choice after those of HTTP.
  if (HTTP_REGEXP.test(line)) throw new Failure("unsupported", "Cannot answer HTTP on this port");
  const [verb, args] = cutWord(line.trim());
  const [first, rest] = cutWord(args);
  const at = portOf(first);
  switch (verb.toUpperCase()) {
    case "JOIN":
      return { kind: "join", port: requirePort(verb, at), files: checkNames(decodeNames(rest, "words")) };
    case "UPDATE":
      return {
        kind: "update",
        port: requirePort(verb, at),
        files: checkNames(decodeNames(rest, "one name")),
        isWhole: false,
      };
    case "SEARCH":
      return at === undefined
        ? { kind: "find", query: args === "" ? "" : fileName.check(nameAfter(args), "query") }
        : { kind: "search", port: at, name: named(nameAfter(rest), "name") };
    case "DOWNLOAD":
      return { kind: "download", name: named(nameAfter(args), "name") };
    case "LEAVE":
      return { kind: "leave", port: at };
    case "PEERS":
      return { kind: "peers" };
    case "HELP":
      return { kind: "help" };
  }
  throw new Failure("malformed", `There is no "${printable(verb)}" here`, { hint: "type HELP" });
}

/** The first word of a text without spaces around it, and what follows that word. */
function cutWord(text: string): [word: string, rest: string] {
  const end = text.search(/\s/);
  return end === -1 ? [text, ""] : [text.slice(0, end), text.slice(end).trimStart()];
}

function requirePort(verb: string, at: number | undefined): number {
  if (at !== undefined) return at;
  throw new Failure("malformed", `${printable(verb)} needs your address first`, {
    hint: `write: ${printable(verb)} 10.0.0.5:8776 file.mp4`,
  });
}

function checkNames(names: readonly string[]): string[] {
  if (names.length > DIALECT_FILES_MAX) {
    throw new Failure("malformed", `Cannot list more than ${DIALECT_FILES_MAX} files`);
  }
  return names.map((name) => fileName.check(name, "name"));
}

/** The port of an address, or undefined when the text is none. */
function portOf(word: string): number | undefined {
  if (!/:\d{1,5}$/.test(word)) return undefined;
  try {
    return port.check(parseAddress(word, { defaultPort: 0 }).port, "port");
  } catch {
    return undefined;
  }
}

function named(name: string | undefined, field: string): string {
  if (name === undefined || name === "") throw new Failure("malformed", `Which file? ${field} is missing`);
  return fileName.check(name, field);
}

function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Failure("malformed", "Cannot read that: it is not UTF-8", { cause });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Failure("malformed", "Cannot read that: it is not JSON", { cause });
  }
}
