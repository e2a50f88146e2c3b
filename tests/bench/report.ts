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
  const names = [...new Set(rows.flatMap((row) => Object.keys(row.figures)))];
  const columns = [{ title }, ...names.map((name) => ({ title: name, align: "right" as const }))];
  const cells = rows.map((row) => [row.what, ...names.map((name) => shown(row.figures[name]))]);
  console.log(`\n${renderTable(columns, cells, { columns: Infinity, style: stylerFor(Deno.stdout.isTerminal()) })}`);
}

function shown(value: string | number | undefined): string {
  if (value === undefined) return "";
  if (typeof value === "string") return value;
  return Number.isInteger(value) ? value.toLocaleString("en-US") : value.toFixed(value < 10 ? 2 : 1);
}
