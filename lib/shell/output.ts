/**
 * Where commands write: results to standard output, everything else to standard error, as text or with `--json` as one JSON object a line.
 * @module
 */

import type { ImageType } from "../core/image_type.ts";
import { printable, printableJson } from "../core/printable.ts";
import { type ImageProtocol, inlineImage } from "./inline_image.ts";
import { describeError, EXIT } from "./outcome.ts";
import { screenText, terminalColumns } from "./screen_text.ts";
import { type Styler, stylerFor } from "./style.ts";
import { type Column, renderTable } from "./table.ts";
import { wrapWords } from "./wrap.ts";

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

  /** A result of several lines that is for people only, already printable. */
  text(text: string): void {
    this.#writer.result(text);
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

/** Writes straight to standard output and standard error. */
const plainWriter: LineWriter = {
  result: (text) => writeAll(Deno.stdout, `${screenText(text)}\n`),
  note: (text) => writeAll(Deno.stderr, `${screenText(text)}\n`),
  picture: (codes) => writeAll(Deno.stderr, `${codes}\n`),
  columns: () => Deno.stdout.isTerminal() ? terminalColumns() : Infinity,
};

function writeAll(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let done = 0; done < bytes.length;) done += stream.writeSync(bytes.subarray(done));
  } catch (thrown) {
    // Whoever read our output has seen enough, as `| head` does.
    if (thrown instanceof Deno.errors.BrokenPipe) Deno.exit(EXIT.done);
    throw thrown;
  }
}
