/**
 * Where commands write: results to standard output, everything else to standard error, as text or with `--json` as one JSON object a line.
 * @module
 */

import type { ImageType } from "../../core/image_type.ts";
import { Failure } from "../../core/failure.ts";
import { LineStream } from "../../core/flow/line_stream.ts";
import { printable, printableJson } from "../../core/printable.ts";
import { formatCount } from "../../core/quantity.ts";
import { type ImageProtocol, inlineImage } from "./inline_image.ts";
import { describeError, EXIT } from "../../cli/outcome.ts";
import { screenText, terminalColumns } from "./screen_text.ts";
import { type Styler, stylerFor } from "../../cli/style.ts";
import { type Column, renderTable } from "../../cli/table.ts";
import { wrapHelp, wrapWords } from "../../cli/wrap.ts";

/** Takes finished lines; a terminal in use keeps them clear of the prompt. What they hold acts on no terminal: see screen_text.ts. */
export interface LineWriter {
  /** A result, for standard output. May hold line feeds. */
  result(text: string): void;
  /** A note, for standard error. May hold line feeds. */
  note(text: string): void;
  /** Codes that make a terminal show a picture, which inline_image.ts makes; they are written as they are. */
  picture(codes: string): void;
  /** Columns of the terminal; Infinity where there is none. */
  columns(): number;
}

/** How output is to look. */
export interface OutputOptions {
  readonly json: boolean;
  readonly debug: boolean;
}

/** Output of one program run. */
export class Output {
  readonly json: boolean;
  readonly style: Styler;
  /** What the terminal shows pictures with; set when there is one that does. */
  images: ImageProtocol | undefined;
  readonly #debug: boolean;
  #writer: LineWriter = plainWriter;

  constructor(options: OutputOptions) {
    this.json = options.json;
    this.style = stylerFor(Deno.stdout.isTerminal());
    this.#debug = options.debug;
  }

  /** Writes through a terminal from now on; without one, straight to standard output and error again. */
  writeTo(terminal: LineWriter | undefined): void {
    this.#writer = terminal ?? plainWriter;
  }

  /** A result: a sentence for people, an object for programs. The sentence is made printable. */
  result(text: string, object: Readonly<Record<string, unknown>>): void {
    this.#writer.result(this.json ? printableJson(object) : this.#fitted(printable(text)));
  }

  /** A result of several lines that is for people only, such as help. */
  text(text: string): void {
    this.#writer.result(wrapHelp(text, this.#writer.columns()));
  }

  /** The result of listing what there is none of: a sentence for people, no object for programs. */
  nothing(text: string): void {
    if (!this.json) this.#writer.result(this.#fitted(printable(text)));
  }

  /** A table for people; for programs one object a row. */
  table(columns: readonly Column[], rows: readonly { cells: readonly string[]; object: object }[]): void {
    if (this.json) rows.forEach(({ object }) => this.#writer.result(printableJson(object)));
    else if (rows.length > 0) {
      const options = { columns: this.#writer.columns(), style: this.style };
      this.#writer.result(renderTable(columns, rows.map(({ cells }) => cells), options));
    }
  }

  /** Something worth knowing that is no result. */
  note(text: string, object: Readonly<Record<string, unknown>>): void {
    this.#writer.note(this.json ? printableJson(object) : this.#fitted(printable(text)));
  }

  /** A picture, where the terminal can show it; elsewhere nothing. */
  picture(bytes: Uint8Array, type: ImageType): void {
    const shown = this.json ? undefined : inlineImage(this.images, bytes, type);
    if (shown !== undefined) this.#writer.picture(shown);
  }

  /** An error, as one sentence. */
  error(thrown: unknown): void {
    const text = describeError(thrown, { json: this.json, debug: this.#debug });
    this.#writer.note(this.json ? text : this.style(this.#fitted(text), "red"));
  }

  #fitted(text: string): string {
    return wrapWords(text, this.#writer.columns());
  }
}

/**
 * Standard output, line by line. Where nobody reads it any more the program ends, since its reader has seen enough, as `| head` does. What the disk has no
 * room for waits, and standard error says so.
 */
const results = new LineStream(Deno.stdout, {
  name: "standard output",
  onHeld: (failure) => notes.write(describeError(failure, { json: Deno.args.includes("--json"), debug: false })),
  onClosed: () => Deno.exit(EXIT.done),
});

/** Standard error, line by line. The program goes on without its reader, and without its disk. */
const notes = new LineStream(Deno.stderr, {
  afterwards({ message }, lost) {
    const text = `${message}, for a while; ${formatCount(lost, "line")} got lost`;
    return Deno.args.includes("--json") ? printableJson({ event: "notes-lost", lines: lost, why: message }) : text;
  },
});

/** Writes straight to standard output and standard error. */
const plainWriter: LineWriter = {
  result: (text) => results.write(screenText(text)),
  note: (text) => notes.write(screenText(text)),
  picture: (codes) => notes.write(codes),
  columns: () => Deno.stdout.isTerminal() ? terminalColumns() : Infinity,
};

/** Writes a text of the program itself, such as its help, on standard output. */
export function printText(text: string): void {
  results.write(wrapHelp(text, plainWriter.columns()));
}

/** Writes an error that ends the program on standard error, described already. */
export function printError(text: string, { json }: { json: boolean }): void {
  notes.write(json || !Deno.stderr.isTerminal() ? text : wrapWords(text, terminalColumns()));
}

/** Draws on standard error, over what was drawn there before. What cannot be drawn is dropped: the next drawing follows. */
export function draw(text: string): void {
  try {
    Deno.stderr.writeSync(new TextEncoder().encode(text));
  } catch {
    // Nobody sees it, or the disk is full.
  }
}

/** Standard output for the bytes of a file. Without a reader the program ends without a word, as for results, but says by its exit code that the file is cut. */
export const byteResults = {
  async write(bytes: Uint8Array): Promise<number> {
    try {
      return await Deno.stdout.write(bytes);
    } catch (thrown) {
      if (thrown instanceof Deno.errors.BrokenPipe) Deno.exit(EXIT.failed);
      throw Failure.from(thrown, "no-access", "Cannot write on standard output");
    }
  },
};

/**
 * Makes sure that all results are written, before a program ends.
 *
 * @throws {Failure} "disk-full", "no-access" when they cannot be.
 */
export function finishResults(): void {
  results[Symbol.dispose]();
  if (results.failure !== undefined) throw results.failure;
}
