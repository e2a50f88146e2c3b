/**
 * Splits a typed line into words, and writes words as they have to be typed. Pure.
 * @module
 */

import { Failure } from "./failure.ts";

/**
 * Splits a line into words. Single or double quotes keep spaces together. A backslash makes a
 * space, a quote or a backslash an ordinary character. After `textAfter` words the rest is one
 * word, as typed, unless all of it is in quotes.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { splitLine } from "./line.ts";
 * const words = splitLine(`get "aula 1.mp4" --from Ana\\ Maria`);
 * assertEquals(words, ["get", "aula 1.mp4", "--from", "Ana Maria"]);
 * ```
 *
 * @throws {Failure} "usage" when a quote is not closed.
 */
export function splitLine(line: string, textAfter = Infinity): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  const characters = [...line];
  for (let index = 0; index < characters.length; index++) {
    const character = characters[index] ?? "";
    const next = characters[index + 1];
    if (words.length >= textAfter && word === undefined && !/\s/.test(character)) {
      return [...words, asText(characters.slice(index).join("").trimEnd())];
    }
    if (character === "\\" && next !== undefined && /[\s"'\\]/.test(next)) {
      word = (word ?? "") + next;
      index += 1;
    } else if (quote !== undefined) {
      if (character === quote) quote = undefined;
      else word = (word ?? "") + character;
    } else if (character === '"' || (character === "'" && word === undefined)) {
      quote = character;
      word ??= "";
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? "") + character;
    }
  }
  if (quote !== undefined) {
    throw new Failure("usage", `A ${quote} is not closed`, { hint: "close it, or write \\ before it" });
  }
  if (word !== undefined) words.push(word);
  return words;
}

/** A text as the person meant it: quotes around all of it are not part of it. */
function asText(typed: string): string {
  if (!/^(["']).*\1$/s.test(typed)) return typed;
  try {
    const words = splitLine(typed);
    return words.length === 1 ? words[0] ?? typed : typed;
  } catch {
    return typed;
  }
}

/** A word as it has to be typed, so that `splitLine` gives it back unchanged. */
export function quoteWord(word: string): string {
  if (word !== "" && !/[\s"'\\]/.test(word)) return word;
  return `"${word.replace(/["\\]/g, "\\$&")}"`;
}
