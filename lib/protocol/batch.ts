/**
 * Splits lists so that each part fits into one line: for UPDATE in lib/peer, and for replies in
 * lib/server and lib/peer.
 * @module
 */

import { LINE_BYTES_MAX, MESSAGE_BYTES_MAX } from "../core/limits.ts";
import { isLongerInUtf8, utf8Bytes } from "../core/utf8.ts";

/** Room for a list in one line: the line without what surrounds the list. */
const LIST_BYTES_MAX = LINE_BYTES_MAX - 2 * MESSAGE_BYTES_MAX;

/** The first items of a list, as many as fit into one line. */
export function fitting<T>(items: readonly T[]): readonly T[] {
  // Nearly always all of them fit.
  if (!isLongerInUtf8(JSON.stringify(items), LIST_BYTES_MAX)) return items;
  let bytes = 0;
  const end = items.findIndex((item) => (bytes += itemBytes(item)) > LIST_BYTES_MAX);
  return end === -1 ? items : items.slice(0, end);
}

/**
 * The items of a list in order, in parts that fit into one line and hold at most `itemsMax` items
 * each.
 */
export function* batches<T>(items: Iterable<T>, itemsMax: number): Generator<T[]> {
  let batch: T[] = [];
  let bytes = 0;
  for (const item of items) {
    const added = itemBytes(item);
    if (batch.length === itemsMax || (batch.length > 0 && bytes + added > LIST_BYTES_MAX)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(item);
    bytes += added;
  }
  if (batch.length > 0) yield batch;
}

function itemBytes(item: unknown): number {
  return utf8Bytes(JSON.stringify(item)) + 1;
}
