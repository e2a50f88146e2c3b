/**
 * Decides whether there is room in the inbox for one more file, as a pure function.
 *
 * Files that are whole or arriving count with their full size, so an accepted file never stops for
 * lack of room. Interrupted files also count, but they are deleted when another file needs the
 * room, the oldest first.
 * @module
 */

import { Failure } from "../../core/failure.ts";
import { formatCount, formatSize } from "../../core/quantity.ts";

/** A file of the inbox. */
export interface InboxFile {
  readonly number: number;
  readonly sender: string;
  readonly size: number;
  readonly state: "whole" | "running" | "interrupted";
}

/** How much an inbox may hold; bytes are integers. */
export interface InboxBounds {
  readonly bytes: number;
  readonly bytesPerSender: number;
  readonly files: number;
  readonly filesPerSender: number;
}

/**
 * The decision: the file is accepted after the interrupted files with the numbers `toDelete` are
 * deleted; or it is refused.
 */
export type Verdict =
  | { readonly kind: "accepted"; readonly toDelete: readonly number[] }
  | { readonly kind: "refused"; readonly failure: Failure };

/**
 * Decides about one file.
 *
 * @param files The files of the inbox, in order of time.
 */
export function roomFor(
  { sender, size }: Pick<InboxFile, "sender" | "size">,
  files: readonly InboxFile[],
  bounds: InboxBounds,
): Verdict {
  const own = (each: InboxFile): boolean => each.sender === sender;
  const staying = files.filter(({ state }) => state !== "interrupted");
  // Whether the file fits at all when every interrupted file is deleted.
  const ownBytes = bytesOf(staying.filter(own));
  const left = bounds.bytes - bytesOf(staying);
  const leftOfSender = bounds.bytesPerSender - ownBytes;
  if (size > Math.min(left, leftOfSender)) {
    // The sender is shown the bound that leaves less room.
    return refused(
      left <= leftOfSender
        ? `there is room for ${formatSize(Math.max(0, left))}`
        : `one peer may have ${formatSize(bounds.bytesPerSender)} there, and you have ${formatSize(ownBytes)}`,
    );
  }
  if (staying.length >= bounds.files) return refused(`it already has ${formatCount(staying.length, "file")}`);
  if (staying.filter(own).length >= bounds.filesPerSender) {
    return refused(`you already have ${formatCount(staying.filter(own).length, "file")} there`);
  }
  const toDelete = new Set<number>();
  const makeRoom = (counted: readonly InboxFile[], bytes: number, count: number): void => {
    let [totalBytes, total] = [bytesOf(counted) + size, counted.length + 1];
    for (const each of counted) {
      if (totalBytes <= bytes && total <= count) return;
      if (each.state !== "interrupted") continue;
      toDelete.add(each.number);
      totalBytes -= each.size;
      total -= 1;
    }
  };
  // First the sender's own share: only the sender's own files give way for it.
  makeRoom(files.filter(own), bounds.bytesPerSender, bounds.filesPerSender);
  makeRoom(files.filter(({ number }) => !toDelete.has(number)), bounds.bytes, bounds.files);
  return { kind: "accepted", toDelete: [...toDelete] };
}

function bytesOf(files: readonly InboxFile[]): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}

function refused(why: string): Verdict {
  const hint = "ask its owner for more room, or delete your files there with: rm FILE PEER";
  return { kind: "refused", failure: new Failure("refused", `The inbox has no room for the file: ${why}`, { hint }) };
}
