/**
 * Flags and their help, from one table per program: name, value, what it does. Called by server.ts, peer.ts and the commands.
 * @module
 */

import { parseArgs } from "@std/cli";
import { Failure } from "../core/failure.ts";

/** One flag. With `value`, the name of what follows it; without, the flag is just there or not. */
export interface Flag {
  readonly value?: string;
  /** Words of which one may follow, or nothing. Then the flag is the word, or an empty text. */
  readonly words?: readonly string[];
  readonly about: string;
  readonly byDefault?: string;
}

/** Flags by name, without their dashes. */
export type FlagTable = Readonly<Record<string, Flag>>;

/** What was given: text for flags with a value, true for the others, nothing for flags that are absent and have no default. */
export type FlagValues<T extends FlagTable> = {
  readonly [Name in keyof T]: T[Name] extends { value: string }
    ? T[Name] extends { byDefault: string } ? string : string | undefined
    : T[Name] extends { words: readonly string[] } ? string | undefined
    : boolean;
};

/** Flags that both programs have. */
export const COMMON_FLAGS = {
  json: { about: "print one JSON object a line" },
  debug: { about: "show the trace behind an error" },
  help: { about: "show this; also: -h" },
  version: { about: "show the version; also: -V" },
} as const satisfies FlagTable;

/** Reads a command line. Fails: "usage" on a flag that is not in the table, or lacks its value. */
export function parseFlags<T extends FlagTable>(
  args: readonly string[],
  table: T,
): { flags: FlagValues<T>; words: string[]; given: string[] } {
  const names = Object.keys(table);
  const parsed = parseArgs(joinValues(args, table), {
    string: ["_", ...names.filter((name) => takesText(table[name]))],
    boolean: names.filter((name) => !takesText(table[name])),
    unknown: (arg, key) => {
      if (key !== undefined) throw new Failure("usage", `There is no flag ${arg}`, { hint: "see --help" });
      return true;
    },
  });
  const flags: Record<string, unknown> = {};
  const givenNames: string[] = [];
  for (const [name, flag] of Object.entries<Flag>(table)) {
    const given = parsed[name];
    const last = Array.isArray(given) ? given.at(-1) : given;
    if (flag.value !== undefined && last === "") {
      throw new Failure("usage", `--${name} needs a value`, { hint: `write --${name} ${flag.value}` });
    }
    if (flag.words !== undefined && typeof last === "string" && !["", ...flag.words].includes(last)) {
      throw new Failure("usage", `Cannot use "${last}" for --${name}`, { hint: `write ${usageOf(name, flag)}` });
    }
    if (last !== undefined && last !== false) givenNames.push(name);
    flags[name] = last ?? flag.byDefault;
  }
  return { flags: flags as FlagValues<T>, words: parsed._.map(String), given: givenNames };
}

/** Writes `--name value` as `--name=value`, so that a value may begin with a dash, or be one: `--output -`. */
function joinValues(args: readonly string[], table: FlagTable): string[] {
  const joined: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const arg = longOf(args[index] ?? "", table);
    if (arg === "--") return [...joined, ...args.slice(index)];
    const next = args[index + 1];
    const flag = arg.startsWith("--") ? table[arg.slice(2)] : undefined;
    const takesNext = next !== undefined && (flag?.value !== undefined || flag?.words?.includes(next) === true);
    joined.push(takesNext ? `${arg}=${next}` : flag?.words === undefined ? arg : `${arg}=`);
    if (takesNext) index += 1;
  }
  return joined;
}

/** The short forms that every program has. */
const SHORT: Readonly<Record<string, string>> = { "-h": "help", "-V": "version" };

function longOf(arg: string, table: FlagTable): string {
  const name = Object.hasOwn(SHORT, arg) ? SHORT[arg] : undefined;
  return name !== undefined && Object.hasOwn(table, name) ? `--${name}` : arg;
}

function takesText(flag: Flag | undefined): boolean {
  return flag?.value !== undefined || flag?.words !== undefined;
}

function usageOf(name: string, { value, words }: Flag): string {
  return `--${name}${value === undefined ? "" : ` ${value}`}${words === undefined ? "" : ` [${words.join("|")}]`}`;
}

/** The flags as lines of help, names in a column. */
export function flagHelp(table: FlagTable): string {
  const lines = Object.entries(table).map(([name, flag]) => {
    const byDefault = flag.byDefault === undefined ? "" : ` (default: ${flag.byDefault})`;
    return [usageOf(name, flag), `${flag.about}${byDefault}`] as const;
  });
  const width = Math.max(...lines.map(([usage]) => usage.length));
  return lines.map(([usage, about]) => `  ${usage.padEnd(width)}  ${about}`).join("\n");
}

/** Reads the number that a flag was given, from 1. Fails: "usage". */
export function parseCount(name: string, text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) {
    throw new Failure("usage", `Cannot use "${text}" for --${name}`, { hint: "write a number from 1" });
  }
  return Number(text);
}
