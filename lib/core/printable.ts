/**
 * Makes any text safe to show. Every text that comes from elsewhere (names, messages, errors)
 * passes through here on its way to a terminal or a log. No file name can then move the cursor,
 * colour the screen, forge a line of a log or reverse the reading direction.
 * @module
 */

/**
 * Control, format, private-use and lone surrogate characters, and the two Unicode line separators.
 */
const UNPRINTABLE_REGEXP = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * The ninth and each further mark on one letter, such as an accent. Written languages put at most
 * six marks on a letter. Hundreds of them would be drawn over the lines above and below.
 */
const PILED_MARK_REGEXP = /[\p{M}\u200c\u200d](?<=[\p{M}\u200c\u200d]{9})/gu;

/** Format characters that belong to words and emoji: zero-width joiner and non-joiner. */
const JOINERS = new Set(["\u200c", "\u200d"]);

const SHORT_ESCAPES = new Map([["\n", "\\n"], ["\r", "\\r"], ["\t", "\\t"], ["\0", "\\0"]]);

/**
 * The text with every unprintable character as an escape, such as `\n` or `\u{1b}`. Marks of a
 * letter after its eighth are unprintable.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { printable } from "./printable.ts";
 * assertEquals(printable("a\nb\u001b[31m 🎓"), "a\\nb\\u{1b}[31m 🎓");
 * ```
 */
export function printable(text: string): string {
  return text.replace(PILED_MARK_REGEXP, escaped).replace(
    UNPRINTABLE_REGEXP,
    (character) => JOINERS.has(character) ? character : SHORT_ESCAPES.get(character) ?? escaped(character),
  );
}

/** Whether nothing in the text needs an escape. */
export function isPrintable(text: string): boolean {
  return printable(text) === text;
}

/**
 * JSON of a value on one line, lossless, with every unprintable character inside strings as a `\u`
 * escape.
 */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(
    UNPRINTABLE_REGEXP,
    (character) => character.split("").map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`).join(""),
  );
}

function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
