/**
 * Messages in `.recess/recess.db`: received, sent, and waiting for their receivers; and which messages of whom have been taken. Called by
 * lib/peer, which decides what becomes of them. As long as the machine does not lose power, what was written is there after a crash.
 * @module
 */

import type { DatabaseSync, StatementSync } from "node:sqlite";
import { MESSAGES_KEPT_MAX, TELLERS_KEPT_MAX } from "../core/limits.ts";
import { peerNameKey } from "../core/peer_name.ts";

/** What became of a message. */
export type MessageState = "received" | "waiting" | "delivered" | "refused";

/** One message that was received or sent. */
export interface KeptMessage {
  /** Its place among all messages, in order of coming and going. */
  readonly row: number;
  /** The other one: who sent it or is to get it. */
  readonly peer: string;
  readonly id: string;
  readonly number: number;
  /** When it was received here or written: milliseconds since 1970. */
  readonly at: number;
  readonly text: string;
  readonly state: MessageState;
}

/** A peer that has told something. */
export interface Teller {
  /** The name it had when it was last known for sure. */
  readonly name: string | undefined;
  /** The highest number taken of it. */
  readonly last: number;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS messages (
    row INTEGER PRIMARY KEY, key TEXT NOT NULL, peer TEXT NOT NULL, id TEXT NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL,
    text TEXT NOT NULL, state TEXT NOT NULL
  );
  CREATE INDEX IF NOT EXISTS messages_by_peer ON messages (key, row);
  CREATE INDEX IF NOT EXISTS messages_waiting ON messages (key, row) WHERE state = 'waiting';
  CREATE TABLE IF NOT EXISTS tellers (
    id TEXT PRIMARY KEY, name TEXT, last INTEGER NOT NULL, at INTEGER NOT NULL
  ) WITHOUT ROWID;
`;
const COLUMNS = "row, peer, id, number, at, text, state";
/** So many are forgotten at once, so that not every new message has to look for an old one. */
const FORGOTTEN_AT_ONCE = 100;

/** The messages of one peer. Names that count as the same are the same receiver. */
export class TalkStore {
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #next: StatementSync;
  readonly #setDelivered: StatementSync;
  readonly #getTeller: StatementSync;
  readonly #putTeller: StatementSync;
  /** Messages that do not wait, and tellers; counted anew whenever something is forgotten. */
  #kept: number;
  #tellers: number;

  constructor(database: DatabaseSync) {
    this.#database = database;
    database.exec(SCHEMA);
    this.#insert = database.prepare(
      "INSERT INTO messages (key, peer, id, number, at, text, state) VALUES (?, ?, ?, ?, ?, ?, ?)",
    );
    this.#next = database.prepare(
      `SELECT ${COLUMNS} FROM messages WHERE key = ? AND state = 'waiting' ORDER BY row LIMIT 1`,
    );
    this.#setDelivered = database.prepare("UPDATE messages SET state = 'delivered', id = ? WHERE row = ?");
    this.#getTeller = database.prepare("SELECT name, last FROM tellers WHERE id = ?");
    this.#putTeller = database.prepare("INSERT OR REPLACE INTO tellers (id, name, last, at) VALUES (?, ?, ?, ?)");
    this.#kept = this.#countKept();
    this.#tellers = this.#countTellers();
  }

  /** Who has told something, by id. */
  teller(id: string): Teller | undefined {
    const row = this.#getTeller.get(id);
    if (row === undefined) return undefined;
    return { name: row["name"] === null ? undefined : String(row["name"]), last: Number(row["last"]) };
  }

  /**
   * Stores a message that was received, and that it was: both or neither. `isSure` says whether the name is the sender's for sure; a message of
   * which it is not belongs to no name.
   */
  putReceived(message: Omit<KeptMessage, "row" | "state">, isSure: boolean): void {
    const { peer, id, number, at, text } = message;
    const before = this.teller(id);
    this.#together(() => {
      const key = isSure ? peerNameKey(peer) : "";
      this.#insert.run(key, peer, id, number, at, text, "received" satisfies MessageState);
      this.#putTeller.run(id, isSure ? peer : before?.name ?? null, number, at);
    });
    this.#kept += 1;
    this.#tellers += before === undefined ? 1 : 0;
    this.#forget();
  }

  /** Stores a message that waits for its receiver. Shape: its row. */
  putWaiting(message: Omit<KeptMessage, "row" | "state">): number {
    const { peer, id, number, at, text } = message;
    const { lastInsertRowid } = this.#insert.run(
      peerNameKey(peer),
      peer,
      id,
      number,
      at,
      text,
      "waiting" satisfies MessageState,
    );
    return Number(lastInsertRowid);
  }

  /** The message to one peer that is the next to be sent. */
  nextWaiting(peer: string): KeptMessage | undefined {
    const row = this.#next.get(peerNameKey(peer));
    return row === undefined ? undefined : row as unknown as KeptMessage;
  }

  /** Who is waited for, and how many messages wait for each. */
  waiting(): { peer: string; count: number }[] {
    const rows = this.#database.prepare(
      "SELECT peer, count(*) AS count FROM messages WHERE state = 'waiting' GROUP BY key",
    ).all();
    return rows.map(({ peer, count }) => ({ peer: String(peer), count: Number(count) }));
  }

  /** Notes that a message has reached the peer of this id. */
  setDelivered(row: number, id: string): void {
    this.#setDelivered.run(id, row);
    this.#kept += 1;
    this.#forget();
  }

  /** Notes that the receiver will not take a message. */
  setRefused(row: number): void {
    this.#database.prepare("UPDATE messages SET state = 'refused' WHERE row = ?").run(row);
    this.#kept += 1;
    this.#forget();
  }

  /** The highest number that was used for a message to a peer. */
  lastNumber(peer: string): number | undefined {
    const row = this.#database.prepare(
      "SELECT max(number) AS last FROM messages WHERE key = ? AND state <> 'received'",
    ).get(peerNameKey(peer));
    return row === undefined || row["last"] === null ? undefined : Number(row["last"]);
  }

  /** Numbers everything that waits for a peer anew, from `first` on. */
  renumber(peer: string, first: number): void {
    const rows = this.#database.prepare("SELECT row FROM messages WHERE key = ? AND state = 'waiting' ORDER BY row")
      .all(peerNameKey(peer));
    const put = this.#database.prepare("UPDATE messages SET number = ? WHERE row = ?");
    this.#together(() => rows.forEach(({ row }, index) => put.run(first + index, Number(row))));
  }

  /** The peer that had a name in the latest message. */
  latest(peer: string): { peer: string; id: string } | undefined {
    const row = this.#database.prepare("SELECT peer, id FROM messages WHERE key = ? ORDER BY row DESC LIMIT 1")
      .get(peerNameKey(peer));
    return row === undefined ? undefined : { peer: String(row["peer"]), id: String(row["id"]) };
  }

  /** The last messages, with one peer or with all, oldest first. */
  history(options: { peer?: string; limit: number }): KeptMessage[] {
    const { peer, limit } = options;
    const rows = peer === undefined
      ? this.#database.prepare(`SELECT ${COLUMNS} FROM messages ORDER BY row DESC LIMIT ?`).all(limit)
      : this.#database.prepare(`SELECT ${COLUMNS} FROM messages WHERE key = ? ORDER BY row DESC LIMIT ?`)
        .all(peerNameKey(peer), limit);
    return rows.reverse() as unknown as KeptMessage[];
  }

  /** Keeps within the bounds. One who floods pushes out his own messages, and not those of others; what waits is never forgotten. */
  #forget(): void {
    while (this.#kept > MESSAGES_KEPT_MAX) {
      this.#database.exec(`
        DELETE FROM messages WHERE row IN (
          SELECT row FROM messages WHERE state <> 'waiting' AND id = (
            SELECT id FROM messages WHERE state <> 'waiting' GROUP BY id ORDER BY count(*) DESC LIMIT 1
          ) ORDER BY row LIMIT ${FORGOTTEN_AT_ONCE}
        )
      `);
      this.#kept = this.#countKept();
    }
    if (this.#tellers <= TELLERS_KEPT_MAX) return;
    this.#database.exec(
      `DELETE FROM tellers WHERE id IN (SELECT id FROM tellers ORDER BY at LIMIT ${FORGOTTEN_AT_ONCE})`,
    );
    this.#tellers = this.#countTellers();
  }

  #countKept(): number {
    return this.#count("messages WHERE state <> 'waiting'");
  }

  #countTellers(): number {
    return this.#count("tellers");
  }

  #count(what: string): number {
    return Number(this.#database.prepare(`SELECT count(*) AS count FROM ${what}`).get()?.["count"] ?? 0);
  }

  #together(steps: () => void): void {
    this.#database.exec("BEGIN");
    try {
      steps();
      this.#database.exec("COMMIT");
    } catch (thrown) {
      this.#database.exec("ROLLBACK");
      throw thrown;
    }
  }
}
