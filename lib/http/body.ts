/**
 * Reads the JSON body of a request, bounded in bytes and in time. Called by route.ts.
 * @module
 */

import { LimitedBytesTransformStream } from "@std/streams/limited-bytes-transform-stream";
import { toBytes } from "@std/streams/to-bytes";
import { Failure } from "../core/failure.ts";
import { HTTP_BODY_BYTES_MAX, HTTP_BODY_WAIT_MS } from "../core/limits.ts";
import type { HttpRequest } from "./exchange.ts";
import { HttpFailure } from "./failure.ts";

/** Ends the connection after the response, since the rest of the body is not read. */
const CLOSE = { connection: "close" };

/**
 * Reads a body.
 *
 * @returns The value, not checked yet.
 * @throws {Failure} "unsupported" when the type is not JSON; "malformed", "too-large", "timeout".
 */
export async function readJson(
  request: Pick<HttpRequest, "headers" | "body">,
  { waitMs = HTTP_BODY_WAIT_MS } = {},
): Promise<unknown> {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    // A page of another site can send the other types without asking first. It cannot send this
    // one.
    throw new Failure("unsupported", "Cannot read the body: it has to be JSON", {
      hint: "send it with Content-Type: application/json",
    });
  }
  if (Number(request.headers.get("content-length") ?? 0) > HTTP_BODY_BYTES_MAX) throw tooLarge();
  const bytes = await readBody(request.body, waitMs);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (thrown) {
    throw new Failure("malformed", "Cannot read the body: it is not JSON", { cause: thrown });
  }
}

async function readBody(body: HttpRequest["body"], waitMs: number): Promise<Uint8Array> {
  if (body === null) return new Uint8Array();
  const waiting = new AbortController();
  const late = new HttpFailure(new Failure("timeout", "The body did not arrive in time"), { headers: CLOSE });
  const timer = setTimeout(() => waiting.abort(late), waitMs);
  const limited = new LimitedBytesTransformStream(HTTP_BODY_BYTES_MAX, { error: true });
  try {
    return await toBytes(body.pipeThrough(limited, { signal: waiting.signal }));
  } catch (thrown) {
    if (waiting.signal.aborted) throw late;
    if (thrown instanceof RangeError) throw tooLarge();
    throw new Failure("malformed", "Cannot read the body: it ended in the middle", { cause: thrown });
  } finally {
    clearTimeout(timer);
  }
}

function tooLarge(): HttpFailure {
  const failure = new Failure("too-large", `Cannot read the body: it has more than ${HTTP_BODY_BYTES_MAX} bytes`);
  return new HttpFailure(failure, { headers: CLOSE });
}
