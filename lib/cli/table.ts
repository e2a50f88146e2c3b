/**
 * Tables that fit the terminal. Pure: values and a width in, text out.
 * @module
 */

import { printable } from "../core/printable.ts";
import { cutMiddle, padText, type Styler, textWidth } from "./style.ts";
import { wrapWords } from "./wrap.ts";

/**
 * A column. When the table is too wide, the `flexible` columns become narrower, the widest first. A
 * column that is flexible "last" keeps its width until the others are narrow. Texts that no longer
 * fit are cut in the middle. In a column that `wraps`, they continue in further rows instead.
 */
export interface Column {
  readonly title: string;
  readonly align?: "left" | "right" | undefined;
  readonly flexible?: boolean | "last" | undefined;
  readonly wraps?: boolean | undefined;
}

/** Columns between two columns of a table. */
const GAP = 2;
/** The minimum width of a flexible column, even when the table does not fit. */
const FLEXIBLE_MIN = 8;
/** Flexible columns become this narrow before columns that are flexible "last" do. */
const NARROW = 12;
/**
 * Columns that are flexible "last" become this narrow before all flexible columns shrink to the
 * minimum.
 */
const NARROW_LAST = 16;

/**
 * Lays a table out within `columns` characters, with every cell made printable. Lines have no
 * spaces at their end.
 */
export function renderTable(
  table: readonly Column[],
  rows: readonly (readonly string[])[],
  options: { columns: number; style: Styler },
): string {
  const cells = rows.map((row) => row.map(printable));
  const widths = fitWidths(table, cells, options.columns);
  const row = (texts: readonly string[]): string => {
    const parts = table.map((column, index) =>
      column.wraps ? wrapped(texts[index] ?? "", widths[index] ?? 0) : [texts[index] ?? ""]
    );
    const height = Math.max(...parts.map(({ length }) => length));
    return Array.from({ length: height }, (_, at) => line(parts.map((each) => each[at] ?? ""))).join("\n");
  };
  const line = (texts: readonly string[]): string => {
    const padded = table.map((column, index) => {
      const width = widths[index] ?? 0;
      return padText(cutMiddle(texts[index] ?? "", width), width, column.align);
    });
    return padded.join(" ".repeat(GAP)).trimEnd();
  };
  const header = options.style(line(table.map((column) => column.title)), "bold");
  return [header, ...cells.map(row)].join("\n");
}

/** Breaks a text into rows of at most `columns`: between words, or within a word that is longer. */
function wrapped(text: string, columns: number): string[] {
  return wrapWords(text, columns).split("\n").flatMap((row) => {
    const rows: string[] = [];
    let rest = "";
    for (const { segment } of new Intl.Segmenter().segment(row)) {
      if (rest !== "" && textWidth(rest + segment) > columns) {
        rows.push(rest);
        rest = "";
      }
      rest += segment;
    }
    return [...rows, rest];
  });
}

function fitWidths(table: readonly Column[], cells: readonly (readonly string[])[], columns: number): number[] {
  const widths = table.map((column, index) => {
    return cells.reduce((widest, row) => Math.max(widest, textWidth(row[index] ?? "")), textWidth(column.title));
  });
  let excess = widths.reduce((sum, width) => sum + width + GAP, -GAP) - columns;
  const narrow = (may: (column: Column) => boolean, min: number): void => {
    while (excess > 0) {
      const flexible = table.map((column, index) => may(column) ? widths[index] ?? 0 : 0);
      const widest = Math.max(...flexible);
      if (widest <= min) break;
      const second = Math.max(min, ...flexible.filter((width) => width < widest));
      const index = flexible.indexOf(widest);
      const cut = Math.min(excess, Math.max(1, widest - second));
      widths[index] = widest - cut;
      excess -= cut;
    }
  };
  narrow(({ flexible }) => flexible === true, NARROW);
  narrow(({ flexible }) => flexible === "last", NARROW_LAST);
  narrow(({ flexible }) => flexible !== undefined && flexible !== false, FLEXIBLE_MIN);
  return widths;
}
