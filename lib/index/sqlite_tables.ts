/**
 * The tables of `SqliteIndex` and the statements on them. Called by sqlite_index.ts and sqlite_search.ts.
 *
 * Names are stored once, however many peers list them: thirty copies of a video are one entry. Their words are in word_tree.ts.
 * @module
 */

import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { ListedFile } from "./search_index.ts";

const SCHEMA = `
  PRAGMA journal_mode = OFF;
  PRAGMA synchronous = OFF;
  PRAGMA temp_store = MEMORY;
  CREATE TABLE names (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, base TEXT NOT NULL);
  CREATE INDEX names_base ON names (base);
  CREATE TABLE files (
    peer INTEGER NOT NULL, name INTEGER NOT NULL, size INTEGER NOT NULL, root BLOB, PRIMARY KEY (name, peer)
  ) WITHOUT ROWID;
  CREATE INDEX files_peer ON files (peer);
  CREATE INDEX files_root ON files (root) WHERE root IS NOT NULL;
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

/** One peer's copy of a name. */
export interface CopyRow {
  readonly peer: number;
  readonly size: number;
  readonly root: Uint8Array | null;
}

/** One peer's copy of a content, or what it has of it so far. */
export interface HolderRow extends CopyRow {
  readonly name: string;
  readonly partial: number;
}

/** Every statement by name. */
const SQL = {
  idOfName: "SELECT id FROM names WHERE name = ?",
  addName: "INSERT INTO names (id, name, base) VALUES (?, ?, ?)",
  deleteName: "DELETE FROM names WHERE id = ?",
  sizeOfCopy: "SELECT size FROM files WHERE peer = ? AND name = ?",
  putCopy: "INSERT OR REPLACE INTO files (peer, name, size, root) VALUES (?, ?, ?, ?)",
  deleteCopy: "DELETE FROM files WHERE peer = ? AND name = ?",
  anyCopyOfName: "SELECT 1 FROM files WHERE name = ? LIMIT 1",
  someNamesOfPeer: "SELECT n.id, n.name FROM files f JOIN names n ON n.id = f.name WHERE f.peer = ? LIMIT 1000",
  anyNames: "SELECT id, name FROM names LIMIT ?",
  namesByBase: "SELECT id, name FROM names WHERE base = ? LIMIT ?",
  copiesOfNames: "SELECT name, peer, size, root FROM files WHERE name IN (SELECT value FROM json_each(?)) LIMIT ?",
  copyByName:
    "SELECT f.peer, f.size, f.root FROM files f JOIN names n ON n.id = f.name WHERE f.peer = ? AND n.name = ?",
  copiesOfRoot: `SELECT f.peer, f.size, f.root, n.name, 0 AS partial FROM files f JOIN names n ON n.id = f.name
       WHERE f.root = ?1 UNION ALL SELECT peer, size, root, name, 1 FROM partials
       WHERE root = ?1 ORDER BY partial, peer LIMIT ?2 OFFSET ?3`,
  namesBelow: "SELECT id, name FROM names WHERE name > ? AND name >= ? AND name < ? ORDER BY name LIMIT ?",
  putPartial: "INSERT OR REPLACE INTO partials (root, peer, name, size) VALUES (?, ?, ?, ?)",
  deletePartial: "DELETE FROM partials WHERE root = ? AND peer = ?",
  deletePartialsOfPeer: "DELETE FROM partials WHERE peer = ?",
  countPartialsOfPeer: "SELECT count(*) AS count FROM partials WHERE peer = ?",
  countHolders:
    "SELECT value AS root, (SELECT count(DISTINCT peer) FROM files WHERE root = unhex(value)) AS holders FROM json_each(?)",
} as const;

/** The prepared statements. */
export type Statements = Readonly<Record<keyof typeof SQL, StatementSync>>;

/** Prepares every statement. */
export function prepareStatements(database: DatabaseSync): Statements {
  const prepared = Object.entries(SQL).map(([name, sql]) => [name, database.prepare(sql)] as const);
  return Object.fromEntries(prepared) as Record<keyof typeof SQL, StatementSync>;
}

/** All rows of a statement. node:sqlite gives rows as records of unknown values; the statements above decide what is in them. */
export function rows<Row>(statement: StatementSync, ...parameters: (string | number | Uint8Array | null)[]): Row[] {
  return statement.all(...parameters) as Row[];
}

/** The first row of a statement, if there is one. */
export function one<Row>(statement: StatementSync, ...parameters: (string | number)[] | [Uint8Array]): Row | undefined {
  return statement.get(...parameters) as Row | undefined;
}

/** A copy as others see it. */
export function fileOf(name: string, row: CopyRow): ListedFile {
  return row.root === null ? { name, size: row.size } : { name, size: row.size, root: row.root.toHex() };
}
