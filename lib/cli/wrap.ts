/**
 * Breaks lines between words, so that a narrow terminal does not break them within a word. Pure.
 * Called by output.ts and streams.ts.
 * @module
 */

import { textWidth } from "./style.ts";

/**
 * Breaks lines that are wider than `columns`. A single word that is wider is left to the terminal.
 */
export function wrapWords(text: string, columns: number): string {
  return text.split("\n").map((line) => textWidth(line) <= columns ? line : wrapLine(line, columns)).join("\n");
}

/**
 * The minimum width of the second column of help. Where less is left, its text moves below the
 * first column.
 */
const TEXT_COLUMNS_MIN = 24;

/**
 * Breaks the lines of help. The rest of a line continues below its last column; two spaces or more
 * separate columns.
 */
export function wrapHelp(text: string, columns: number): string {
  return text.split("\n").map((line) => {
    if (textWidth(line) <= columns) return line;
    const [before = "", indent = ""] = /^(\s*)\S(?:.*?\S)?\s{2,}(?=\S)/.exec(line) ?? /^(\s*)/.exec(line) ?? [];
    const isBeside = columns - textWidth(before) >= TEXT_COLUMNS_MIN;
    const margin = isBeside ? " ".repeat(textWidth(before)) : `${indent}    `;
    const rows = wrapLine(line.slice(before.length), columns - margin.length).split("\n");
    const head = isBeside ? [before + (rows.shift() ?? "")] : before.trim() === "" ? [] : [before.trimEnd()];
    return [...head, ...rows.map((row) => margin + row)].join("\n");
  }).join("\n");
}

function wrapLine(line: string, columns: number): string {
  const rows: string[] = [];
  let row: string | undefined;
  for (const word of line.split(" ")) {
    if (row !== undefined && textWidth(`${row} ${word}`) > columns) {
      rows.push(row);
      row = word;
    } else row = row === undefined ? word : `${row} ${word}`;
  }
  return [...rows, row].join("\n");
}
