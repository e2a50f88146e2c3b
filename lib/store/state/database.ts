/**
 * SQLite as lib/store uses it: the calls it needs, the meaning of errors, and transactions that are
 * never left open. Tests replace it with a database that fails at a chosen call.
 * @module
 */

import { DatabaseSync } from "node:sqlite";
import { Failure } from "../../core/failure.ts";
import { STATE_LOCK_WAIT_MS } from "../../core/limits.ts";
import { printable } from "../../core/printable.ts";

/** A value in a table. */
export type Value = string | number | bigint | Uint8Array | null;
/** One row, by column. */
export type Row = Record<string, unknown>;

/** A prepared statement. */
export interface Statement {
  run(...values: Value[]): { readonly lastInsertRowid: number | bigint };
  get(...values: Value[]): Row | undefined;
  all(...values: Value[]): Row[];
  iterate(...values: Value[]): Iterable<Row>;
}

/** An open database. */
export interface Database {
  readonly isTransaction: boolean;
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

/** Opens a database. */
export type OpenDatabase = typeof openSqlite;

/**
 * Opens a database of SQLite. With `readOnly`, it reads a file that cannot be written and that
 * nobody changes meanwhile.
 */
export function openSqlite(path: string, { readOnly = false }: { readonly readOnly?: boolean } = {}): Database {
  if (!readOnly) return new DatabaseSync(path, { timeout: STATE_LOCK_WAIT_MS });
  // SQLite would make files beside a database, even to read it.
  return new DatabaseSync(`file:${encodeURI(path).replaceAll("#", "%23").replaceAll("?", "%3f")}?immutable=1`, {
    readOnly: true,
  });
}

/**
 * What an error of SQLite means: another program has locked the file, its disk is full, its content
 * is damaged, or it cannot be written or read.
 */
export type DatabaseTrouble = "locked" | "full" | "damaged" | "unusable";

/** What SQLite says, since not each of its errors has a number. */
const TROUBLES: readonly [RegExp, DatabaseTrouble][] = [
  [/is locked/, "locked"],
  [/is full/, "full"],
  [/malformed|not a database/, "damaged"],
  [/readonly|unable to open|disk I\/O|out of memory|access permission|permission denied/i, "unusable"],
];

/** What went wrong with a database. Undefined when the error is none of SQLite, but a bug. */
export function troubleOf(thrown: unknown): DatabaseTrouble | undefined {
  if (!(thrown instanceof Error) || thrown instanceof Failure) return undefined;
  if (thrown instanceof Deno.errors.NotCapable || thrown instanceof Deno.errors.PermissionDenied) return "unusable";
  if ((thrown as { code?: unknown }).code !== "ERR_SQLITE_ERROR") return undefined;
  return TROUBLES.find(([pattern]) => pattern.test(thrown.message))?.[1];
}

/** A trouble with the database at `path` as a failure: one sentence that names the file. */
export function failureOf(trouble: DatabaseTrouble, path: string, cause: unknown): Failure {
  const file = `"${printable(path)}"`;
  switch (trouble) {
    case "locked":
      return new Failure("busy", `Cannot use ${file}: another program has locked it`, {
        cause,
        hint: "close that program and start again; nothing is lost",
      });
    case "full":
      return new Failure("disk-full", `Cannot write ${file}: its disk is full`, {
        cause,
        hint: "make room on that disk: it is written then",
      });
    case "damaged":
      return new Failure("no-access", `Cannot use ${file}: it is damaged`, { cause, hint: "" });
    case "unusable":
      return new Failure("no-access", `Cannot use ${file}: ${cause instanceof Error ? cause.message : cause}`, {
        cause,
        hint: "check the disk, and the permissions of the file and its folder",
      });
  }
}

/** Carries out all steps or none, whatever fails. */
export function inTransaction<T>(database: Database, steps: () => T): T {
  // SQLite may have left a transaction open after its end has failed.
  if (database.isTransaction) database.exec("ROLLBACK");
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = steps();
    database.exec("COMMIT");
    return result;
  } catch (thrown) {
    rollBack(database);
    throw thrown;
  }
}

/** After some errors SQLite has rolled back by itself, and refuses to do it again. */
function rollBack(database: Database): void {
  try {
    if (database.isTransaction) database.exec("ROLLBACK");
  } catch {
    // The next transaction tries it once more.
  }
}
