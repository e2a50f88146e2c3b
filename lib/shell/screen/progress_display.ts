/**
 * Shows the progress of a transfer while a one-shot command waits for it: on a terminal one line
 * that is drawn again and again, elsewhere a line now and then. It writes to standard error, so
 * standard output holds only results. Called by one_shot.ts.
 * @module
 */

import { printableJson } from "../../core/printable.ts";
import type { TransferView } from "../../peer/get/transfer.ts";
import { draw } from "../../cli/streams.ts";
import { percentDone, plainProgress, progressLine } from "./progress.ts";
import { screenText, terminalColumns } from "../../cli/screen_text.ts";
import { padText } from "../../cli/style.ts";

const REDRAW_MS = 150;
const PLAIN_MS = 2_000;

/** Draws until `ended` settles. On a terminal, it then erases what it drew. */
export async function showProgress(
  view: () => TransferView,
  ended: Promise<unknown>,
  options: { json: boolean },
): Promise<void> {
  const onTerminal = Deno.stderr.isTerminal() && !options.json;
  const show = onTerminal ? drawOver : options.json ? writeJson : writePlain;
  const timer = setInterval(() => show(view()), onTerminal ? REDRAW_MS : PLAIN_MS);
  try {
    await ended;
  } catch {
    // The code that started the transfer handles its failure.
  } finally {
    clearInterval(timer);
    if (onTerminal) clearProgress();
  }
}

/** Erases the progress from the terminal. */
export function clearProgress(): void {
  draw(`\r${" ".repeat(usedColumns())}\r`);
}

/** Covers the previous drawing with spaces, since not every terminal understands escape codes. */
function drawOver(view: TransferView): void {
  const columns = usedColumns();
  draw(`\r${padText(screenText(progressLine(view, columns)), columns)}`);
}

/**
 * One column less than the terminal has, so that the cursor does not wrap to a line that is never
 * cleared.
 */
function usedColumns(): number {
  return terminalColumns() - 1;
}

function writePlain(view: TransferView): void {
  draw(`${screenText(plainProgress(view))}\n`);
}

function writeJson(view: TransferView): void {
  const { name, size, done, bytesPerSecond, state, sources, before, retries } = view;
  const rate = Math.round(bytesPerSecond);
  const progress = {
    event: "progress",
    name,
    size,
    done,
    percent: percentDone(view),
    bytesPerSecond: rate,
    state,
    sources,
    before,
    retries,
  };
  draw(`${printableJson(progress)}\n`);
}
