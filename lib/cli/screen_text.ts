/**
 * The last step on the way to a terminal: every line of output and every name that Tab offers passes through here, from every part of the program, so that one
 * forgotten `printable` elsewhere does no harm. Called by output.ts, terminal.ts and progress_display.ts.
 * @module
 */

import { printable } from "../../core/printable.ts";
import { STYLE_CODES } from "../../cli/style.ts";

const OWN_REGEXP = new RegExp(`(\\n|${STYLE_CODES.map((code) => code.replace("[", "\\[")).join("|")})`);

/** The text with line feeds and our own styles as they are, and every other character that a terminal might act on as an escape. */
export function screenText(text: string): string {
  return text.split(OWN_REGEXP).map((part) => OWN_REGEXP.test(part) ? part : printable(part)).join("");
}

/** Columns to count with where a terminal does not know how many it has, as on a serial line. */
const COLUMNS_BY_DEFAULT = 80;

/** Columns of the terminal: a whole number from 1. */
export function terminalColumns(): number {
  try {
    return usableColumns(Deno.consoleSize().columns);
  } catch {
    return COLUMNS_BY_DEFAULT;
  }
}

/** The number of columns that a terminal reports, or a usual one where that makes no sense. */
export function usableColumns(reported: number): number {
  return Number.isSafeInteger(reported) && reported > 0 ? reported : COLUMNS_BY_DEFAULT;
}
