/**
 * The tables of `LocalIndex` and the statements on them. Called by local_index.ts and local_search.ts.
 *
 * Names are stored once, however many peers list them: thirty copies of a video are one entry. Their words are in word_tree.ts,
 * the copies in file_table.ts.
 * @module
 */

import { DatabaseSync, type StatementSync } from "node:sqlite";

const SCHEMA = `
  PRAGMA journal_mode = OFF;
  PRAGMA synchronous = OFF;
  PRAGMA temp_store = MEMORY;
  CREATE TABLE names (name TEXT PRIMARY KEY, id INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE bases (base TEXT NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (base, id)) WITHOUT ROWID;
  CREATE TABLE partials (
    root BLOB NOT NULL, peer INTEGER NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL, PRIMARY KEY (root, peer)
  ) WITHOUT ROWID;
  CREATE INDEX partials_peer ON partials (peer);
  BEGIN;
`;

/** Opens an empty database in memory. */
export function openDatabase(): DatabaseSync {
  const database = new DatabaseSync(":memory:");
  database.exec(SCHEMA);
  return database;
}

/** A name that is listed by somebody. */
export interface NameRow {
  readonly id: number;
  readonly name: string;
}

/** What one peer has of a content so far. */
export interface PartialRow {
  readonly peer: number;
  readonly name: string;
  readonly size: number;
}

/** Every statement by name. */
const SQL = {
  idOfName: "SELECT id FROM names WHERE name = ?",
  addName: "INSERT INTO names (name, id) VALUES (?, ?)",
  addBase: "INSERT INTO bases (base, id) VALUES (?, ?)",
  deleteName: "DELETE FROM names WHERE name = ?",
  deleteBase: "DELETE FROM bases WHERE base = ? AND id = ?",
  anyNames: "SELECT id, name FROM names LIMIT ?",
  idsByBase: "SELECT id FROM bases WHERE base = ? LIMIT ?",
  partialsOfPeer: "SELECT name, size, root FROM partials WHERE peer = ?",
  partialsOfRoot:
    "SELECT peer, name, size FROM partials WHERE root = ? AND size BETWEEN ? AND ? ORDER BY peer LIMIT ? OFFSET ?",
  namesBelow: "SELECT id, name FROM names WHERE name > ? AND name >= ? AND name < ? ORDER BY name LIMIT ?",
  putPartial: "INSERT OR REPLACE INTO partials (root, peer, name, size) VALUES (?, ?, ?, ?)",
  deletePartial: "DELETE FROM partials WHERE root = ? AND peer = ?",
  deletePartialsOfPeer: "DELETE FROM partials WHERE peer = ?",
  countPartialsOfPeer: "SELECT count(*) AS count FROM partials WHERE peer = ? AND root <> ?",
} as const;

/** The prepared statements. */
export type Statements = Readonly<Record<keyof typeof SQL, StatementSync>>;

/** Prepares every statement. */
export function prepareStatements(database: DatabaseSync): Statements {
  const prepared = Object.entries(SQL).map(([name, sql]) => [name, database.prepare(sql)] as const);
  return Object.fromEntries(prepared) as Record<keyof typeof SQL, StatementSync>;
}

/** All rows of a statement. node:sqlite gives rows as records of unknown values; the statements above decide what is in them. */
export function rows<Row>(statement: StatementSync, ...parameters: (string | number | Uint8Array)[]): Row[] {
  return statement.all(...parameters) as Row[];
}

/** The first row of a statement, if there is one. */
export function one<Row>(statement: StatementSync, ...parameters: (string | number | Uint8Array)[]): Row | undefined {
  return statement.get(...parameters) as Row | undefined;
}
