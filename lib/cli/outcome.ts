/**
 * How a program ends: its exit code, and an error as one sentence with a hint. PRODUCT.md fixes the codes.
 * @module
 */

import { Failure, type FailureCode } from "../core/failure.ts";
import { printable, printableJson } from "../core/printable.ts";

/** The exit codes that programs may rely on. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  refused: 4,
  indexUnreachable: 5,
  interrupted: 130,
} as const;

const EXIT_OF: Partial<Record<FailureCode, number>> = {
  "bad-name": EXIT.usage,
  "cancelled": EXIT.interrupted,
  "index-unreachable": EXIT.indexUnreachable,
  "key-changed": EXIT.refused,
  "name-taken": EXIT.refused,
  "no-member": EXIT.refused,
  "not-found": EXIT.notFound,
  "not-shared": EXIT.notFound,
  "refused": EXIT.refused,
  "unproven": EXIT.refused,
  "usage": EXIT.usage,
  "wrong-key": EXIT.refused,
};

/** The exit code for whatever was thrown. */
export function exitCodeOf(thrown: unknown): number {
  return thrown instanceof Failure ? EXIT_OF[thrown.code] ?? EXIT.failed : EXIT.failed;
}

/** How an error is to be told. */
export interface ErrorOptions {
  /** For programs, as an object. */
  readonly json: boolean;
  /** With the trace. */
  readonly debug: boolean;
  /** What the object has before all else: what every line of a program's log has. */
  readonly before?: Readonly<Record<string, string>>;
}

/** Whatever was thrown, as people or programs read it: one line, without a full stop and with a hint. */
export function describeError(thrown: unknown, options: ErrorOptions): string {
  const failure = thrown instanceof Failure
    ? thrown
    : new Failure("internal", thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown });
  const { code, message, retry } = failure;
  const trace = options.debug ? traceOf(thrown) : undefined;
  if (options.json) {
    const hint = failure.hint === "" ? {} : { hint: failure.hint };
    const more = { ...hint, ...(trace === undefined ? {} : { trace }) };
    return printableJson({ ...options.before, event: "error", code, message, retry, ...more });
  }
  const hint = failure.hint === "" ? "" : ` (${printable(failure.hint)})`;
  return `error: ${printable(message)}${hint}${trace === undefined ? "" : `\n${trace}`}`;
}

/** The stack of an error and of everything that caused it. */
function traceOf(thrown: unknown): string {
  const stacks: string[] = [];
  for (let error = thrown; error instanceof Error; error = error.cause) {
    stacks.push(stackOf(error));
  }
  return stacks.join("\ncaused by: ");
}

/** One stack. Its message may come from another peer, so that only the line feeds around the message are kept. */
function stackOf({ message, stack = message }: Error): string {
  const start = stack.indexOf(message);
  if (start === -1) return printableLines(stack);
  const end = start + message.length;
  return printableLines(stack.slice(0, start)) + printable(message) + printableLines(stack.slice(end));
}

function printableLines(text: string): string {
  return text.split("\n").map(printable).join("\n");
}
