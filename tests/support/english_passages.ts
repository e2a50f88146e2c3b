/**
 * Finds what a person reads in a TypeScript source or in a Markdown document. Pure: text in,
 * passages out. Called by `english.ts`.
 * @module
 */

/** A text for people. Code inside it is blanked out, and its line breaks are those of the file. */
export interface Passage {
  readonly kind: "comment" | "string" | "prose";
  readonly text: string;
  /** The line of the file on which the text begins, counted from 1. */
  readonly line: number;
  /** Whether nothing but spaces stands before the text on its first line. */
  readonly isAlone: boolean;
}

/** What may follow as the next token of a source. */
const TOKENS = {
  comment: /\/\/[^\n]*|\/\*[^]*?\*\//y,
  string: /"(?:[^"\\\n]|\\[^])*"|'(?:[^'\\\n]|\\[^])*'/y,
  regex: /\/(?![*/])(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y,
  word: /[\w$]+/y,
  space: /\s+/y,
  template: /(?:[^`\\$]|\\[^]|\$(?!\{))*(?:`|\$\{|$)/y,
} as const;

/** Words after which a slash begins a regular expression. */
const BEFORE_REGEX = new Set(["return", "typeof", "case", "in", "of", "void", "throw", "await", "else", "instanceof"]);

/**
 * Finds the comments and strings of a TypeScript source.
 *
 * @returns Comments without their markers, and strings and templates without the parts that are
 * code.
 */
export function sourcePassages(source: string): Passage[] {
  const passages: Passage[] = [];
  /** For each open `${` of a template: how many braces are open within it. */
  const open: number[] = [];
  let at = 0;
  let mayBeRegex = true;
  const next = (token: RegExp): string | undefined => {
    token.lastIndex = at;
    const text = token.exec(source)?.[0];
    if (text !== undefined) at += text.length;
    return text;
  };
  const add = (kind: Passage["kind"], text: string, begin: number): void => {
    const before = source.slice(source.lastIndexOf("\n", begin - 1) + 1, begin);
    const line = source.slice(0, begin).split("\n").length;
    passages.push({ kind, text, line, isAlone: before.trim() === "" });
  };
  const template = (): void => {
    const begin = at;
    const text = next(TOKENS.template) ?? "";
    add("string", text.replace(/`$|\$\{$/, ""), begin);
    if (text.endsWith("${")) open.push(0);
    mayBeRegex = text.endsWith("${");
  };
  while (at < source.length) {
    const begin = at;
    if (next(TOKENS.space) !== undefined) continue;
    const comment = next(TOKENS.comment);
    if (comment !== undefined) {
      add("comment", proseOfComment(comment), begin);
      continue;
    }
    const string = next(TOKENS.string);
    if (string !== undefined) {
      add("string", string.slice(1, -1), begin);
      mayBeRegex = false;
      continue;
    }
    if (mayBeRegex && next(TOKENS.regex) !== undefined) {
      mayBeRegex = false;
      continue;
    }
    const word = next(TOKENS.word);
    if (word !== undefined) {
      mayBeRegex = BEFORE_REGEX.has(word);
      continue;
    }
    const sign = source.charAt(at);
    at += 1;
    mayBeRegex = !")]}".includes(sign);
    const inside = open.at(-1);
    if (sign === "`") template();
    else if (sign === "{" && inside !== undefined) open[open.length - 1] = inside + 1;
    else if (sign === "}" && inside === 0) {
      open.pop();
      template();
    } else if (sign === "}" && inside !== undefined) open[open.length - 1] = inside - 1;
  }
  return passages;
}

/** A comment without its markers and the stars at its left, its examples and its code. */
function proseOfComment(comment: string): string {
  const bare = comment.replace(/^\/\/|^\/\*+|\*\/$/g, "").replaceAll(/^[ \t]*\*(?!\/)/gm, "");
  return withoutCode(bare);
}

/** Code blocks and code within a line become spaces; line breaks stay. */
function withoutCode(text: string): string {
  const blank = (code: string): string => code.replaceAll(/[^\n]/g, " ");
  return text.replaceAll(/^[ \t]*```[^]*?^[ \t]*```/gm, blank).replaceAll(/`[^`]*`/g, blank);
}

/**
 * Finds the paragraphs, list items, headings and table cells of a Markdown document.
 *
 * @returns Prose without code, links' addresses and the comments that mark generated parts.
 */
export function documentPassages(document: string): Passage[] {
  const blank = (text: string): string => text.replaceAll(/[^\n]/g, " ");
  const prose = withoutCode(document).replaceAll(/<!--[^]*?-->|\]\([^)]*\)/g, blank);
  const passages: Passage[] = [];
  let text = "";
  let begin = 1;
  const end = (): void => {
    if (text.trim() !== "") passages.push({ kind: "prose", text, line: begin, isAlone: true });
    text = "";
  };
  for (const [index, row] of prose.split("\n").entries()) {
    if (row.trim() === "" || /^\s*(?:[-*+]|\d+\.|#+)\s|^\s*\|/.test(row)) {
      end();
      begin = index + 1;
    }
    if (/^\s*\|/.test(row)) {
      for (const cell of row.split("|").filter((each) => !/^[\s:-]*$/.test(each))) {
        passages.push({ kind: "prose", text: cell, line: index + 1, isAlone: true });
      }
    } else if (text !== "") text += `\n${row}`;
    else if (row.trim() !== "") {
      text = row;
      begin = index + 1;
    }
  }
  end();
  return passages;
}
