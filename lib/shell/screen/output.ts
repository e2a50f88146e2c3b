/**
 * The output of commands: results to standard output, everything else to standard error; as text,
 * or with `--json` as one JSON object a line.
 * @module
 */

import type { ImageType } from "../../core/image_type.ts";
import { printable, printableJson } from "../../core/printable.ts";
import { type ImageProtocol, inlineImage } from "./inline_image.ts";
import { describeError } from "../../cli/outcome.ts";
import { resultColumns, writeCodes, writeNote, writeResult } from "../../cli/streams.ts";
import { type Styler, stylerFor } from "../../cli/style.ts";
import { type Column, renderTable } from "../../cli/table.ts";
import { wrapHelp, wrapWords } from "../../cli/wrap.ts";

/**
 * Writes finished lines. On a terminal in use, it keeps them clear of the prompt. It escapes every
 * character that a terminal might act on, see screen_text.ts.
 */
export interface LineWriter {
  /** Writes a result to standard output. May contain line feeds. */
  result(text: string): void;
  /** Writes a note to standard error. May contain line feeds. */
  note(text: string): void;
  /**
   * Writes the codes that make a terminal show a picture, unchanged. They come from
   * inline_image.ts.
   */
  picture(codes: string): void;
  /** The columns of the terminal; Infinity when there is none. */
  columns(): number;
}

/** The form of the output. */
export interface OutputOptions {
  readonly json: boolean;
  readonly debug: boolean;
}

/** The output of one run of the program. */
export class Output {
  readonly json: boolean;
  readonly style: Styler;
  /** How the terminal shows pictures; undefined when it cannot. */
  images: ImageProtocol | undefined;
  readonly #debug: boolean;
  #writer: LineWriter = plainWriter;

  constructor(options: OutputOptions) {
    this.json = options.json;
    this.style = stylerFor(Deno.stdout.isTerminal());
    this.#debug = options.debug;
  }

  /**
   * Writes through a terminal from now on; with undefined, directly to standard output and standard
   * error again.
   */
  writeTo(terminal: LineWriter | undefined): void {
    this.#writer = terminal ?? plainWriter;
  }

  /** Writes a result: a sentence for people, or an object for programs. */
  result(text: string, object: Readonly<Record<string, unknown>>): void {
    this.#writer.result(this.json ? printableJson(object) : this.#fitted(printable(text)));
  }

  /** Writes a result of several lines for people, such as help. */
  text(text: string): void {
    this.#writer.result(wrapHelp(text, this.#writer.columns()));
  }

  /** Writes the result of an empty list: a sentence for people, and nothing for programs. */
  nothing(text: string): void {
    if (!this.json) this.#writer.result(this.#fitted(printable(text)));
  }

  /** Writes a table for people, or one object a row for programs. */
  table(columns: readonly Column[], rows: readonly { cells: readonly string[]; object: object }[]): void {
    if (this.json) rows.forEach(({ object }) => this.#writer.result(printableJson(object)));
    else if (rows.length > 0) {
      const options = { columns: this.#writer.columns(), style: this.style };
      this.#writer.result(renderTable(columns, rows.map(({ cells }) => cells), options));
    }
  }

  /** Writes a note: something worth knowing that is not the result. */
  note(text: string, object: Readonly<Record<string, unknown>>): void {
    this.#writer.note(this.json ? printableJson(object) : this.#fitted(printable(text)));
  }

  /** Shows a picture, if the terminal can. */
  picture(bytes: Uint8Array, type: ImageType): void {
    const shown = this.json ? undefined : inlineImage(this.images, bytes, type);
    if (shown !== undefined) this.#writer.picture(shown);
  }

  /** Writes an error as one sentence. */
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
  result: writeResult,
  note: writeNote,
  picture: writeCodes,
  columns: resultColumns,
};
