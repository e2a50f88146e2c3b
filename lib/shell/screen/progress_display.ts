/**
 * Shows how downloads go while a one-shot command waits for them: one line that is drawn over on a terminal, a line now and then elsewhere.
 * On standard error, so that results stay clean.
 * @module
 */

import { printableJson } from "../../core/printable.ts";
import type { TransferView } from "../../peer/get/transfer.ts";
import { draw } from "./output.ts";
import { percentDone, plainProgress, progressLine } from "./progress.ts";
import { screenText, terminalColumns } from "./screen_text.ts";
import { padText } from "../../cli/style.ts";

const REDRAW_MS = 150;
const PLAIN_MS = 2_000;

/** Draws until `ended` settles, then leaves nothing behind on a terminal. */
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
    // Whoever started the download hears of its failure.
  } finally {
    clearInterval(timer);
    if (onTerminal) clearProgress();
  }
}

/** Leaves nothing of the progress on a terminal. */
export function clearProgress(): void {
  draw(`\r${" ".repeat(usedColumns())}\r`);
}

/** Spaces, and no escape codes, cover what was drawn before: not every terminal understands these. */
function drawOver(view: TransferView): void {
  const columns = usedColumns();
  draw(`\r${padText(screenText(progressLine(view, columns)), columns)}`);
}

/** One column less than there are, so that the cursor does not wrap to a line that is never cleared. */
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
