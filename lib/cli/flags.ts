/**
 * Flags and their help, from one table per program: name, value, what it does. Called by server.ts,
 * peer.ts and the commands.
 * @module
 */

import { parseArgs } from "@std/cli";
import { Failure } from "../core/failure.ts";

/** One flag. */
export interface Flag {
  /** What help calls the flag's value; absent for a flag without one. */
  readonly value?: string | undefined;
  /**
   * Words that may follow the flag. The flag's value is the word, or an empty text when none of
   * them follows.
   */
  readonly words?: readonly string[] | undefined;
  readonly about: string;
  readonly byDefault?: string | undefined;
}

/** Flags by name, without their dashes. */
export type FlagTable = Readonly<Record<string, Flag>>;

/**
 * Values of flags: text for a flag with a value or words, else whether it was given. Undefined:
 * absent, with no default.
 */
export type FlagValues<T extends FlagTable> = {
  readonly [Name in keyof T]: T[Name] extends { value: string }
    ? T[Name] extends { byDefault: string } ? string : string | undefined
    : T[Name] extends { words: readonly string[] } ? string | undefined
    : boolean;
};

/** Flags that both programs have. */
export const COMMON_FLAGS = {
  json: { about: "print one JSON object a line" },
  debug: { about: "also print the stack of an error" },
  help: { about: "show this; also: -h" },
  version: { about: "show the version; also: -V" },
} as const satisfies FlagTable;

/** Values of flags of any table. */
export type AnyFlags = Readonly<Record<string, string | boolean | undefined>>;

/**
 * Reads a command line.
 *
 * @returns The flags, the other words, and the names of the flags that were given.
 * @throws {Failure} "usage" for a flag that is not in the table, or that lacks its value.
 */
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

/** Takes the flags of one table from values that were read with a larger one. */
export function pickFlags<T extends FlagTable>(table: T, values: AnyFlags): FlagValues<T> {
  const flags: Record<string, unknown> = {};
  for (const [name, flag] of Object.entries<Flag>(table)) {
    flags[name] = values[name] ?? flag.byDefault ?? (takesText(flag) ? undefined : false);
  }
  return flags as FlagValues<T>;
}

/**
 * Writes `--name value` as `--name=value`, so that a value may begin with a dash, or be one:
 * `--output -`.
 */
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

/** The short forms of flags, the same in every program. */
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

/** Each flag as help writes it, and what it does. */
export function describedFlags(table: FlagTable): [usage: string, about: string][] {
  return Object.entries(table).map(([name, flag]) => {
    const byDefault = flag.byDefault === undefined ? "" : ` (default: ${flag.byDefault})`;
    return [usageOf(name, flag), `${flag.about}${byDefault}`];
  });
}

/** Rows of help in two columns. */
export function helpLines(rows: readonly (readonly [usage: string, about: string])[]): string {
  const width = Math.max(...rows.map(([usage]) => usage.length));
  return rows.map(([usage, about]) => `  ${usage.padEnd(width)}  ${about}`).join("\n");
}

/** The flags as lines of help. */
export function flagHelp(table: FlagTable): string {
  return helpLines(describedFlags(table));
}

/**
 * Reads the value of a flag that takes a number from 1.
 *
 * @throws {Failure} "usage" when it is no such number.
 */
export function parseCount(name: string, text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) {
    throw new Failure("usage", `Cannot use "${text}" for --${name}`, { hint: "write a number from 1" });
  }
  return Number(text);
}
