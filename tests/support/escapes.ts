/**
 * What a person reads of the bytes that a program writes to its terminal.
 * @module
 */

import { stripVTControlCharacters } from "node:util";

/** A text without the escape codes in it, such as those of styles and of the cursor. */
export function withoutEscapes(text: string): string {
  return stripVTControlCharacters(text);
}
