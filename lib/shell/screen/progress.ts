/**
 * A transfer's progress as one line. Pure: a view and a width in, text out. Called by shell.ts and
 * progress_display.ts.
 * @module
 */

import { failedWith } from "../../core/failure.ts";
import { shownPeerName } from "../../core/peer_name.ts";
import { printable } from "../../core/printable.ts";
import { formatCount, formatDuration, formatRate, formatSize } from "../../core/quantity.ts";
import type { TransferView } from "../../peer/get/transfer.ts";
import { cutMiddle, padText, textWidth } from "../../cli/style.ts";

const NAME_COLUMNS_MIN = 8;
const NAME_COLUMNS_MAX = 40;
/** The most important fact is cut to no less than this. */
const FACT_COLUMNS_MIN = 20;
const BAR_COLUMNS_MIN = 6;
const BAR_COLUMNS_MAX = 30;

/**
 * One line of at most `columns` characters: name, bar, percent, and as much of speed, time left and
 * size as fits.
 */
export function progressLine(view: TransferView, columns: number): string {
  const percent = `${String(percentDone(view)).padStart(3)} %`;
  // Facts are in order of importance. The last ones are left out when they do not fit.
  const facts = factsOf(view);
  let tail = percent;
  for (const [index, fact] of facts.entries()) {
    const left = columns - textWidth(`${tail}  `) - NAME_COLUMNS_MIN - BAR_COLUMNS_MIN - 6;
    const isFitting = textWidth(fact) <= left;
    // The first fact may be a long reason. Most of it is better than none.
    if (!isFitting && (index > 0 || left < FACT_COLUMNS_MIN)) break;
    tail = `${tail}  ${cutMiddle(fact, left)}`;
    if (!isFitting) break;
  }
  const room = columns - textWidth(tail) - 6;
  const name = printable(view.name);
  const nameColumns = Math.max(
    NAME_COLUMNS_MIN,
    Math.min(NAME_COLUMNS_MAX, textWidth(name), room - BAR_COLUMNS_MIN),
  );
  const barColumns = Math.min(BAR_COLUMNS_MAX, room - nameColumns);
  const shownName = padText(cutMiddle(name, nameColumns), nameColumns);
  const bar = barColumns < BAR_COLUMNS_MIN ? "" : `[${barOf(view, barColumns)}]  `;
  return cutMiddle(`${shownName}  ${bar}${tail}`, columns);
}

/** A transfer's progress without a bar, for output that is not a terminal. */
export function plainProgress(view: TransferView): string {
  return [`${printable(view.name)}: ${percentDone(view)} %`, ...factsOf(view)].join(", ");
}

/** How many percent have arrived, rounded down. */
export function percentDone({ done, size }: TransferView): number {
  return size === 0 ? 100 : Math.floor(done / size * 100);
}

function factsOf(view: TransferView): string[] {
  const retries = view.retries === 0 ? [] : [formatCount(view.retries, "failed attempt")];
  const amount = `${formatSize(view.done)} of ${formatSize(view.size)}`;
  const from = printable(view.sources.map(shownPeerName).join(", "));
  if (view.isAsking && (view.state === "running" || view.state === "connecting")) {
    return [`asking ${from} for consent`, amount];
  }
  switch (view.state) {
    case "running":
      return view.before !== undefined ? [placeInLine(view.before), amount] : [
        ...(view.bytesPerSecond > 0 ? [formatRate(view.bytesPerSecond)] : []),
        ...(view.leftMs === undefined ? [] : [`${formatDuration(view.leftMs)} left`]),
        amount,
        ...(view.sources.length > 1 ? [`${view.sources.length} sources`] : []),
        ...retries,
      ];
    case "checking":
      return ["checking what has arrived", amount];
    case "finishing":
      return ["writing it to the disk", amount];
    case "connecting":
      return [view.sources.length === 0 ? "looking for peers that have it" : `connecting to ${from}`];
    case "waiting":
      return [waitingFor(view), amount, ...retries];
    case "queued":
      return ["waiting for its turn"];
    case "paused":
      return ["paused", amount];
    case "done":
    case "failed":
    case "cancelled":
      return [view.state, amount];
  }
}

/** Why nothing arrives, as short as a line of progress needs it. */
function waitingFor({ failure }: TransferView): string {
  if (failure === undefined || failedWith(failure, "not-found")) return "waiting for a peer that has it";
  if (failedWith(failure, "disk-full") && !failure.remote) return "waiting for room on the disk";
  return `waiting: ${printable(failure.message)}`;
}

function placeInLine(before: number): string {
  return before === 0 ? "next in line" : `${before} before you in line`;
}

function barOf({ done, size }: TransferView, columns: number): string {
  const filled = size === 0 ? columns : Math.floor(done / size * columns);
  return "#".repeat(filled) + "-".repeat(columns - filled);
}
