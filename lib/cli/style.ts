/**
 * Widths and colours of text on a terminal.
 * @module
 */

import stringWidth from "fast-string-width";

/** How many columns a text takes: wide characters two, combining marks none, an emoji with all its parts two. */
export function textWidth(text: string): number {
  // Most text needs no table: every printable ASCII character takes one column. The package counts the parts of a decomposed Korean syllable one by
  // one, and the non-joiner of Persian as a letter.
  return /^[\x20-\x7e]*$/.test(text) ? text.length : stringWidth(text.normalize("NFC").replaceAll("\u200c", ""));
}

/** The text, cut in the middle to at most `columns`, so that the ending of a file's name stays in sight. */
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

/** The text, filled with spaces to `columns`. */
export function padText(text: string, columns: number, align: "left" | "right" = "left"): string {
  const padding = " ".repeat(Math.max(0, columns - textWidth(text)));
  return align === "left" ? text + padding : padding + text;
}

/** Ways of setting text off. */
export type Style = "bold" | "dim" | "red" | "green";

const CODES: Record<Style, [on: number, off: number]> = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39] };

/** Every code that `stylerFor` writes. */
export const STYLE_CODES: readonly string[] = [...new Set(Object.values(CODES).flat())].map(codeOf);

/** Sets text off. */
export type Styler = (text: string, style: Style) => string;

/** Colours for a terminal; elsewhere, and where NO_COLOR is set, text stays as it is. */
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
