/**
 * Breaks lines between words, so that a narrow terminal does not break them in the middle of one. Pure. Called by output.ts.
 * @module
 */

import { textWidth } from "./style.ts";

/** The text with line feeds where its lines would be wider than `columns`. A word that is wider by itself is left to the terminal. */
export function wrapWords(text: string, columns: number): string {
  return text.split("\n").map((line) => textWidth(line) <= columns ? line : wrapLine(line, columns)).join("\n");
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
