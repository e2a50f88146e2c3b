/**
 * Reads the names of files in a request in words. The programs of classroom B write them in several
 * ways: between spaces, in quotes, with commas, or as a Python list pasted into the text. Pure.
 * Called by dialect_requests.ts. README.md, "Classroom dialects", has the rules.
 * @module
 */

/**
 * One string of a Python or JSON list, in single or double quotes, and the comma after it. Sticky,
 * so that even a hostile list is read once from its beginning.
 */
const LISTED_REGEXP = /\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*(?:,\s*|$)/y;
const WORD_REGEXP = /"([^"]*)"|(\S+)/g;
const ALL_QUOTED_REGEXP = /^"([^"]*)"$/;
/** The end of a name with an extension. It tells commas between names from commas within a name. */
const EXTENSION_REGEXP = /\.\w{1,8}$/;

/**
 * Reads a list of names.
 *
 * @param text What follows the address in the request, without spaces around it.
 * @param plain What a text without brackets, quotes and commas is: names between spaces, or a
 * single name that may contain spaces.
 * @returns The names as they were written, not checked.
 */
export function decodeNames(text: string, plain: "words" | "one name"): string[] {
  if (text.startsWith("[") && text.endsWith("]")) {
    const strings = pythonStrings(text.slice(1, -1));
    if (strings !== undefined) return strings;
  }
  const parts = text.split(",").map((part) => part.trim()).filter((part) => part !== "");
  if (parts.length > 1 && !text.includes('"') && parts.every((part) => EXTENSION_REGEXP.test(part))) return parts;
  if (plain === "one name" && !text.includes('"')) return text === "" ? [] : [text];
  return Array.from(text.matchAll(WORD_REGEXP), ([, quoted, word]) => quoted ?? word ?? "");
}

/**
 * Reads the only name in a request, which is everything that follows. A person may put it in
 * quotes, a program does not.
 *
 * @returns The name, not checked. Empty when there is none.
 */
export function nameAfter(text: string): string {
  return ALL_QUOTED_REGEXP.exec(text)?.[1] ?? text;
}

/**
 * The strings between the brackets of a list. Undefined when there is anything else between them.
 */
function pythonStrings(inside: string): string[] | undefined {
  const strings: string[] = [];
  LISTED_REGEXP.lastIndex = 0;
  for (let at = 0; at < inside.length; at = LISTED_REGEXP.lastIndex) {
    const match = LISTED_REGEXP.exec(inside);
    if (match === null) return inside.trim() === "" ? [] : undefined;
    strings.push(unescapePython(match[1] ?? match[2] ?? ""));
  }
  return strings;
}

/** The text that a Python string literal stands for, as far as `repr` writes it. */
function unescapePython(text: string): string {
  return text.replaceAll(/\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(.))/g, (all, two, four, eight, other) => {
    if (other !== undefined) return other;
    const point = parseInt(two ?? four ?? eight, 16);
    return point <= 0x10ffff ? String.fromCodePoint(point) : all;
  });
}
