/**
 * What a source reports about one content (`HOLDS`): which pieces it has, which it has sent or
 * promised to somebody, how many peers ask for it, and whether all its upload slots are in use.
 * Called by source_at_work.ts.
 * @module
 */

import { pieceCount } from "../../core/content.ts";
import { failedWith, Failure } from "../../core/failure.ts";
import { PieceSet } from "../../core/piece_set.ts";
import { ask } from "../../net/caller.ts";
import type { Connection } from "../../net/connection.ts";
import { Holds } from "../../protocol/files.ts";
import type { PlannedSource } from "../plan/plan_state.ts";

/** What a source reports, as the plan sees it. */
export type Holdings = Pick<PlannedSource, "has" | "given" | "asking" | "isFull">;

/**
 * Assumed for a source that has not been asked yet, or does not know `HOLDS`. It lists the whole
 * file, so it has every piece.
 */
export const EVERYTHING: Holdings = { has: undefined, given: undefined, asking: 1, isFull: false };

/**
 * Asks a source which pieces of a content it has.
 *
 * @returns Undefined when it does not know `HOLDS`.
 * @throws {Failure} "malformed" when its answer does not fit the size; and as the source fails.
 */
export async function askHoldings(
  connection: Connection,
  { root, size }: { readonly root: string; readonly size: number },
): Promise<Holdings | undefined> {
  const answer = await ask(connection, Holds, { root }).catch((thrown) => {
    if (!failedWith(thrown, "unsupported")) throw thrown;
  });
  if (answer === undefined) return undefined;
  const { data, bodyBytes } = answer;
  const count = pieceCount(size);
  const bitmapBytes = Math.ceil(count / 8);
  if (data.size !== size || bodyBytes !== bitmapBytes * (data.complete ? 1 : 2)) {
    throw new Failure("malformed", `Got bitmaps that do not fit a file of ${size} bytes`);
  }
  const body = new Uint8Array(bodyBytes);
  await connection.readBody(body);
  return {
    has: data.complete ? undefined : new PieceSet(count, body.subarray(0, bitmapBytes)),
    given: new PieceSet(count, body.subarray(bodyBytes - bitmapBytes)),
    asking: data.asking,
    isFull: data.full,
  };
}
