/**
 * What a source reports about one content (`HOLDS`): which pieces it has, which it has sent or
 * promised to somebody, how many peers ask for it, and whether all its upload slots are in use.
 * Called by source_at_work.ts.
 * @module
 */

import { pieceCount } from "../../core/content.ts";
import type { Clock } from "../../core/flow/clock.ts";
import { failedWith, Failure } from "../../core/failure.ts";
import { PieceSet } from "../../core/piece_set.ts";
import { askAndRead } from "../../net/caller.ts";
import type { Connection } from "../../net/connection.ts";
import { Holds } from "../../protocol/files.ts";
import type { PlannedSource } from "../plan/plan_state.ts";

/**
 * How soon a source is asked again what it has, when it does not have everything or when others
 * also ask it.
 */
const LOOK_AGAIN_MS = 1_000;
/** How soon a source is asked again that has everything, when no other peer asks it. */
const LOOK_SELDOM_MS = 2_000;

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
  const count = pieceCount(size);
  const bitmapBytes = Math.ceil(count / 8);
  try {
    return await askAndRead(connection, Holds, { root }, async ({ data, bodyBytes }) => {
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
    });
  } catch (thrown) {
    if (failedWith(thrown, "unsupported")) return undefined;
    throw thrown;
  }
}

/** What a source reported last, and when it is to be asked again. */
export class Looks {
  holdings = EVERYTHING;
  readonly #size: number;
  readonly #clock: Clock;
  #dueMs = -Infinity;

  /** @param size The size of the content. */
  constructor(size: number, clock: Clock) {
    this.#size = size;
    this.#clock = clock;
  }

  /** How long until the next look is due; 0 or less when it is due now. */
  get dueInMs(): number {
    return this.#dueMs - this.#clock.now();
  }

  /**
   * Asks the source.
   *
   * @throws {Failure} As {@linkcode askHoldings} does.
   */
  async look(connection: Connection, root: string): Promise<void> {
    this.holdings = await askHoldings(connection, { root, size: this.#size }) ?? this.holdings;
    const { has, asking } = this.holdings;
    this.#dueMs = this.#clock.now() + (has !== undefined || asking > 1 ? LOOK_AGAIN_MS : LOOK_SELDOM_MS);
  }
}
