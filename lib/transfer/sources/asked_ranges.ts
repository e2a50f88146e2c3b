/**
 * What one source was asked for: the range that it delivers now, and perhaps the next one, which it
 * was asked for ahead. Called by source_at_work.ts.
 * @module
 */

import type { Range } from "../../core/range.ts";
import type { TurnRecord } from "./source_record.ts";

/** One request for a range. */
export interface AskedRange {
  /** What is still to come. */
  left: Range;
  readonly record: TurnRecord;
  /**
   * Resolves when the request before it has ended, to whether that ended well; undefined when it
   * was asked alone.
   */
  readonly before: Promise<boolean> | undefined;
  /** Ends it, well or not. */
  readonly end: (isGood: boolean) => void;
}

/** The requests to one source, in the order in which it answers them. */
export class AskedRanges {
  readonly #all: AskedRange[] = [];
  #last: Promise<boolean> | undefined;

  /** The request that is answered now. */
  get first(): AskedRange | undefined {
    return this.#all[0];
  }

  /** The request that is answered after it. */
  get next(): AskedRange | undefined {
    return this.#all[1];
  }

  /** Begins a request. */
  begin(range: Range, record: TurnRecord): AskedRange {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const before = this.#all.length === 0 ? undefined : this.#last;
    const asked: AskedRange = {
      left: range,
      record,
      before,
      end: (isGood) => {
        this.#all.splice(this.#all.indexOf(asked), 1);
        resolve(isGood);
      },
    };
    this.#all.push(asked);
    this.#last = promise;
    return asked;
  }
}
