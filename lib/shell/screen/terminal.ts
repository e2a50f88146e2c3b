/**
 * The screen of an interactive shell: a prompt with history and completion, output above it, and status lines below it that are redrawn
 * without touching what is being typed. Line editing is node:readline's.
 *
 * Every write goes through here, to standard output, so that nothing lands in the middle of something else. Cursor movements are relative:
 * the terminal may scroll at any line feed.
 * @module
 */

import process from "node:process";
import { createInterface, type Interface } from "node:readline";
import type { LineWriter } from "./output.ts";
import { screenText, terminalColumns } from "./screen_text.ts";
import { textWidth } from "../../cli/style.ts";

const PROMPT = "recess> ";
const CLEAR_DOWN = "\x1b[J";
const CLEAR_LINE = "\x1b[K";

/** What the terminal asks of the shell. */
export interface TerminalHandlers {
  /** A line was entered. */
  onLine(line: string): void;
  /** Ctrl-C was pressed. */
  onInterrupt(): void;
  /** Ctrl-D was pressed, or the terminal is gone. */
  onEnd(): void;
  /** The lines to show below the prompt now. Each has to fit into one line of the terminal. */
  status(): readonly string[];
  /** Tab was pressed behind `line`: what replaces its end. The handler itself shows what there is to choose from. */
  complete(line: string): Promise<{ readonly typed: string; readonly insert: string | undefined }>;
}

/** readline keeps the row of its cursor for redrawing; text printed in between moves it to the first. */
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
        // readline is given at most one completion, since it writes several to the screen as they are.
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
    // A terminal that has gone is noticed at its input; what cannot be written to it ends nothing.
    process.stdout.on("error", this.#ignore);
    // readline clears what is below whenever it draws its line anew.
    process.stdin.on("keypress", this.#redrawSoon);
    this.#readline.on("SIGINT", () => handlers.onInterrupt());
    this.#readline.on("close", () => handlers.onEnd());
  }

  /** What has been typed and not entered. */
  get typed(): string {
    return this.#readline.line;
  }

  /** Shows the prompt: the next line may be typed. */
  prompt(): void {
    this.#prompting = true;
    // What was typed meanwhile stays, and so does the cursor behind it.
    this.#readline.prompt(true);
    this.#drawStatus();
  }

  /** Drops what has been typed and shows an empty prompt. */
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

  /** Draws the status lines anew. */
  redraw(): void {
    if (this.#prompting) this.#drawStatus();
  }

  [Symbol.dispose](): void {
    process.stdin.off("keypress", this.#redrawSoon);
    process.stdout.off("error", this.#ignore);
    // Leaves the cursor on a line of its own for whoever has the terminal next.
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

  /** Draws the status below what is being typed, which may be several rows, and puts the cursor back. */
  #drawStatus(): void {
    const lines = this.#statusLines();
    if (lines.length === 0 && this.#drawnLines === 0) return;
    const { rows, cols } = this.#readline.getCursorPos();
    const below = this.#typedRows() - rows;
    const drawn = lines.map((line) => `\n\r${screenText(line)}${CLEAR_LINE}`).join("");
    // Where there is nothing to draw any more, the row below exists, because something was drawn there.
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
