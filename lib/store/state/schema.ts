/**
 * The tables of `.recess/recess.db`, as a list of migrations. Each brings a database from its
 * schema's number to the next. The number is in the file itself (`PRAGMA user_version`). A released
 * migration is never changed. Called by state_file.ts.
 * @module
 */

import { type Database, inTransaction } from "./database.ts";

/**
 * The first migration also accepts a database without a number, which may have these tables
 * already.
 */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS pieces (
     name TEXT PRIMARY KEY, size INTEGER NOT NULL, modified INTEGER NOT NULL, root BLOB NOT NULL, digests BLOB NOT NULL
   ) WITHOUT ROWID;
   CREATE TABLE IF NOT EXISTS known_peers (name TEXT PRIMARY KEY, id TEXT NOT NULL) WITHOUT ROWID;
   CREATE TABLE IF NOT EXISTS allowed_peers (id TEXT PRIMARY KEY) WITHOUT ROWID;
   CREATE TABLE IF NOT EXISTS transfers (id INTEGER PRIMARY KEY, value TEXT NOT NULL);
   CREATE TABLE IF NOT EXISTS received (
     number INTEGER PRIMARY KEY, sender TEXT NOT NULL, root TEXT NOT NULL, size INTEGER NOT NULL, name TEXT NOT NULL,
     modified INTEGER
   );
   CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
   CREATE TABLE IF NOT EXISTS messages (
     row INTEGER PRIMARY KEY, key TEXT NOT NULL, peer TEXT NOT NULL, id TEXT NOT NULL, number INTEGER NOT NULL,
     at INTEGER NOT NULL, text TEXT NOT NULL, state TEXT NOT NULL
   );
   CREATE INDEX IF NOT EXISTS messages_by_peer ON messages (key, row);
   CREATE INDEX IF NOT EXISTS messages_waiting ON messages (key, row) WHERE state = 'waiting';
   CREATE TABLE IF NOT EXISTS tellers (
     id TEXT PRIMARY KEY, name TEXT, last INTEGER NOT NULL, at INTEGER NOT NULL
   ) WITHOUT ROWID;`,
  `CREATE TABLE allowed_wishes (id TEXT NOT NULL, kind TEXT NOT NULL, PRIMARY KEY (id, kind)) WITHOUT ROWID;
   INSERT INTO allowed_wishes SELECT id, 'download' FROM allowed_peers;
   DROP TABLE allowed_peers;
   CREATE TABLE blocked_peers (id TEXT PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID;
   CREATE TABLE drawers (name TEXT PRIMARY KEY, id TEXT NOT NULL) WITHOUT ROWID;`,
  // Roots without the size of the file: everything is hashed again.
  `DELETE FROM pieces;`,
  // When the system last noted any change of the file. Nobody can set that back.
  `ALTER TABLE pieces ADD COLUMN changed INTEGER;`,
];

/** The number of the schema that this version writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/** A table and its columns. `order` is that of its primary key. */
export interface Table {
  readonly name: string;
  readonly columns: readonly string[];
  readonly order: readonly string[];
}

/** The number of a database's schema, or 0 for one without. */
export function schemaVersion(database: Database): number {
  return Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
}

/** Brings a database to {@linkcode SCHEMA_VERSION}, in one step or not at all. */
export function migrate(database: Database): void {
  const version = schemaVersion(database);
  if (version >= SCHEMA_VERSION) return;
  inTransaction(database, () => {
    for (const migration of MIGRATIONS.slice(version)) database.exec(migration);
    database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
  });
}

/** The tables of a database. */
export function tablesOf(database: Database): Table[] {
  const names = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all();
  return names.map(({ name }) => {
    const columns = database.prepare(`SELECT name, pk FROM pragma_table_info(?) ORDER BY pk, cid`).all(String(name));
    return {
      name: String(name),
      columns: columns.map((column) => String(column["name"])),
      order: columns.filter(({ pk }) => pk !== 0).map((column) => String(column["name"])),
    };
  });
}
