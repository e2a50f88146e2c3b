/**
 * What Tab does: finds out what is being typed, which names fit, and what is put in the place of the typed part. Pure; called by shell.ts.
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
  /** The same without quotes. */
  readonly word: string;
  /** The command, where one was typed. */
  readonly command: string;
}

/** What Tab does to the line. */
export interface Completion {
  /** The text for the place of the typed part; undefined to leave that as it is. */
  readonly insert: string | undefined;
  /** Names to choose from, to be shown above the line. */
  readonly choices: readonly string[];
}

/** Finds out what is being typed at the end of a line. */
export function completing(line: string): Completing {
  // An open quote belongs to the word that is being typed, as does everything after it.
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
  const kind = command.completes[before.length - 1] ?? command.completes.at(-1) ?? "nothing";
  // Names of files are typed as they are read, with spaces; a command that takes one of them takes nothing after it but flags.
  const rest = line.trimStart().slice(name.length).trimStart();
  if (kind === "files" && !/["'\\]|(?:^|\s)--/.test(rest)) return { kind, typed: rest, word: rest, command: name };
  return { kind, ...at };
}

/**
 * Decides what Tab does. What was typed stays the beginning of what is inserted, but for case, accents and quotes; several names that fit are
 * shown instead. A name that holds characters which cannot be shown cannot be typed either, and is left out.
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

/** Whether a name begins like what was typed, or has words that begin like those that were typed. Case and accents do not matter. */
function fits(name: string, typed: string): boolean {
  if (fold(name).startsWith(fold(typed))) return true;
  const wanted = words(typed);
  const those = words(name);
  return wanted.length > 0 && wanted.every((word) => those.some((each) => each.startsWith(word)));
}

/** What all names begin with, as the first of them writes it. */
function commonBeginning(names: readonly string[]): string {
  const [first = [], ...others] = names.map((name) => [...name]);
  const end = first.findIndex((character, index) =>
    others.some((other) => fold(other[index] ?? "\0") !== fold(character))
  );
  return first.slice(0, end === -1 ? first.length : end).join("");
}

/** The beginning of a word as it has to be typed: a quote that is needed stays open. */
function begun(text: string): string {
  const quoted = quoteWord(text);
  return quoted === text ? text : quoted.slice(0, -1);
}
