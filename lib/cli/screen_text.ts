/**
 * The last step on the way to a terminal: every line of output and every name that Tab offers is
 * escaped here, so a call of `printable` that is missing elsewhere does no harm. Called by
 * streams.ts, terminal.ts and progress_display.ts.
 * @module
 */

import { printable } from "../core/printable.ts";
import { STYLE_CODES } from "./style.ts";

const OWN_REGEXP = new RegExp(`(\\n|${STYLE_CODES.map((code) => code.replace("[", "\\[")).join("|")})`);

/**
 * Escapes every character that a terminal might act on, except line feeds and the codes of our own
 * styles.
 */
export function screenText(text: string): string {
  return text.split(OWN_REGEXP).map((part) => OWN_REGEXP.test(part) ? part : printable(part)).join("");
}

/** The width to assume for a terminal that does not report one, such as a serial line. */
const COLUMNS_BY_DEFAULT = 80;

/** The columns of the terminal: a whole number from 1. */
export function terminalColumns(): number {
  try {
    return usableColumns(Deno.consoleSize().columns);
  } catch {
    return COLUMNS_BY_DEFAULT;
  }
}

/** The number of columns that a terminal reports, or a default when the number makes no sense. */
export function usableColumns(reported: number): number {
  return Number.isSafeInteger(reported) && reported > 0 ? reported : COLUMNS_BY_DEFAULT;
}
