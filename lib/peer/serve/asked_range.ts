/**
 * The range of a file that a DOWNLOAD asks for. Called by host.ts and by lib/peer/inbox/offer.ts.
 * @module
 */

import { Failure } from "../../core/failure.ts";
import type { Range } from "../../core/range.ts";

/**
 * Reads the range of a request for a file of `size` bytes.
 *
 * @param asked.end The end of the range. Default: the end of the file.
 * @throws {Failure} "malformed" when the range is not within the file.
 */
export function askedRange(asked: { readonly start: number; readonly end?: number | undefined }, size: number): Range {
  const { start, end = size } = asked;
  if (start <= end && end <= size) return { start, end };
  throw new Failure("malformed", `Cannot send bytes ${start} to ${end}: the file has ${size}`);
}
