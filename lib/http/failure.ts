/**
 * Failures over HTTP: the status of each code, and the response that reports a failure. Called by
 * api.ts. The OpenAPI document is made from the same table.
 * @module
 */

import { Failure, type FailureCode } from "../core/failure.ts";
import { FailureData } from "../protocol/envelope.ts";
import { record } from "../protocol/field.ts";

/** The status of each code, unless an {@linkcode HttpFailure} knows a better one. */
export const HTTP_STATUS = {
  "bad-name": 400,
  "busy": 503,
  "cancelled": 503,
  "closed": 503,
  "corrupt": 500,
  "disk-full": 500,
  "file-changed": 500,
  "folder-in-use": 500,
  "index-unreachable": 503,
  "internal": 500,
  "key-changed": 403,
  "malformed": 400,
  "name-taken": 409,
  "no-access": 500,
  "no-member": 401,
  "not-found": 404,
  "not-here": 503,
  "not-joined": 404,
  "not-shared": 404,
  "refused": 403,
  "timeout": 408,
  "too-large": 413,
  "unproven": 401,
  "unreachable": 503,
  "unsupported": 415,
  "usage": 400,
  "wrong-key": 403,
} as const satisfies Record<FailureCode, number>;

/** The Retry-After of a response that a later attempt may improve, in seconds. */
const RETRY_AFTER = "1";

/** The body of a response that reports a failure. */
export const HttpError = record({ error: FailureData });

/** What a failure adds to its response. */
export interface HttpFailureOptions {
  /** Default: the status of the code. */
  readonly status?: number | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** A failure with a status of its own, or with headers. */
export class HttpFailure extends Failure {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(failure: Failure, { status, headers = {} }: HttpFailureOptions = {}) {
    const { code, message, hint, suggestion, cause } = failure;
    super(code, message, { hint, cause, suggestion });
    this.status = status ?? HTTP_STATUS[code];
    this.headers = headers;
  }
}

/** Makes the response that reports a failure: the fields of the protocol's ERROR, below `error`. */
export function failureResponse(failure: Failure): Response {
  const status = failure instanceof HttpFailure ? failure.status : HTTP_STATUS[failure.code];
  const { hint, ...error } = failure.toWire();
  const body = { error: hint === undefined || hint === "" ? error : { ...error, hint } };
  const headers = new Headers(failure instanceof HttpFailure ? failure.headers : {});
  headers.set("cache-control", "no-store");
  if (status === 503) headers.set("retry-after", RETRY_AFTER);
  if (status === 401) headers.set("www-authenticate", 'Bearer realm="recess"');
  return Response.json(body, { status, headers });
}
