/**
 * What a peer remembers between runs, in `.recess/recess.db`: the digests of its files, its settings, the last table it showed, the transfers
 * it has not ended, the keys of the peers it knows, and messages (talk_store.ts). Without the file a peer starts anew: it hashes again, forgets what
 * it was fetching (not what has arrived) and believes the next key of everybody.
 * @module
 */

import { DatabaseSync, type StatementSync } from "node:sqlite";
import { Failure } from "../core/failure.ts";
import type { FoundFile } from "./scan.ts";
import { TalkStore } from "./talk_store.ts";

/** A file whose pieces are known. */
export interface HashedFile extends FoundFile {
  readonly root: string;
}

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE IF NOT EXISTS pieces (
    name TEXT PRIMARY KEY, size INTEGER NOT NULL, modified INTEGER NOT NULL, root BLOB NOT NULL, digests BLOB NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS known_peers (name TEXT PRIMARY KEY, id TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS allowed_peers (id TEXT PRIMARY KEY) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS transfers (id INTEGER PRIMARY KEY, value TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
`;

/** The open database. */
export class State implements Disposable {
  /** Messages from person to person. */
  readonly talk: TalkStore;
  readonly #database: DatabaseSync;
  readonly #putPieces: StatementSync;
  readonly #getDigests: StatementSync;
  readonly #deletePieces: StatementSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
    database.exec(SCHEMA);
    this.talk = new TalkStore(database);
    this.#putPieces = database.prepare(
      "INSERT OR REPLACE INTO pieces (name, size, modified, root, digests) VALUES (?, ?, ?, ?, ?)",
    );
    this.#getDigests = database.prepare("SELECT digests FROM pieces WHERE name = ? AND root = ?");
    this.#deletePieces = database.prepare("DELETE FROM pieces WHERE name = ?");
  }

  /** Opens the database, starting anew when the file is damaged. Fails: "no-access" when it cannot be written. */
  static open(path: string): State {
    try {
      return new State(new DatabaseSync(path));
    } catch {
      try {
        for (const ending of ["", "-wal", "-shm"]) removeIfThere(path + ending);
        return new State(new DatabaseSync(path));
      } catch (thrown) {
        throw Failure.from(thrown, "no-access", `Cannot keep state in "${path}"`);
      }
    }
  }

  /** Every file whose pieces are known, as it was then. */
  *hashedFiles(): Generator<HashedFile> {
    for (const row of this.#database.prepare("SELECT name, size, modified, root FROM pieces").iterate()) {
      const { name, size, modified, root } = row as unknown as FoundFile & { root: Uint8Array };
      yield { name, size, modified, root: root.toHex() };
    }
  }

  /** The digests of a file whose root is this, or undefined when they are not known. */
  digestsOf(name: string, root: string): Uint8Array | undefined {
    const row = this.#getDigests.get(name, Uint8Array.fromHex(root)) as { digests: Uint8Array } | undefined;
    return row?.digests;
  }

  /** Remembers the pieces of files, all or none. */
  putPieces(files: readonly (HashedFile & { readonly digests: Uint8Array })[]): void {
    this.#atOnce(files, ({ name, size, modified, root, digests }) => {
      this.#putPieces.run(name, size, modified, Uint8Array.fromHex(root), digests);
    });
  }

  /** Forgets the pieces of files that are gone. */
  forgetPieces(names: readonly string[]): void {
    this.#atOnce(names, (name) => this.#deletePieces.run(name));
  }

  /** The id under which a peer of this name was used first. */
  knownPeer(name: string): string | undefined {
    const row = this.#database.prepare("SELECT id FROM known_peers WHERE name = ?").get(name);
    return row === undefined ? undefined : String(row["id"]);
  }

  /** Remembers a peer, if there is none of this name yet. */
  rememberPeer(name: string, id: string): void {
    this.#database.prepare("INSERT OR IGNORE INTO known_peers (name, id) VALUES (?, ?)").run(name, id);
  }

  /** Remembers a peer in the place of whoever had the name before. */
  trustPeer(name: string, id: string): void {
    this.#database.prepare("INSERT OR REPLACE INTO known_peers (name, id) VALUES (?, ?)").run(name, id);
  }

  /** Whether the peer with this id may have whatever it asks for. */
  isAllowed(id: string): boolean {
    return this.#database.prepare("SELECT 1 FROM allowed_peers WHERE id = ?").get(id) !== undefined;
  }

  /** Lets the peer with this id have whatever it asks for, from now on. */
  allowPeer(id: string): void {
    this.#database.prepare("INSERT OR IGNORE INTO allowed_peers (id) VALUES (?)").run(id);
  }

  /** The transfers written down, in order of their numbers. What they are is the business of lib/peer/kept_transfers.ts. */
  transfers(): { id: number; value: string }[] {
    const rows = this.#database.prepare("SELECT id, value FROM transfers ORDER BY id").all();
    return rows.map(({ id, value }) => ({ id: Number(id), value: String(value) }));
  }

  /** Writes a transfer down, or what is written of it anew. */
  putTransfer(id: number, value: string): void {
    this.#database.prepare("INSERT OR REPLACE INTO transfers (id, value) VALUES (?, ?)").run(id, value);
  }

  /** Forgets a transfer. */
  dropTransfer(id: number): void {
    this.#database.prepare("DELETE FROM transfers WHERE id = ?").run(id);
  }

  /** A setting, or undefined when it was never set. */
  setting(name: string): string | undefined {
    const row = this.#database.prepare("SELECT value FROM settings WHERE name = ?").get(name);
    return row === undefined ? undefined : String(row["value"]);
  }

  /** Keeps a setting. */
  set(name: string, value: string): void {
    this.#database.prepare("INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)").run(name, value);
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  #atOnce<T>(items: readonly T[], step: (item: T) => void): void {
    if (items.length === 0) return;
    this.#database.exec("BEGIN");
    try {
      items.forEach(step);
      this.#database.exec("COMMIT");
    } catch (thrown) {
      this.#database.exec("ROLLBACK");
      throw thrown;
    }
  }
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (thrown) {
    if (!(thrown instanceof Deno.errors.NotFound)) throw thrown;
  }
}
