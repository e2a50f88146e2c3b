/**
 * Gives up a list of digests that comes too slowly. While a file has no root, what is here from an
 * earlier attempt is compared with the digests as they come, and a source that withholds them would
 * hold everything up. Called by download.ts.
 * @module
 */

import type { Clock } from "../../core/flow/clock.ts";
import { Failure } from "../../core/failure.ts";
import type { PieceList } from "./piece_list.ts";

/** How often the list is looked at. */
const LOOK_MS = 500;
/** Time for the first digests, and further time for each: an owner hashes much faster. */
const FIRST_MS = 3_000;
const EACH_MS = 250;

/** What the watch of a list needs. */
export interface ListWatchOptions {
  readonly clock: Clock;
  /** Whether other sources can be asked for their lists. If not, there is nothing to gain. */
  readonly hasOthers: () => boolean;
}

/** Watches one list until it is disposed of. */
export class ListWatch implements Disposable {
  readonly #over = new AbortController();

  constructor(list: PieceList, options: ListWatchOptions) {
    this.#watch(list, options).catch(() => {});
  }

  async #watch(list: PieceList, { clock, hasOthers }: ListWatchOptions): Promise<void> {
    const startMs = clock.now();
    while (list.root === undefined) {
      await clock.delay(LOOK_MS, this.#over.signal);
      if (!hasOthers() || clock.now() - startMs < FIRST_MS + list.known * EACH_MS) continue;
      list.fail(new Failure("timeout", "The digests of what is here do not come in time"));
      return;
    }
  }

  [Symbol.dispose](): void {
    this.#over.abort("what is here has been compared");
  }
}
