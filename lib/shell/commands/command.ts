/**
 * What a command is, and how typed words become the arguments and flags that its code receives. The
 * commands themselves are in commands.ts.
 * @module
 */

import { Failure } from "../../core/failure.ts";
import { printable } from "../../core/printable.ts";
import type { Finding } from "../../peer/find/finding.ts";
import type { Peer } from "../../peer/peer.ts";
import type { StartedPut } from "../../peer/inbox/puts.ts";
import type { PutResult } from "../../peer/inbox/running_put.ts";
import type { TransferResult } from "../../peer/get/transfer.ts";
import type { StartedTransfer } from "../../peer/get/transfers.ts";
import { type AnyFlags, type FlagTable, type FlagValues, pickFlags } from "../../cli/flags.ts";
import type { Output } from "../screen/output.ts";

/** What a command without a peer and without an index works with. */
export interface BareContext {
  readonly output: Output;
}

/** What a command works with that asks the index. */
export interface IndexContext extends BareContext {
  readonly finding: Finding;
}

/** What a command works with that needs a peer at the index. */
export interface PeerContext extends IndexContext {
  readonly peer: Peer;
  /**
   * Shows the progress of a download, and reports its result when it succeeds. A one-shot run waits
   * for that; the shell goes on with the next command.
   */
  readonly follow: (started: StartedTransfer, report: (result: TransferResult) => void) => Promise<void>;
  /** Like `follow`, for a file that is put into another peer's inbox. */
  readonly followPut: (started: StartedPut, report: (result: PutResult) => void) => Promise<void>;
  /** Runs something slow: a one-shot run waits for it, the shell goes on with the next command. */
  readonly inBackground: (work: Promise<void>) => Promise<void>;
  /**
   * Standard output as a stream of bytes, for `get --output -`; undefined in the shell, which needs
   * it for itself.
   */
  readonly stdout: { write(bytes: Uint8Array): Promise<number> } | undefined;
}

/**
 * What Tab offers for an argument: `own` are the files of this peer, `paths` these and the files on
 * its disk.
 */
export type Completes = "commands" | "files" | "peers" | "own" | "paths" | "transfers" | "blocked";

/** One argument of a command. */
export interface Argument {
  /** What help calls it. */
  readonly name: string;
  readonly completes?: Completes | undefined;
  /**
   * "optional": may be left out. "many": all further words, also none. "text": all further words,
   * at least one; in the shell the rest of the line as typed, in which quotes and dashes mean
   * nothing.
   */
  readonly takes?: "optional" | "many" | "text" | undefined;
}

/** The values of arguments, in their order. */
export type ArgumentValues<A extends readonly Argument[]> = {
  readonly [I in keyof A]: A[I] extends { takes: "many" | "text" } ? readonly string[]
    : A[I] extends { takes: "optional" } ? string | undefined
    : string;
};

/** A command as its file writes it down. `C` is what it works with. */
interface Definition<C, A extends readonly Argument[], F extends FlagTable> {
  readonly name: string;
  readonly args: A;
  readonly flags: F;
  readonly about: string;
  /** More sentences, for `help COMMAND`. */
  readonly more?: string | undefined;
  /** Throws a failure "usage" when a flag's value makes no sense, before anything is opened. */
  check?(flags: FlagValues<F>): void;
  run(context: C, args: ArgumentValues<A>, flags: FlagValues<F>): Promise<void>;
}

/** Words and flags of a command line. */
export interface Typed {
  readonly words: readonly string[];
  readonly flags: AnyFlags;
  /** Names of the flags that were given, without those that only have a default. */
  readonly given: readonly string[];
}

/** A command with its arguments and flags, ready to run, and what must exist before it runs. */
export type ReadyCommand =
  | { readonly needs: "nothing"; run(context: BareContext): Promise<void> }
  | { readonly needs: "index"; run(context: IndexContext): Promise<void> }
  | { readonly needs: "peer"; run(context: PeerContext): Promise<void> };

/** One command, as help, completion and the programs see it. */
export interface Command {
  readonly name: string;
  readonly args: readonly Argument[];
  readonly flags: FlagTable;
  readonly about: string;
  readonly more?: string | undefined;
  /**
   * Binds what was typed to the command.
   *
   * @throws {Failure} "usage" for a wrong number of words, a flag of another command, or a value
   * that makes no sense.
   */
  ready(typed: Typed): ReadyCommand;
}

/** Makes a command that needs neither an index nor a peer. */
export function bareCommand<const A extends readonly Argument[], const F extends FlagTable>(
  definition: Definition<BareContext, A, F>,
): Command {
  const ready = (typed: Typed): ReadyCommand => {
    const { args, flags } = read(definition, typed);
    return { needs: "nothing", run: (context) => definition.run(context, args, flags) };
  };
  return { ...factsOf(definition), ready };
}

/** Makes a command that asks the index. */
export function indexCommand<const A extends readonly Argument[], const F extends FlagTable>(
  definition: Definition<IndexContext, A, F>,
): Command {
  const ready = (typed: Typed): ReadyCommand => {
    const { args, flags } = read(definition, typed);
    return { needs: "index", run: (context) => definition.run(context, args, flags) };
  };
  return { ...factsOf(definition), ready };
}

/** Makes a command that needs a peer at the index. */
export function peerCommand<const A extends readonly Argument[], const F extends FlagTable>(
  definition: Definition<PeerContext, A, F>,
): Command {
  const ready = (typed: Typed): ReadyCommand => {
    const { args, flags } = read(definition, typed);
    return { needs: "peer", run: (context) => definition.run(context, args, flags) };
  };
  return { ...factsOf(definition), ready };
}

/** A command's name and arguments, as help writes them. */
export function usageOf({ name, args }: Pick<Command, "name" | "args">): string {
  return [name, ...args.map(argumentUsage)].join(" ");
}

/**
 * Where the text of a typed line begins.
 *
 * @returns After how many words, the command's name among them; undefined for a command that takes
 * no text.
 */
export function textAfterOf({ args }: Pick<Command, "args">): number | undefined {
  const at = args.findIndex(({ takes }) => takes === "text");
  return at === -1 ? undefined : at + 1;
}

function argumentUsage({ name, takes }: Argument): string {
  switch (takes) {
    case "optional":
      return `[${name}]`;
    case "many":
      return `[${name}...]`;
    case "text":
      return `${name}...`;
    default:
      return name;
  }
}

function factsOf({ name, args, flags, about, more }: Omit<Command, "ready">): Omit<Command, "ready"> {
  return { name, args, flags, about, more };
}

/** Checks what was typed against a definition, and gives it the definition's types. */
function read<C, A extends readonly Argument[], F extends FlagTable>(
  definition: Definition<C, A, F>,
  { words, flags, given }: Typed,
): { args: ArgumentValues<A>; flags: FlagValues<F> } {
  checkWords(definition, words);
  const foreign = given.find((name) => !Object.hasOwn(definition.flags, name));
  if (foreign !== undefined) throw usageFailure(definition, `${definition.name} has no flag --${foreign}`);
  const own = pickFlags(definition.flags, flags);
  definition.check?.(own);
  return { args: argumentValues(definition.args, words), flags: own };
}

function checkWords({ name, args }: Pick<Command, "name" | "args">, words: readonly string[]): void {
  const min = args.filter(({ takes }) => takes === undefined || takes === "text").length;
  const max = args.some(({ takes }) => takes === "many" || takes === "text") ? Infinity : args.length;
  if (words.length < min) {
    throw usageFailure({ name, args }, `${name} needs ${args.map(argumentUsage).join(" ")}`);
  }
  if (words.length > max) {
    const quoted = max === 1 ? "; names with spaces go in quotes" : "";
    throw usageFailure({ name, args }, `${name} takes no "${printable(words[max] ?? "")}"`, quoted);
  }
}

function usageFailure(command: Pick<Command, "name" | "args">, message: string, more = ""): Failure {
  return new Failure("usage", message, { hint: `write: ${usageOf(command)}${more}` });
}

/**
 * Words as the values of arguments. Their number has been checked, which the compiler cannot see.
 */
function argumentValues<A extends readonly Argument[]>(args: A, words: readonly string[]): ArgumentValues<A> {
  const values: unknown = args.map(({ takes }, index) => {
    return takes === "many" || takes === "text" ? words.slice(index) : words[index];
  });
  return values as ArgumentValues<A>;
}
