/**
 * How a program ends: its exit code, and an error as one sentence with a hint. Scripts rely on the
 * codes, so they never change.
 * @module
 */

import { Failure, type FailureCode } from "../core/failure.ts";
import { printable, printableJson } from "../core/printable.ts";

/** The exit codes, which README lists. */
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

/** The exit code for anything that was thrown. */
export function exitCodeOf(thrown: unknown): number {
  return thrown instanceof Failure ? EXIT_OF[thrown.code] ?? EXIT.failed : EXIT.failed;
}

/** The form in which an error is described. */
export interface ErrorOptions {
  /** Describe it for programs, as a JSON object. */
  readonly json: boolean;
  /** Add the stack trace. */
  readonly debug: boolean;
  /** Fields that the object begins with: those that every line of the index's log begins with. */
  readonly before?: Readonly<Record<string, string>> | undefined;
}

/** Describes anything that was thrown: one line, with a hint and without a full stop. */
export function describeError(thrown: unknown, options: ErrorOptions): string {
  const failure = thrown instanceof Failure
    ? thrown
    : new Failure("internal", thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown });
  const { code, message, retry } = failure;
  const trace = options.debug ? traceOf(thrown) : undefined;
  if (options.json) {
    const hint = failure.hint === "" ? undefined : failure.hint;
    return printableJson({ ...options.before, event: "error", code, message, retry, hint, trace });
  }
  const hint = failure.hint === "" ? "" : ` (${printable(failure.hint)})`;
  return `error: ${printable(message)}${hint}${trace === undefined ? "" : `\n${trace}`}`;
}

/** The stacks of an error and of its causes. */
function traceOf(thrown: unknown): string {
  const stacks: string[] = [];
  for (let error = thrown; error instanceof Error; error = error.cause) {
    stacks.push(stackOf(error));
  }
  return stacks.join("\ncaused by: ");
}

/**
 * One stack. Its message may come from another peer, so line feeds are kept only around the
 * message.
 */
function stackOf({ message, stack = message }: Error): string {
  const start = stack.indexOf(message);
  if (start === -1) return printableLines(stack);
  const end = start + message.length;
  return printableLines(stack.slice(0, start)) + printable(message) + printableLines(stack.slice(end));
}

function printableLines(text: string): string {
  return text.split("\n").map(printable).join("\n");
}
