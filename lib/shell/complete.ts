/**
 * What Tab offers. Pure.
 * @module
 */

import { fold } from "../core/words.ts";
import { COMMANDS, QUIT } from "./commands.ts";
import { quoteWord } from "../core/line.ts";

/** Words that may come next. */
export interface Vocabulary {
  readonly files: readonly string[];
  readonly peers: readonly string[];
}

/** What the word under the cursor is a beginning of: which vocabulary, and the word as it is meant. */
export interface Completing {
  readonly kind: "commands" | "files" | "peers" | "nothing";
  /** The word as typed, quotes included: what a completion replaces. */
  readonly typed: string;
  /** The word without quotes. */
  readonly word: string;
}

/** Finds out what is being typed at the end of a line. */
export function completing(line: string): Completing {
  // An open quote belongs to the word that is being typed, as does everything after it.
  const typed = /(?:^|\s)((?:"(?:[^"\\]|\\.)*|(?:[^\s"\\]|\\.)*))$/s.exec(line)?.[1] ?? "";
  const word = typed.replace(/^"/, "").replace(/\\(.)/gs, "$1");
  const before = line.slice(0, line.length - typed.length).trim().split(/\s+/);
  const [name = ""] = before;
  if (name === "") return { kind: "commands", typed, word };
  if (before.at(-1) === "--from") return { kind: "peers", typed, word };
  const command = COMMANDS.find((each) => each.name === name);
  return { kind: command?.completes[0] ?? "nothing", typed, word };
}

/** The words that begin like the one being typed, as they have to be typed. Case and accents do not matter. */
export function completions({ kind, word }: Completing, vocabulary: Vocabulary): string[] {
  const all = kind === "commands"
    ? [...COMMANDS, QUIT].map((command) => command.name)
    : kind === "nothing"
    ? []
    : vocabulary[kind];
  const begun = all.filter((each) => fold(each).startsWith(fold(word)));
  return [...new Set(begun)].map((each) => quoteWord(each) + " ");
}
