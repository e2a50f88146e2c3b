/**
 * Standard output and standard error, as both programs write to them. Called by server.ts, peer.ts
 * and lib/shell.
 * @module
 */

import { failedWith, Failure } from "../core/failure.ts";
import { LineStream } from "../core/flow/line_stream.ts";
import { printableJson } from "../core/printable.ts";
import { formatCount } from "../core/quantity.ts";
import { describeError, EXIT, exitCodeOf } from "./outcome.ts";
import { screenText, terminalColumns } from "./screen_text.ts";
import { wrapHelp, wrapWords } from "./wrap.ts";

/**
 * Standard output, line by line. When its reader closes it, as `| head` does, the program ends: the
 * reader has seen enough. When the disk is full, lines wait, and standard error reports that.
 */
const results = new LineStream(Deno.stdout, {
  name: "standard output",
  onHeld(failure) {
    const [json, debug] = [Deno.args.includes("--json"), Deno.args.includes("--debug")];
    notes.write(describeError(ofResults(failure), { json, debug }));
  },
  onClosed: () => Deno.exit(EXIT.done),
});

/**
 * Standard error, line by line. When its reader closes it, or its disk is full, the program
 * continues.
 */
const notes = new LineStream(Deno.stderr, {
  afterwards({ message }, lost) {
    const text = `${message}, for a while; ${formatCount(lost, "line")} got lost`;
    return Deno.args.includes("--json") ? printableJson({ event: "notes-lost", lines: lost, why: message }) : text;
  },
});

/** Writes a result to standard output. May contain line feeds. */
export function writeResult(text: string): void {
  results.write(screenText(text));
}

/** Writes a note to standard error. May contain line feeds. */
export function writeNote(text: string): void {
  notes.write(screenText(text));
}

/**
 * Writes terminal codes to standard error without changing them. Only for codes that this program
 * made itself.
 */
export function writeCodes(codes: string): void {
  notes.write(codes);
}

/** The columns of the terminal at standard output; Infinity when there is none. */
export function resultColumns(): number {
  return Deno.stdout.isTerminal() ? terminalColumns() : Infinity;
}

/** Writes a text of the program itself, such as its help, to standard output. */
export function printText(text: string): void {
  results.write(wrapHelp(text, resultColumns()));
}

/** Writes the description of an error that ends the program to standard error. */
export function printError(text: string, { json }: { json: boolean }): void {
  notes.write(json || !Deno.stderr.isTerminal() ? text : wrapWords(text, terminalColumns()));
}

/**
 * Draws on standard error, over what was drawn there before. A drawing that fails is dropped: the
 * next one follows.
 */
export function draw(text: string): void {
  try {
    Deno.stderr.writeSync(new TextEncoder().encode(text));
  } catch {
    // Standard error is closed, or the disk is full.
  }
}

/**
 * Standard output for the bytes of a file. When its reader closes it, the program ends without a
 * message, and with an exit code that says that the file was cut off.
 */
export const byteResults = {
  async write(bytes: Uint8Array): Promise<number> {
    try {
      return await Deno.stdout.write(bytes);
    } catch (thrown) {
      if (thrown instanceof Deno.errors.BrokenPipe) Deno.exit(EXIT.failed);
      throw ofResults(Failure.from(thrown, "no-access", "Cannot write on standard output"));
    }
  },
};

/**
 * Makes sure that all results are written, before a program ends. When they cannot be written,
 * standard error has the reason already.
 *
 * @param code The exit code of the program when they are written.
 * @returns The exit code.
 */
export function finishResults(code: number): number {
  results[Symbol.dispose]();
  return results.failure === undefined ? code : exitCodeOf(results.failure);
}

/** A failure of standard output. A command that runs again does not continue where that stopped. */
function ofResults(failure: Failure): Failure {
  return failedWith(failure, "disk-full") ? failure.with({ hint: "make room where the output is written" }) : failure;
}
