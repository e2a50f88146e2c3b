/**
 * The screen of an interactive shell: a prompt with history and completion, output above it, and
 * status lines below it, which are redrawn without touching the typed text. node:readline edits the
 * line.
 *
 * Everything is written here, to standard output, so that no two writes mix. Cursor movements are
 * relative: the terminal may scroll at any line feed.
 * @module
 */

import process from "node:process";
import { createInterface, type Interface } from "node:readline";
import type { LineWriter } from "./output.ts";
import { screenText, terminalColumns } from "../../cli/screen_text.ts";
import { textWidth } from "../../cli/style.ts";

const PROMPT = "recess> ";
const CLEAR_DOWN = "\x1b[J";
const CLEAR_LINE = "\x1b[K";

/** What the shell does for the terminal. */
export interface TerminalHandlers {
  /** A line was entered. */
  onLine(line: string): void;
  /** Ctrl-C was pressed. */
  onInterrupt(): void;
  /** Ctrl-D was pressed, or the terminal is gone. */
  onEnd(): void;
  /** Returns the lines to show below the prompt. Each must fit into one line of the terminal. */
  status(): readonly string[];
  /**
   * Tab was pressed behind `line`. Resolves to the text that replaces the typed end; the handler
   * itself shows the choices.
   */
  complete(line: string): Promise<{ readonly typed: string; readonly insert: string | undefined }>;
}

/**
 * readline remembers the row of its cursor for redrawing. After text was printed above, that is the
 * first row.
 */
type Readline = Interface & { prevRows?: number };

/** A terminal in use. */
export class Terminal implements LineWriter, Disposable {
  readonly #readline: Readline;
  readonly #statusLines: () => readonly string[];
  #prompting = false;
  #drawnLines = 0;

  constructor(handlers: TerminalHandlers) {
    this.#statusLines = () => handlers.status();
    this.#readline = createInterface({
      input: process.stdin,
      output: process.stdout,
      terminal: true,
      prompt: PROMPT,
      historySize: 500,
      removeHistoryDuplicates: true,
      completer: (line: string, done: (error: Error | null, result: [string[], string]) => void) => {
        // readline gets at most one completion: it would write several of them to the screen
        // without escaping them.
        handlers.complete(line).then(
          ({ typed, insert }) => done(null, [insert === undefined ? [] : [insert], typed]),
          () => done(null, [[], line]),
        );
      },
    });
    this.#readline.on("line", (line) => {
      this.#prompting = false;
      // The line feed of Enter has moved the cursor onto the first status line.
      this.#write(CLEAR_DOWN);
      this.#drawnLines = 0;
      handlers.onLine(line);
    });
    // A terminal that has gone ends the input, which ends the shell. A failed write need not.
    process.stdout.on("error", this.#ignore);
    // readline clears everything below whenever it redraws its line.
    process.stdin.on("keypress", this.#redrawSoon);
    this.#readline.on("SIGINT", () => handlers.onInterrupt());
    this.#readline.on("close", () => handlers.onEnd());
  }

  /** The text that has been typed and not entered. */
  get typed(): string {
    return this.#readline.line;
  }

  /** Shows the prompt for the next line. */
  prompt(): void {
    this.#prompting = true;
    // Text that was typed meanwhile stays, and the cursor stays behind it.
    this.#readline.prompt(true);
    this.#drawStatus();
  }

  /** Drops the typed text and shows an empty prompt. */
  clearTyped(): void {
    this.#readline.write(null, { ctrl: true, name: "e" });
    this.#readline.write(null, { ctrl: true, name: "u" });
    this.prompt();
  }

  result(text: string): void {
    this.#printAbove(screenText(text));
  }

  note(text: string): void {
    this.#printAbove(screenText(text));
  }

  picture(codes: string): void {
    this.#printAbove(codes);
  }

  columns(): number {
    return terminalColumns();
  }

  /** Draws the status lines again. */
  redraw(): void {
    if (this.#prompting) this.#drawStatus();
  }

  [Symbol.dispose](): void {
    process.stdin.off("keypress", this.#redrawSoon);
    process.stdout.off("error", this.#ignore);
    // Leaves the cursor on a new line, for the next program on this terminal.
    this.#write(this.#prompting ? `${CLEAR_DOWN}\n` : CLEAR_DOWN);
    this.#prompting = false;
    this.#readline.close();
  }

  readonly #ignore = (): void => {};

  readonly #redrawSoon = (): void => {
    setTimeout(() => this.redraw(), 0);
  };

  #printAbove(text: string): void {
    if (!this.#prompting) {
      this.#write(`${text}\n`);
      return;
    }
    const { rows } = this.#readline.getCursorPos();
    this.#write(`${up(rows)}\r${CLEAR_DOWN}${text}\n`);
    this.#drawnLines = 0;
    this.#readline.prevRows = 0;
    this.#readline.prompt(true);
    this.#drawStatus();
  }

  /**
   * Draws the status below the typed text, which may take several rows, and moves the cursor back.
   */
  #drawStatus(): void {
    const lines = this.#statusLines();
    if (lines.length === 0 && this.#drawnLines === 0) return;
    const { rows, cols } = this.#readline.getCursorPos();
    const below = this.#typedRows() - rows;
    const drawn = lines.map((line) => `\n\r${screenText(line)}${CLEAR_LINE}`).join("");
    // When there are no status lines left, the row below exists nevertheless: status lines were
    // drawn there before.
    const cleared = lines.length > 0 ? CLEAR_DOWN : `${down(1)}\r${CLEAR_DOWN}${up(1)}`;
    this.#write(`${down(below)}${drawn}${cleared}${up(below + lines.length)}\r${right(cols)}`);
    this.#drawnLines = lines.length;
  }

  /** The last row of prompt and typed text, counted from 0. */
  #typedRows(): number {
    return Math.floor(textWidth(PROMPT + this.#readline.line) / this.columns());
  }

  #write(text: string): void {
    process.stdout.write(text);
  }
}

function up(rows: number): string {
  return rows > 0 ? `\x1b[${rows}A` : "";
}

function down(rows: number): string {
  return rows > 0 ? `\x1b[${rows}B` : "";
}

function right(columns: number): string {
  return columns > 0 ? `\x1b[${columns}C` : "";
}
