/**
 * Decides whether there is room in the inbox for one more file. Pure: what is there goes in, the answer comes out.
 *
 * What is whole or on its way counts with its full size, so what was let in never has to stop for want of room. What was interrupted counts, too, as long as
 * it lies there, but gives way to whoever needs the room now, the oldest first.
 * @module
 */

import { Failure } from "../../core/failure.ts";
import { formatCount, formatSize } from "../../core/quantity.ts";

/** A file of the inbox. */
export interface Held {
  readonly number: number;
  readonly sender: string;
  readonly size: number;
  readonly state: "whole" | "running" | "interrupted";
}

/** How much there may be. Bytes are whole ones. */
export interface InboxBounds {
  readonly bytes: number;
  readonly bytesPerSender: number;
  readonly files: number;
  readonly filesPerSender: number;
}

/** What is decided: in, once what was interrupted under these numbers is thrown away; or not, and why. */
export type Verdict =
  | { readonly kind: "in"; readonly giveWay: readonly number[] }
  | { readonly kind: "out"; readonly failure: Failure };

/** Decides about a file of `size` bytes that `sender` puts. `held` is in order of time. */
export function roomFor(
  { sender, size }: Pick<Held, "sender" | "size">,
  held: readonly Held[],
  bounds: InboxBounds,
): Verdict {
  const own = (each: Held): boolean => each.sender === sender;
  const staying = held.filter(({ state }) => state !== "interrupted");
  // Whether it could fit at all: beside what stays, whatever gives way.
  const ownBytes = bytesOf(staying.filter(own));
  const left = bounds.bytes - bytesOf(staying);
  const leftOfSender = bounds.bytesPerSender - ownBytes;
  if (size > Math.min(left, leftOfSender)) {
    // The sender reads the bound that leaves less room.
    return out(
      left <= leftOfSender
        ? `there is room for ${formatSize(Math.max(0, left))}`
        : `one peer may have ${formatSize(bounds.bytesPerSender)} there, and you have ${formatSize(ownBytes)}`,
    );
  }
  if (staying.length >= bounds.files) return out(`there are ${formatCount(staying.length, "file")}`);
  if (staying.filter(own).length >= bounds.filesPerSender) {
    return out(`you have ${formatCount(staying.filter(own).length, "file")} there`);
  }
  const giveWay = new Set<number>();
  const makeRoom = (files: readonly Held[], bytes: number, count: number): void => {
    let [totalBytes, total] = [bytesOf(files) + size, files.length + 1];
    for (const each of files) {
      if (totalBytes <= bytes && total <= count) return;
      if (each.state !== "interrupted") continue;
      giveWay.add(each.number);
      totalBytes -= each.size;
      total -= 1;
    }
  };
  // One's own share is made room in with what is one's own.
  makeRoom(held.filter(own), bounds.bytesPerSender, bounds.filesPerSender);
  makeRoom(held.filter(({ number }) => !giveWay.has(number)), bounds.bytes, bounds.files);
  return { kind: "in", giveWay: [...giveWay] };
}

function bytesOf(files: readonly Held[]): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}

function out(why: string): Verdict {
  const hint = "ask them for more room, or take back what you put there with: rm FILE PEER";
  return { kind: "out", failure: new Failure("refused", `The inbox there has no room for it: ${why}`, { hint }) };
}
