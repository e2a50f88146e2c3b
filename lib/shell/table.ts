/**
 * Tables that fit the terminal. Pure: values and a width in, text out.
 * @module
 */

import { printable } from "../core/printable.ts";
import { cutMiddle, padText, type Styler, textWidth } from "./style.ts";

/** A column. One that is `flexible` gives way when the table is too wide, the widest first; its texts are then cut in the middle. */
export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  readonly flexible?: boolean;
}

/** Columns between two columns of a table. */
const GAP = 2;
/** A flexible column is not made narrower than this, even if the table then does not fit. */
const FLEXIBLE_MIN = 8;

/**
 * Lays a table out within `columns` characters. Every cell is made printable here. Lines have no spaces at their end.
 */
export function renderTable(
  table: readonly Column[],
  rows: readonly (readonly string[])[],
  options: { columns: number; style: Styler },
): string {
  const cells = rows.map((row) => row.map(printable));
  const widths = fitWidths(table, cells, options.columns);
  const line = (texts: readonly string[]): string => {
    const padded = table.map((column, index) => {
      const width = widths[index] ?? 0;
      return padText(cutMiddle(texts[index] ?? "", width), width, column.align);
    });
    return padded.join(" ".repeat(GAP)).trimEnd();
  };
  const header = options.style(line(table.map((column) => column.title)), "bold");
  return [header, ...cells.map(line)].join("\n");
}

function fitWidths(table: readonly Column[], cells: readonly (readonly string[])[], columns: number): number[] {
  const widths = table.map((column, index) => {
    return cells.reduce((widest, row) => Math.max(widest, textWidth(row[index] ?? "")), textWidth(column.title));
  });
  let excess = widths.reduce((sum, width) => sum + width + GAP, -GAP) - columns;
  while (excess > 0) {
    const flexible = table.map((column, index) => column.flexible === true ? widths[index] ?? 0 : 0);
    const widest = Math.max(...flexible);
    if (widest <= FLEXIBLE_MIN) break;
    const second = Math.max(FLEXIBLE_MIN, ...flexible.filter((width) => width < widest));
    const index = flexible.indexOf(widest);
    const cut = Math.min(excess, Math.max(1, widest - second));
    widths[index] = widest - cut;
    excess -= cut;
  }
  return widths;
}
