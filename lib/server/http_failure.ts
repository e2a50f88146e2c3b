/**
 * Failures over HTTP: which status each code has, and what the answer looks like. Called by http_api.ts; the document that describes the API is
 * made of the same table.
 * @module
 */

import { Failure, type FailureCode } from "../core/failure.ts";

/** The status of each code, where nothing more special is known. */
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

/** When to come back, in seconds, where that may help. */
const RETRY_AFTER = "1";

/** A failure that HTTP has a status of its own for, or headers. */
export class HttpFailure extends Failure {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(failure: Failure, options: { readonly status?: number; readonly headers?: Record<string, string> } = {}) {
    const { hint, suggestion } = failure;
    super(failure.code, failure.message, {
      hint,
      cause: failure.cause,
      ...(suggestion === undefined ? {} : { suggestion }),
    });
    this.status = options.status ?? HTTP_STATUS[failure.code];
    this.headers = options.headers ?? {};
  }
}

/** The answer that tells of a failure: the fields of the wire's ERROR, below `error`. */
export function failureResponse(failure: Failure): Response {
  const status = failure instanceof HttpFailure ? failure.status : HTTP_STATUS[failure.code];
  const { hint, ...error } = failure.toWire();
  const body = { error: { ...error, ...(hint === undefined || hint === "" ? {} : { hint }) } };
  const headers = new Headers(failure instanceof HttpFailure ? failure.headers : {});
  headers.set("cache-control", "no-store");
  if (status === 503) headers.set("retry-after", RETRY_AFTER);
  if (status === 401) headers.set("www-authenticate", 'Bearer realm="recess"');
  return Response.json(body, { status, headers });
}
