/**
 * Widths and colours of text on a terminal.
 * @module
 */

import stringWidth from "fast-string-width";

/** How many columns a text takes: a wide character or an emoji takes two, a combining mark none. */
export function textWidth(text: string): number {
  // Most text needs no table: every printable ASCII character takes one column. The package counts
  // the parts of a decomposed Korean syllable separately, and the non-joiner of Persian as a
  // letter.
  return /^[\x20-\x7e]*$/.test(text) ? text.length : stringWidth(text.normalize("NFC").replaceAll("\u200c", ""));
}

/**
 * Cuts a text in its middle to at most `columns`, so that the ending of a file's name stays
 * visible.
 */
export function cutMiddle(text: string, columns: number): string {
  if (textWidth(text) <= columns) return text;
  if (columns <= 1) return "…".slice(0, Math.max(columns, 0));
  const characters = Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment);
  let head = "";
  let tail = "";
  let [first, last] = [0, characters.length - 1];
  while (first <= last) {
    const takeHead = textWidth(head) <= textWidth(tail);
    const character = characters[takeHead ? first++ : last--] ?? "";
    if (textWidth(head + tail + character) > columns - 1) break;
    if (takeHead) head += character;
    else tail = character + tail;
  }
  return `${head}…${tail}`;
}

/** Fills a text with spaces to `columns`. */
export function padText(text: string, columns: number, align: "left" | "right" = "left"): string {
  const padding = " ".repeat(Math.max(0, columns - textWidth(text)));
  return align === "left" ? text + padding : padding + text;
}

/** The styles of text. */
export type Style = "bold" | "dim" | "red" | "green";

const CODES: Record<Style, [on: number, off: number]> = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39] };

/** Every code that `stylerFor` writes. */
export const STYLE_CODES: readonly string[] = [...new Set(Object.values(CODES).flat())].map(codeOf);

/** Adds a style to a text. */
export type Styler = (text: string, style: Style) => string;

/** Makes a styler. Without a terminal, or with NO_COLOR set, it leaves text as it is. */
export function stylerFor(isTerminal: boolean): Styler {
  if (!isTerminal || Deno.noColor) return (text) => text;
  return (text, style) => {
    const [on, off] = CODES[style];
    return codeOf(on) + text + codeOf(off);
  };
}

function codeOf(number: number): string {
  return `\x1b[${number}m`;
}
