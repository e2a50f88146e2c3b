/**
 * How names are compared and split into words, for searching files and for telling peers apart.
 * Pure. Both sides of every comparison use it.
 * @module
 */

import { NAME_BYTES_MAX } from "./limits.ts";

/** Scripts that are written without spaces. */
const SPACELESS = ["Han", "Hiragana", "Katakana", "Thai", "Lao", "Khmer", "Myanmar"]
  .map((script) => `\\p{sc=${script}}`).join("");
/**
 * In scripts written without spaces, each character is a word, so that any part of such a name can
 * be found. The v of a version is also a word, so that 1.2 finds v1.2.
 */
const WORD_REGEXP = new RegExp(
  `(?<![\\p{L}\\p{N}])v(?=\\p{Nd})|[${SPACELESS}]|\\p{Extended_Pictographic}|[[\\p{L}\\p{N}]--[${SPACELESS}]]+`,
  "gv",
);

/** Most names are plain ASCII. For those, the same result takes a tenth of the time. */
const ASCII_REGEXP = /^[^\u0080-\uffff]*$/;
const ASCII_WORD_REGEXP = /(?<![a-z0-9])v(?=\d)|[a-z0-9]+/g;

/**
 * The most characters of a text that are folded, once compatibility forms are written out. A name
 * in any script in use has no more. One character can stand for 18 others, so without this bound a
 * name could take several times as long as the longest plain one.
 */
const FOLDED_CHARACTERS_MAX = NAME_BYTES_MAX;

/**
 * Text as comparisons see it: without case, accents or compatibility forms (`Ç` = `c`, `ﬁ` = `fi`,
 * `ß` = `ss`). A text that becomes longer than the longest name is cut.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { fold } from "./words.ts";
 * assertEquals(fold("Ação"), "acao");
 * ```
 */
export function fold(text: string): string {
  if (ASCII_REGEXP.test(text)) return text.toLowerCase();
  const cut = text.normalize("NFKD").slice(0, FOLDED_CHARACTERS_MAX);
  return cut.toUpperCase().toLowerCase().normalize("NFKD").replace(/\p{Mn}/gu, "").replaceAll("ς", "σ");
}

/**
 * The folded words of a text, in order, with repetitions.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { words } from "./words.ts";
 * assertEquals(words("Vídeos/Aula-01 学习.mp4"), ["videos", "aula", "01", "学", "习", "mp4"]);
 * ```
 */
export function words(text: string): string[] {
  if (ASCII_REGEXP.test(text)) return text.toLowerCase().match(ASCII_WORD_REGEXP) ?? [];
  const folded = fold(text);
  return folded.match(ASCII_REGEXP.test(folded) ? ASCII_WORD_REGEXP : WORD_REGEXP) ?? [];
}
