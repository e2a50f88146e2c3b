/**
 * The JSON codec: one message is one object on one line. There are four kinds. README.md shows
 * each.
 *
 * A message is checked in two steps, because only the receiver knows which messages it accepts.
 * `decodeLine` reads the envelope and leaves `data` as it came. The definition's `check` then reads
 * the data.
 * @module
 */

import { Failure } from "../core/failure.ts";
import { CODE_BYTES_MAX, LINE_BYTES_MAX, MESSAGE_BYTES_MAX, METHOD_BYTES_MAX } from "../core/limits.ts";
import { cutToUtf8, isLongerInUtf8 } from "../core/utf8.ts";
import { count, flag, optional, record, text } from "./field.ts";
import type { News, Request } from "./message.ts";

/**
 * A received message, with its data not checked yet. Id 0 answers a line without a readable id.
 */
export type Envelope =
  | { readonly kind: "request"; readonly method: string; readonly data: unknown; readonly id: number }
  | {
    readonly kind: "reply";
    readonly status: string;
    readonly data: unknown;
    readonly id: number;
    /** How many raw bytes follow the line. */
    readonly body: number;
  }
  | { readonly kind: "failure"; readonly failure: Failure; readonly id: number }
  | { readonly kind: "news"; readonly event: string; readonly data: unknown };

const NAME = text({ bytesMax: METHOD_BYTES_MAX });
const ID = count({ max: Number.MAX_SAFE_INTEGER });
const BODY = count({ max: Number.MAX_SAFE_INTEGER });
const FAILURE_STATUS = "ERROR";
const FAILURE_DATA = {
  code: text({ bytesMax: CODE_BYTES_MAX }),
  message: text({ bytesMax: MESSAGE_BYTES_MAX }),
  retry: flag(),
  // An empty hint differs from an absent one, which stands for the hint of the code.
  hint: optional(text({ bytesMin: 0, bytesMax: MESSAGE_BYTES_MAX })),
  suggestion: optional(text({ bytesMax: MESSAGE_BYTES_MAX })),
};

/** The data of an `ERROR` reply. */
export const FailureData = record(FAILURE_DATA);

/** The fields of `FailureData`, for the protocol table. */
export const FAILURE_SHAPE = FAILURE_DATA;

const DECODER = new TextDecoder("utf-8", { fatal: true });
const ENCODER = new TextEncoder();

/**
 * Reads one line, without its line feed.
 *
 * @throws {Failure} "malformed" for everything that is not one of the four kinds.
 */
export function decodeLine(line: Uint8Array): Envelope {
  const value = parseObject(line);
  // Own fields only: `{"__proto__":{"method":"JOIN"}}` has no method.
  const field = (name: string): unknown => Object.hasOwn(value, name) ? value[name] : undefined;
  const [method, data, givenId] = [field("method"), field("data"), field("id")];
  const id = givenId === undefined ? 0 : ID.check(givenId, "id");
  if (method !== undefined) return { kind: "request", method: NAME.check(method, "method"), data: data ?? {}, id };
  const event = field("event");
  if (event !== undefined) return { kind: "news", event: NAME.check(event, "event"), data: data ?? {} };
  const status = NAME.check(field("status"), "status");
  if (status === FAILURE_STATUS) {
    return { kind: "failure", failure: Failure.fromWire(FailureData.check(data, "data")), id };
  }
  const announced = field("body");
  const body = announced === undefined ? 0 : BODY.check(announced, "body");
  return { kind: "reply", status, data: data ?? {}, id, body };
}

/** The line of a request, with its line feed. */
export function encodeRequest<D, R>(message: Request<D, R>, data: D, id: number): Uint8Array {
  return encodeLine({ method: message.method, data: message.data.check(data, message.method), id });
}

/**
 * The line of a reply, with its line feed. `body` raw bytes have to follow.
 *
 * @throws An error that is no failure when the data is no such reply: that is a bug here, not a
 * fault of the caller.
 */
export function encodeReply<D, R>(message: Request<D, R>, data: R, id: number, body?: number): Uint8Array {
  const status = `${message.method}_OK`;
  let checked: R;
  try {
    checked = message.reply.check(data, status);
  } catch (cause) {
    throw new TypeError(`Cannot reply ${status}`, { cause });
  }
  return encodeLine(body === undefined ? { status, data: checked, id } : { status, data: checked, id, body });
}

/** The line of an `ERROR` reply, with its line feed. Texts that are too long are cut. */
export function encodeFailure(failure: Failure, id: number): Uint8Array {
  const wire = failure.toWire();
  const data = {
    ...wire,
    message: cutText(wire.message || wire.code, MESSAGE_BYTES_MAX),
    hint: wire.hint === undefined ? undefined : cutText(wire.hint, MESSAGE_BYTES_MAX),
  };
  return encodeLine({ status: FAILURE_STATUS, data: FailureData.check(data, "failure"), id });
}

/** The line of news, with its line feed. */
export function encodeNews<D>(message: News<D>, data: D): Uint8Array {
  return encodeLine({ event: message.event, data: message.data.check(data, message.event) });
}

function encodeLine(envelope: object): Uint8Array {
  const line = ENCODER.encode(JSON.stringify(envelope) + "\n");
  if (line.length > LINE_BYTES_MAX) throw new RangeError(`Cannot send a line of ${line.length} bytes: send batches`);
  return line;
}

function parseObject(line: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(DECODER.decode(line));
  } catch (cause) {
    throw new Failure("malformed", "Cannot read the message: it is not JSON in UTF-8", { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Failure("malformed", "Cannot read the message: it is not a JSON object");
  }
  return value as Record<string, unknown>;
}

/** The longest beginning of a text that fits. */
function cutText(text: string, bytesMax: number): string {
  const whole = text.toWellFormed().replaceAll("\0", "\\0");
  return isLongerInUtf8(whole, bytesMax) ? `${cutToUtf8(whole, bytesMax - 3)}…` : whole;
}
