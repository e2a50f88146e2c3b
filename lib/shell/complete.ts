/**
 * Completion with Tab: finds out what is being typed, which names match, and what replaces the
 * typed part. Pure. Called by suggestions.ts.
 * @module
 */

import { quoteWord } from "../core/line.ts";
import { isPrintable } from "../core/printable.ts";
import { fold, words } from "../core/words.ts";
import type { Completes } from "./commands/command.ts";
import { COMMANDS, QUIT } from "./commands/commands.ts";

/** Names that may come next, by what they are. */
export type Vocabulary = Readonly<Partial<Record<Completes, readonly string[]>>>;

/** What the text before the cursor ends with. */
export interface Completing {
  readonly kind: Completes | "flags" | "nothing";
  /** The text as typed, quotes included: the part of the line that a completion replaces. */
  readonly typed: string;
  /** The typed text without quotes. */
  readonly word: string;
  /** The command, where one was typed. */
  readonly command: string;
}

/** The effect of Tab on the line. */
export interface Completion {
  /** The text that replaces the typed part; undefined to leave that as it is. */
  readonly insert: string | undefined;
  /** Names to choose from, which are shown above the line. */
  readonly choices: readonly string[];
}

/** Finds out what is being typed at the end of a line. */
export function completing(line: string): Completing {
  // An open quote and everything after it belong to the word that is being typed.
  const last = /(?:^|\s)((?:"(?:[^"\\]|\\.)*|(?:[^\s"\\]|\\.)*))$/s.exec(line)?.[1] ?? "";
  const before = line.slice(0, line.length - last.length).trim().split(/\s+/);
  const name = (before[0] ?? "").toLowerCase();
  const word = last.replace(/^"/, "").replace(/\\(.)/gs, "$1");
  if (name === "") return { kind: "commands", typed: last, word, command: "" };
  const command = COMMANDS.find((each) => each.name === name);
  const at = { typed: last, word, command: name };
  if (command === undefined) return { kind: "nothing", ...at };
  if (before.at(-1) === "--from") return { kind: "peers", ...at };
  if (last.startsWith("--")) return { kind: "flags", ...at };
  const kind = (command.args[before.length - 1] ?? command.args.at(-1))?.completes ?? "nothing";
  // People type names of files with their spaces. A command that takes one name of a file takes
  // only flags after it.
  const rest = line.trimStart().slice(name.length).trimStart();
  if (kind === "files" && !/["'\\]|(?:^|\s)--/.test(rest)) return { kind, typed: rest, word: rest, command: name };
  return { kind, ...at };
}

/**
 * Decides what Tab does. The inserted text begins with the typed one, except for case, accents and
 * quotes. When several names match and have no longer beginning in common, they are offered as
 * choices. Names with unprintable characters are left out, since nobody can type them.
 */
export function complete(what: Completing, vocabulary: Vocabulary): Completion {
  const { word, typed } = what;
  const fitting = [...new Set(wordsOf(what, vocabulary))].filter((name) => isPrintable(name) && fits(name, word));
  const [only] = fitting;
  if (only === undefined) return { insert: undefined, choices: [] };
  // A folder is only the beginning of a path.
  if (fitting.length === 1) return { insert: only.endsWith("/") ? begun(only) : `${quoteWord(only)} `, choices: [] };
  const common = commonBeginning(fitting);
  const isLonger = fold(common).startsWith(fold(word)) && fold(common).length > fold(word).length;
  if (!isLonger) return { insert: undefined, choices: fitting };
  return { insert: typed.startsWith('"') ? `"${quoteWord(`${common} `).slice(1, -2)}` : begun(common), choices: [] };
}

function wordsOf({ kind, command }: Completing, vocabulary: Vocabulary): readonly string[] {
  switch (kind) {
    case "commands":
      return [...COMMANDS, QUIT].map(({ name }) => name);
    case "flags":
      return Object.keys(COMMANDS.find(({ name }) => name === command)?.flags ?? {}).map((flag) => `--${flag}`);
    case "nothing":
      return [];
    default:
      return vocabulary[kind] ?? [];
  }
}

/**
 * Whether a name begins with the typed text, or has words that begin with the typed words. Ignores
 * case and accents.
 */
function fits(name: string, typed: string): boolean {
  if (fold(name).startsWith(fold(typed))) return true;
  const wanted = words(typed);
  const those = words(name);
  return wanted.length > 0 && wanted.every((word) => those.some((each) => each.startsWith(word)));
}

/** The longest beginning that all names share, as the first name writes it. */
function commonBeginning(names: readonly string[]): string {
  const [first = [], ...others] = names.map((name) => [...name]);
  const end = first.findIndex((character, index) =>
    others.some((other) => fold(other[index] ?? "\0") !== fold(character))
  );
  return first.slice(0, end === -1 ? first.length : end).join("");
}

/**
 * The beginning of a word as a person would type it: if the word needs quotes, only the first one
 * is written.
 */
function begun(text: string): string {
  const quoted = quoteWord(text);
  return quoted === text ? text : quoted.slice(0, -1);
}
