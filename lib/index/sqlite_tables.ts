/**
 * The tables of `SqliteIndex` and the statements on them. Called by sqlite_index.ts and sqlite_search.ts.
 *
 * Names are stored once, however many peers list them, and FTS5 indexes names, not files: thirty copies of a video are one entry. Names
 * are folded and cut into words by lib/core/words.ts on both sides, so FTS5's own tokenizer only has to split at spaces.
 * @module
 */

import { DatabaseSync, type StatementSync } from "node:sqlite";
import { NAME_WORDS_MAX } from "../core/limits.ts";
import { words } from "../core/words.ts";
import type { ListedFile } from "./search_index.ts";

/** Lengths of prefixes that have an index of their own. Longer words of a search are looked up by their beginning and compared afterwards. */
const PREFIX_LENGTHS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
/** The longest of them. */
export const PREFIX_LENGTH_MAX = Math.max(...PREFIX_LENGTHS);
/** FTS5 skips through long lists page by page: smaller ones than its 4,050 bytes make rare words among frequent ones a fifth faster to find. */
const INDEX_PAGE_BYTES = 1000;
const SCHEMA = `
  PRAGMA journal_mode = OFF;
  PRAGMA synchronous = OFF;
  PRAGMA temp_store = MEMORY;
  CREATE TABLE names (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, base TEXT NOT NULL);
  CREATE INDEX names_base ON names (base);
  CREATE TABLE files (
    peer INTEGER NOT NULL, name INTEGER NOT NULL, size INTEGER NOT NULL, root BLOB, PRIMARY KEY (peer, name)
  ) WITHOUT ROWID;
  CREATE INDEX files_name ON files (name);
  CREATE INDEX files_root ON files (root) WHERE root IS NOT NULL;
  CREATE TABLE partials (
    root BLOB NOT NULL, peer INTEGER NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL, PRIMARY KEY (root, peer)
  ) WITHOUT ROWID;
  CREATE INDEX partials_peer ON partials (peer);
  CREATE VIRTUAL TABLE name_words USING fts5 (
    words, content = '', columnsize = 0, detail = none, tokenize = 'ascii', prefix = '${PREFIX_LENGTHS.join(" ")}'
  );
  INSERT INTO name_words (name_words, rank) VALUES ('pgsz', ${INDEX_PAGE_BYTES});
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
  addName: "INSERT INTO names (name, base) VALUES (?, ?)",
  deleteName: "DELETE FROM names WHERE id = ?",
  addWords: "INSERT INTO name_words (rowid, words) VALUES (?, ?)",
  deleteWords: "INSERT INTO name_words (name_words, rowid, words) VALUES ('delete', ?, ?)",
  sizeOfCopy: "SELECT size FROM files WHERE peer = ? AND name = ?",
  putCopy: "INSERT OR REPLACE INTO files (peer, name, size, root) VALUES (?, ?, ?, ?)",
  deleteCopy: "DELETE FROM files WHERE peer = ? AND name = ?",
  anyCopyOfName: "SELECT 1 FROM files WHERE name = ? LIMIT 1",
  someNamesOfPeer: "SELECT n.id, n.name FROM files f JOIN names n ON n.id = f.name WHERE f.peer = ? LIMIT 1000",
  filesOfPeer: `SELECT f.name AS id, n.name, f.size, f.root FROM files f JOIN names n ON n.id = f.name
       WHERE f.peer = ? AND f.name > ? ORDER BY f.name LIMIT ?`,
  partialsOfPeer: "SELECT name, size, root FROM partials WHERE peer = ?",
  anyNames: "SELECT id, name FROM names LIMIT ?",
  namesByBase: "SELECT id, name FROM names WHERE base = ? LIMIT ?",
  namesByWords: "SELECT n.id, n.name FROM name_words w JOIN names n ON n.id = w.rowid WHERE name_words MATCH ? LIMIT ?",
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
  countPartialsOfPeer: "SELECT count(*) AS count FROM partials WHERE peer = ? AND root <> ?",
  countHolders: "SELECT count(DISTINCT peer) AS holders FROM files WHERE root = ?",
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
export function one<Row>(statement: StatementSync, ...parameters: (string | number | Uint8Array)[]): Row | undefined {
  return statement.get(...parameters) as Row | undefined;
}

/** The words of a name, as FTS5 is given them. Deleting needs the very same text as adding. */
export function indexedWords(name: string): string {
  return words(name).slice(0, NAME_WORDS_MAX).join(" ");
}

/** A copy as others see it. */
export function fileOf(name: string, row: CopyRow): ListedFile {
  return row.root === null ? { name, size: row.size } : { name, size: row.size, root: row.root.toHex() };
}
