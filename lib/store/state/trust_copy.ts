/**
 * A second copy of the people that a peer knows and trusts: `.recess/trust.jsonl`, with one row of
 * a table as JSON on each line. After a change it is written beside and then moved into its place.
 * It is read when the database was damaged: a key that was seen once must not be accepted as new
 * because a disk failed. Called by state.ts.
 * @module
 */

import { Failure } from "../../core/failure.ts";
import { printable } from "../../core/printable.ts";
import type { Row, Value } from "./database.ts";
import type { HeldTable } from "./held_table.ts";
import { demandPlainFile } from "../files/odd_file.ts";

/** Readable and writable by the owner alone. */
const MODE = 0o600;

/** Where the copy is, and where the next one is written before it replaces it. */
export function trustFiles(path: string): string[] {
  return [path, `${path}.new`];
}

/**
 * Writes every row of the tables.
 *
 * @throws {Failure} "disk-full", "no-access". The last copy is then unchanged.
 */
export function writeTrust(
  path: string,
  tables: readonly HeldTable[],
): void {
  const lines = tables.flatMap((table) => table.all().map((row) => JSON.stringify({ table: table.name, row })));
  try {
    for (const each of trustFiles(path)) demandPlainFile(each);
    Deno.writeTextFileSync(`${path}.new`, lines.map((line) => `${line}\n`).join(""), { mode: MODE });
    Deno.renameSync(`${path}.new`, path);
  } catch (thrown) {
    throw Failure.from(thrown, "no-access", `Cannot write "${printable(path)}"`);
  }
}

/**
 * Adds to the tables what they lack of the copy. A line that cannot be read is skipped.
 *
 * @returns How many rows were added.
 */
export function readTrust(path: string, tables: readonly HeldTable[]): number {
  let text: string;
  try {
    demandPlainFile(path);
    text = Deno.readTextFileSync(path);
  } catch {
    return 0;
  }
  return text.split("\n").filter((line) => {
    const { table: name, row } = parsed(line);
    return row !== undefined && tables.some((table) => table.name === name && table.takeIfMissing(row));
  }).length;
}

function parsed(line: string): { table?: string; row?: Record<string, Value> } {
  try {
    const { table, row } = JSON.parse(line) as { table?: unknown; row?: Row };
    const values = Object.values(row ?? {});
    const isRow = typeof table === "string" && values.every((each) => ["string", "number"].includes(typeof each));
    return isRow ? { table, row: row as Record<string, Value> } : {};
  } catch {
    return {};
  }
}
