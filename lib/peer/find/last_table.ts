/**
 * The rows of the table that was shown last. They give `get 3` its meaning, in the shell and from
 * one run of the program to the next.
 * @module
 */

import { Failure } from "../../core/failure.ts";
import { TABLE_ROWS_MAX } from "../../core/limits.ts";
import { formatCount } from "../../core/quantity.ts";
import { list } from "../../protocol/field.ts";
import { Hit } from "../../protocol/shapes.ts";
import type { State } from "../../store/state/state.ts";

const ROWS = list(Hit, { max: TABLE_ROWS_MAX });
const SETTING = "last-table";

/** A content, how many peers have it, and the first of them. */
export type Row = Hit;

/** The table shown last. */
export class LastTable {
  #rows: readonly Row[] = [];
  readonly #state: State | undefined;

  /**
   * @param state Where the table of an earlier run is, and where this one is kept. Default:
   * nowhere.
   */
  constructor(state?: State) {
    this.#state = state;
    try {
      this.#rows = ROWS.check(JSON.parse(state?.setting(SETTING) ?? "[]"), "table");
    } catch {
      // Another version wrote it, or it is damaged. Then there is no last table.
    }
  }

  /** Row `number`, counted from 1. */
  row(number: number): Row | undefined {
    return this.#rows[number - 1];
  }

  /** The failure for a number that no row has. */
  noRow(number: number): Failure {
    const { length } = this.#rows;
    const message = length === 0
      ? `There is no row ${number}, since there is no table yet`
      : `There is no row ${number}: the last table has ${formatCount(length, "row")}`;
    return new Failure("not-found", message, { hint: "search, then write the number of a row: get NUMBER" });
  }

  /** Replaces the table. */
  show(rows: readonly Row[]): void {
    this.#rows = rows.slice(0, TABLE_ROWS_MAX);
    // With the fields in one order, an equal table is no change, so that nothing is written.
    this.#state?.set(SETTING, JSON.stringify(ROWS.check(this.#rows, "table")));
  }
}
