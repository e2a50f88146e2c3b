/**
 * The rows of the table shown last, so that `get 3` means its third row: in the shell, and from one run of the program to the next.
 * @module
 */

import { Failure } from "../../core/failure.ts";
import { TABLE_ROWS_MAX } from "../../core/limits.ts";
import { formatCount } from "../../core/quantity.ts";
import { list, type ValueOf } from "../../protocol/field.ts";
import { Hit } from "../../protocol/shapes.ts";
import type { State } from "../../store/state/state.ts";

const ROWS = list(Hit, { max: TABLE_ROWS_MAX });
const SETTING = "last-table";

/** A row: a content, how many have it, and the first of them. */
export type Row = ValueOf<typeof Hit>;

/** The table shown last. */
export class LastTable {
  #rows: readonly Row[] = [];
  readonly #state: State | undefined;

  /** Takes over what an earlier run kept in `state`, if there is one. */
  constructor(state?: State) {
    this.#state = state;
    try {
      this.#rows = ROWS.check(JSON.parse(state?.setting(SETTING) ?? "[]"), "table");
    } catch {
      // Kept by another version, or damaged: then there is no last table.
    }
  }

  /** Row `number`, counted from 1. */
  row(number: number): Row | undefined {
    return this.#rows[number - 1];
  }

  /** Why a person who writes the number of a missing row gets nothing. */
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
    this.#state?.set(SETTING, JSON.stringify(this.#rows));
  }
}
