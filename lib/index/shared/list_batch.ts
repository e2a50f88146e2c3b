/**
 * A batch of changes to what a peer lists, as it is stored in Redis: JSON, deflated where that is
 * shorter. The names of one folder are similar, so a thousand of them deflate to a quarter of their
 * length. Called by redis_entries.ts.
 * @module
 */

import { deflateSync, inflateSync } from "node:zlib";
import { ROOT_REGEXP } from "../../core/content.ts";
import { Failure } from "../../core/failure.ts";
import { BATCH_FILES_MAX, REDIS_BATCH_BYTES_MAX } from "../../core/limits.ts";
import type { ListChange, ListedFile, PartialFile } from "../search_index.ts";

/** Changes of a peer's list and of its downloads. */
export interface ListBatch extends ListChange {
  readonly partials: readonly PartialFile[];
  /** The roots of contents that the peer no longer downloads. */
  readonly ended: readonly string[];
}

type Row = [name: string, size: number, root?: string];

/** Deflating shorter batches hardly saves anything. */
const DEFLATED_BYTES_MIN = 256;
/** The first byte of JSON. Deflated bytes begin with 0x78 (RFC 1950). */
const PLAIN = "[".charCodeAt(0);

/** A batch without changes. */
export const NO_CHANGE: ListBatch = { add: [], remove: [], partials: [], ended: [] };

/**
 * Divides a change into batches. Removals come first, so a name that is in both lists is there
 * afterwards, as in every index.
 */
export function* batchesOf({ add, remove }: ListChange): Generator<ListBatch> {
  for (let start = 0; start < remove.length; start += BATCH_FILES_MAX) {
    yield { ...NO_CHANGE, remove: remove.slice(start, start + BATCH_FILES_MAX) };
  }
  for (let start = 0; start < add.length; start += BATCH_FILES_MAX) {
    yield { ...NO_CHANGE, add: add.slice(start, start + BATCH_FILES_MAX) };
  }
}

/** How many changes a batch has. */
export function changesIn({ add, remove, partials, ended }: ListBatch): number {
  return add.length + remove.length + partials.length + ended.length;
}

/** Encodes a batch. */
export function encodeListBatch({ add, remove, partials, ended }: ListBatch): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify([add.map(rowOf), remove, partials.map(rowOf), ended]));
  return json.length < DEFLATED_BYTES_MIN ? json : deflateSync(json, { level: 1 });
}

/**
 * Decodes a batch.
 *
 * @throws {Failure} "malformed".
 */
export function decodeListBatch(bytes: Uint8Array): ListBatch {
  try {
    const json = bytes[0] === PLAIN ? bytes : inflateSync(bytes, { maxOutputLength: REDIS_BATCH_BYTES_MAX });
    const [add, remove, partials, ended] = listOf(JSON.parse(new TextDecoder().decode(json)));
    return {
      add: listOf(add).map(fileOf),
      remove: listOf(remove).map(textOf),
      partials: listOf(partials).map(partialOf),
      ended: listOf(ended).map(rootOf),
    };
  } catch (thrown) {
    throw Failure.from(thrown, "malformed", "Cannot read a list in Redis");
  }
}

function rowOf({ name, size, root }: ListedFile): Row {
  return root === undefined ? [name, size] : [name, size, root];
}

// A program that can write to Redis can list anything, except values that would break a server.

function fileOf(row: unknown): ListedFile {
  const [name, size, root] = listOf(row);
  if (!Number.isSafeInteger(size) || Number(size) < 0) throw new TypeError("no size");
  return { name: textOf(name), size: Number(size), root: root === undefined ? undefined : rootOf(root) };
}

function partialOf(row: unknown): PartialFile {
  return { ...fileOf(row), root: rootOf(listOf(row)[2]) };
}

function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new TypeError("no list");
  return value;
}

function textOf(value: unknown): string {
  if (typeof value !== "string") throw new TypeError("no text");
  return value;
}

function rootOf(value: unknown): string {
  if (!ROOT_REGEXP.test(textOf(value))) throw new TypeError("no root");
  return textOf(value);
}
