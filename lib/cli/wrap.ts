/**
 * Breaks lines between words, so that a narrow terminal does not break them in the middle of one. Pure. Called by output.ts.
 * @module
 */

import { textWidth } from "./style.ts";

/** The text with line feeds where its lines would be wider than `columns`. A word that is wider by itself is left to the terminal. */
export function wrapWords(text: string, columns: number): string {
  return text.split("\n").map((line) => textWidth(line) <= columns ? line : wrapLine(line, columns)).join("\n");
}

/** The columns that a text needs beside what stands before it; where there are fewer, it goes below that. */
const TEXT_COLUMNS_MIN = 24;

/**
 * The same for help: what does not fit into a line goes on under the text that it belongs to, which begins behind two spaces or more.
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
