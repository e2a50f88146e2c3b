/**
 * What a bench found, as rows: for people a table, for programs one JSON object a row.
 * @module
 */

import { printableJson } from "../../lib/core/printable.ts";
import { stylerFor } from "../../lib/cli/style.ts";
import { renderTable } from "../../lib/cli/table.ts";

/** One figure of one thing that was measured. */
export interface BenchRow {
  /** What was measured. */
  readonly what: string;
  /** Figures by name, in the order of the columns; numbers with their unit in the name. */
  readonly figures: Readonly<Record<string, string | number | undefined>>;
}

/** Prints a section. */
export function report(title: string, rows: readonly BenchRow[], options: { json: boolean }): void {
  if (options.json) {
    for (const { what, figures } of rows) console.log(printableJson({ section: title, what, ...figures }));
    return;
  }
  const [names, cells] = cellsOf(rows);
  const columns = [{ title }, ...names.map((name) => ({ title: name, align: "right" as const }))];
  console.log(`\n${renderTable(columns, cells, { columns: Infinity, style: stylerFor(Deno.stdout.isTerminal()) })}`);
}

/** The titles of the columns after the first, and the cells of all rows. */
export function cellsOf(rows: readonly BenchRow[]): [titles: string[], cells: string[][]] {
  const titles = [...new Set(rows.flatMap((row) => Object.keys(row.figures)))];
  return [titles, rows.map((row) => [row.what, ...titles.map((title) => shown(row.figures[title]))])];
}

/** The smallest and the largest of several values, as a cell. */
export function rangeOf(values: readonly number[]): string {
  const shown = (value: number): string => value < 10 ? value.toFixed(2) : String(Math.round(value));
  return `${shown(Math.min(...values))}-${shown(Math.max(...values))}`;
}

/** A figure as people read it. */
export function shown(value: string | number | undefined): string {
  if (value === undefined) return "";
  if (typeof value === "string") return value;
  return Number.isInteger(value) ? value.toLocaleString("en-US") : value.toFixed(value < 10 ? 2 : 1);
}
