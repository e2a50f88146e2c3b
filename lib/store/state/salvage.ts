/**
 * Copies what can still be read of one database into another, table by table and row by row. Called
 * by state_file.ts for a damaged file, and for one that can only be read.
 * @module
 */

import { type Database, inTransaction, type Row, troubleOf, type Value } from "./database.ts";
import { SCHEMA_VERSION, schemaVersion, type Table, tablesOf } from "./schema.ts";

/** The table that can be made again from the shared files. */
const REMADE = "pieces";

/**
 * Copies every row that `to` does not have already.
 *
 * @returns The names of the tables that could not be read completely.
 */
export function salvage(from: Database, to: Database): string[] {
  const there = readable(() => tablesOf(from)) ?? [];
  const isOfThisVersion = readable(() => schemaVersion(from)) === SCHEMA_VERSION;
  return tablesOf(to).filter((table) => {
    // What another version stored about a file may mean something else. It is made again.
    if (table.name === REMADE && !isOfThisVersion) return false;
    const source = there.find(({ name }) => name === table.name);
    return source === undefined || !copyRows(from, to, table, source);
  }).map(({ name }) => name);
}

/** Copies one table. A bad page hides what is behind it, so the table is read from both ends. */
function copyRows(from: Database, to: Database, table: Table, source: Table): boolean {
  const columns = table.columns.filter((column) => source.columns.includes(column));
  const select = (direction: "ASC" | "DESC"): string => {
    const order = table.order.map((key) => `${key} ${direction}`).join(", ");
    return `SELECT ${columns.join(", ")} FROM ${table.name} ORDER BY ${order}`;
  };
  return inTransaction(to, () => {
    const put = to.prepare(
      `INSERT OR IGNORE INTO ${table.name} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`,
    );
    const copy = (rows: Iterable<Row>): void => {
      for (const row of rows) put.run(...columns.map((column) => row[column] as Value));
    };
    const all = readable(() => from.prepare(select("ASC")).all());
    if (all !== undefined) {
      copy(all);
      return true;
    }
    // Row by row, reading ends at the bad page, with or without an error.
    for (const direction of ["ASC", "DESC"] as const) readable(() => copy(from.prepare(select(direction)).iterate()));
    return false;
  });
}

/** The result of a read. Undefined where the file cannot be read on. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (thrown) {
    if (isOfContent(thrown)) return undefined;
    throw thrown;
  }
}

/** Whether reading failed. A failure of writing is for the caller. */
function isOfContent(thrown: unknown): boolean {
  const trouble = troubleOf(thrown);
  if (trouble === "damaged" || trouble === "unusable") return true;
  // The content of a bad page may look like a value that the column does not accept.
  return thrown instanceof Error && (thrown as { code?: unknown }).code === "ERR_SQLITE_ERROR" && trouble === undefined;
}
