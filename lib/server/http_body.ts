/**
 * Reads the body of a request: JSON, bounded in bytes and in time, whether its length was announced or it comes in chunks.
 * @module
 */

import { Failure } from "../core/failure.ts";
import { HTTP_BODY_BYTES_MAX, HTTP_BODY_WAIT_MS } from "../core/limits.ts";
import type { HttpRequest } from "./http_exchange.ts";
import { HttpFailure } from "./http_failure.ts";

/** Why a connection ends: what is left of the body is not read. */
const CLOSE = { connection: "close" };

/** The body's value, not checked yet. Fails: "unsupported" if it is no JSON by its type, "malformed", "too-large", "timeout". */
export async function readJson(
  request: Pick<HttpRequest, "headers" | "body">,
  { waitMs = HTTP_BODY_WAIT_MS } = {},
): Promise<unknown> {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    // A page elsewhere may send other types without asking first; this one it may not.
    throw new Failure("unsupported", "Cannot read the body: it has to be JSON", {
      hint: "send it with Content-Type: application/json",
    });
  }
  if (Number(request.headers.get("content-length") ?? 0) > HTTP_BODY_BYTES_MAX) throw tooLarge();
  const bytes = await readBody(request, waitMs);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (thrown) {
    throw new Failure("malformed", "Cannot read the body: it is no JSON", { cause: thrown });
  }
}

async function readBody(request: Pick<HttpRequest, "body">, waitMs: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(HTTP_BODY_BYTES_MAX);
  let size = 0;
  const reader = request.body?.getReader();
  if (reader === undefined) return bytes.subarray(0, 0);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    reader.cancel().catch(() => {});
  }, waitMs);
  try {
    while (true) {
      const { done, value } = await reader.read();
      if (late) throw new HttpFailure(new Failure("timeout", "The body did not arrive in time"), { headers: CLOSE });
      if (done) return bytes.subarray(0, size);
      if (size + value.length > bytes.length) {
        reader.cancel().catch(() => {});
        throw tooLarge();
      }
      bytes.set(value, size);
      size += value.length;
    }
  } catch (thrown) {
    if (thrown instanceof Failure) throw thrown;
    throw new Failure("malformed", "Cannot read the body: it ended in the middle", { cause: thrown });
  } finally {
    clearTimeout(timer);
  }
}

function tooLarge(): HttpFailure {
  const failure = new Failure("too-large", `Cannot read the body: it has more than ${HTTP_BODY_BYTES_MAX} bytes`);
  return new HttpFailure(failure, { headers: CLOSE });
}
