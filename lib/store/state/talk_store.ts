/**
 * Messages in `.recess/recess.db`: received, sent, and waiting for their receivers, and the last
 * accepted message of each sender. Called by lib/peer, which decides what becomes of them. What was
 * written survives a crash, but not a loss of power.
 * @module
 */

import { Failure } from "../../core/failure.ts";
import { MESSAGES_KEPT_MAX, TELLERS_KEPT_MAX } from "../../core/limits.ts";
import { peerNameKey } from "../../core/peer_name.ts";
import type { Database } from "./database.ts";
import type { StateFile } from "./state_file.ts";

/** What became of a message. */
export type MessageState = "received" | "waiting" | "delivered" | "refused";

/** One message that was received or sent. */
export interface KeptMessage {
  /** Its place among all messages, in order of arrival and sending. */
  readonly row: number;
  /** The other peer: the sender or the receiver. */
  readonly peer: string;
  readonly id: string;
  readonly number: number;
  /** When it arrived here or was written, in milliseconds since 1970. */
  readonly at: number;
  readonly text: string;
  readonly state: MessageState;
}

/** A peer that has sent a message. */
export interface Teller {
  /** The name it had when that was last known for sure. */
  readonly name: string | undefined;
  /** The highest accepted number of its messages. */
  readonly last: number;
}

const COLUMNS = "row, peer, id, number, at, text, state";
/** How many are forgotten at once, so that not every new message has to look for an old one. */
const FORGOTTEN_AT_ONCE = 100;
/** How many messages that do not wait each peer has, and when its first came. */
const BY_PEER = "SELECT id, count(*) AS count, min(row) AS first FROM messages WHERE state <> 'waiting' GROUP BY id";
/** Of those, the peers with few messages to which the owner never sent anything. */
const CROWD = `
  SELECT id, count, first FROM (${BY_PEER}) WHERE count < ${FORGOTTEN_AT_ONCE}
    AND id NOT IN (SELECT id FROM messages WHERE state = 'delivered')
`;
/**
 * Of a crowd of such peers, the last to come go first, except for the last quarter. So peers from
 * before a flood stay, and so do the newest.
 */
const FORGET_OF_CROWD = `
  DELETE FROM messages WHERE state <> 'waiting' AND id IN (
    SELECT id FROM (${CROWD})
    WHERE first <= (SELECT row FROM messages ORDER BY row DESC LIMIT 1 OFFSET ${MESSAGES_KEPT_MAX / 4})
    ORDER BY first DESC LIMIT ${FORGOTTEN_AT_ONCE}
  )
`;

/** What became of a message that waited. */
interface Ended {
  readonly state: "delivered" | "refused";
  /** The receiver, if it is known. */
  readonly id: string | undefined;
}

/**
 * The messages of one peer. Names that count as the same are the same receiver. Everything fails as
 * {@linkcode StateFile.run} does: a message that cannot be stored is not acknowledged. Only the
 * outcome of a message, which is known already, is kept in memory until it can be written.
 */
export class TalkStore {
  readonly #file: StateFile;
  readonly #onUnsaved: () => void;
  /** The outcomes of messages, by row, while the database still has them as waiting. */
  readonly #ended = new Map<number, Ended>();
  #held: Held;

  /** `onUnsaved` is called when there is something for {@linkcode save}. */
  constructor(file: StateFile, onUnsaved: () => void) {
    this.#file = file;
    this.#onUnsaved = onUnsaved;
    this.#held = file.run(heldIn);
  }

  /** The peer with this id that has sent a message. */
  teller(id: string): Teller | undefined {
    return this.#held.tellers.get(id);
  }

  /**
   * Stores a received message, and that it was accepted: both or neither.
   *
   * @param isSure Whether the name is surely the sender's. Otherwise the message belongs to no
   * name.
   */
  putReceived(message: Omit<KeptMessage, "row" | "state">, isSure: boolean): void {
    const { peer, id, number, at } = message;
    const key = isSure ? peerNameKey(peer) : "";
    const name = isSure ? peer : this.teller(id)?.name;
    this.#file.run((database) => {
      insert(database, key, message, "received");
      database.prepare("INSERT OR REPLACE INTO tellers (id, name, last, at) VALUES (?, ?, ?, ?)")
        .run(id, name ?? null, number, at);
    });
    this.#held.kept += 1;
    this.#held.tellers.set(id, { name, last: number });
    if (key !== "" && !this.#held.firstTellers.has(key)) this.#held.firstTellers.set(key, id);
    this.#forget();
  }

  /**
   * Stores a message that waits for its receiver.
   *
   * @returns Its row.
   */
  putWaiting(message: Omit<KeptMessage, "row" | "state">): number {
    return this.#file.run((database) => insert(database, peerNameKey(message.peer), message, "waiting"));
  }

  /** The next message to send to a peer. */
  nextWaiting(peer: string): KeptMessage | undefined {
    return this.#file.run((database) => {
      const rows = database.prepare(
        `SELECT ${COLUMNS} FROM messages WHERE key = ? AND state = 'waiting' ORDER BY row LIMIT ?`,
      ).all(peerNameKey(peer), this.#ended.size + 1) as unknown as KeptMessage[];
      return rows.find(({ row }) => !this.#ended.has(row));
    });
  }

  /** The peers with waiting messages, and how many wait for each. */
  waiting(): { peer: string; count: number }[] {
    const ended = JSON.stringify([...this.#ended.keys()]);
    const rows = this.#file.run((database) => {
      return database.prepare(
        `SELECT peer, count(*) AS count FROM messages
         WHERE state = 'waiting' AND row NOT IN (SELECT value FROM json_each(?)) GROUP BY key`,
      ).all(ended);
    });
    return rows.map(({ peer, count }) => ({ peer: String(peer), count: Number(count) }));
  }

  /** Notes that a message has reached the peer with this id. */
  setDelivered(row: number, id: string): void {
    this.#end(row, { state: "delivered", id });
  }

  /** Notes that the receiver rejects a message. */
  setRefused(row: number): void {
    this.#end(row, { state: "refused", id: undefined });
  }

  /** The highest number that was used for a message to a peer. */
  lastNumber(peer: string): number | undefined {
    const row = this.#file.run((database) => {
      return database.prepare("SELECT max(number) AS last FROM messages WHERE key = ? AND state <> 'received'")
        .get(peerNameKey(peer));
    });
    return row === undefined || row["last"] === null ? undefined : Number(row["last"]);
  }

  /** Gives everything that waits for a peer new numbers, beginning with `first`. */
  renumber(peer: string, first: number): void {
    this.#file.run((database) => {
      const rows = database.prepare("SELECT row FROM messages WHERE key = ? AND state = 'waiting' ORDER BY row")
        .all(peerNameKey(peer));
      const put = database.prepare("UPDATE messages SET number = ? WHERE row = ?");
      rows.forEach(({ row }, index) => put.run(first + index, Number(row)));
    });
  }

  /** The peer that had a name in the latest message. */
  latest(peer: string): { peer: string; id: string } | undefined {
    const row = this.#file.run((database) => {
      return database.prepare("SELECT peer, id FROM messages WHERE key = ? ORDER BY row DESC LIMIT 1")
        .get(peerNameKey(peer));
    });
    return row === undefined ? undefined : { peer: String(row["peer"]), id: String(row["id"]) };
  }

  /** The id of the peer that first sent a message under a name, among the stored messages. */
  firstTeller(peer: string): string | undefined {
    return this.#held.firstTellers.get(peerNameKey(peer));
  }

  /** The last messages, with one peer or with all, the oldest first. */
  history({ peer, limit }: { peer?: string | undefined; limit: number }): KeptMessage[] {
    const rows = this.#file.run((database) => {
      return peer === undefined
        ? database.prepare(`SELECT ${COLUMNS} FROM messages ORDER BY row DESC LIMIT ?`).all(limit)
        : database.prepare(`SELECT ${COLUMNS} FROM messages WHERE key = ? ORDER BY row DESC LIMIT ?`)
          .all(peerNameKey(peer), limit);
    });
    const messages = rows.reverse() as unknown as KeptMessage[];
    return messages.map((message) => {
      const ended = this.#ended.get(message.row);
      return ended === undefined ? message : { ...message, state: ended.state, id: ended.id ?? message.id };
    });
  }

  /** For State: whether something is to be written. */
  get isUnsaved(): boolean {
    return this.#ended.size > 0;
  }

  /**
   * For State: writes the outcomes of messages. They count as written after {@linkcode setSaved}.
   */
  save(database: Database): void {
    if (!this.isUnsaved) return;
    const put = database.prepare("UPDATE messages SET state = ?, id = coalesce(?, id) WHERE row = ?");
    for (const [row, { state, id }] of this.#ended) put.run(state, id ?? null, row);
  }

  /** For State: notes that the database has everything. */
  setSaved(): void {
    this.#held.kept += this.#ended.size;
    this.#ended.clear();
    this.#forget();
  }

  #end(row: number, ended: Ended): void {
    this.#ended.set(row, ended);
    this.#onUnsaved();
  }

  /** Keeps within the bounds. Where that is impossible now, the next message tries again. */
  #forget(): void {
    if (this.#held.kept <= MESSAGES_KEPT_MAX && this.#held.tellers.size <= TELLERS_KEPT_MAX) return;
    try {
      this.#held = this.#file.run((database) => {
        forgetMessages(database);
        forgetTellers(database);
        return heldIn(database);
      });
    } catch (thrown) {
      if (!(thrown instanceof Failure)) throw thrown;
    }
  }
}

/** What is kept in memory: names have to be known even while the disk cannot be read. */
interface Held {
  /** Messages that do not wait. */
  kept: number;
  /** By id. */
  readonly tellers: Map<string, Teller>;
  /** The ids of the peers that first sent a message under a name, by the key of the name. */
  readonly firstTellers: Map<string, string>;
}

function heldIn(database: Database): Held {
  const tellers = database.prepare("SELECT id, name, last FROM tellers").all();
  const first = database.prepare(
    "SELECT key, id, min(row) FROM messages WHERE state = 'received' AND key <> '' GROUP BY key",
  ).all();
  return {
    kept: countKept(database),
    tellers: new Map(tellers.map(({ id, name, last }) => {
      return [String(id), { name: name === null ? undefined : String(name), last: Number(last) }];
    })),
    firstTellers: new Map(first.map(({ key, id }) => [String(key), String(id)])),
  };
}

/** @returns The row of the message. */
function insert(
  database: Database,
  key: string,
  { peer, id, number, at, text }: Omit<KeptMessage, "row" | "state">,
  state: MessageState,
): number {
  const { lastInsertRowid } = database.prepare(
    "INSERT INTO messages (key, peer, id, number, at, text, state) VALUES (?, ?, ?, ?, ?, ?, ?)",
  ).run(key, peer, id, number, at, text, state);
  return Number(lastInsertRowid);
}

/**
 * The oldest messages of the peer with most messages are deleted: a flooding peer loses its own
 * messages, not those of others. A waiting message is never deleted. Peers with few messages, to
 * which nothing was ever sent, count as one: keys cost nothing, and ten thousand with a message
 * each are one flood.
 */
function forgetMessages(database: Database): void {
  for (let kept = countKept(database); kept > MESSAGES_KEPT_MAX; kept = countKept(database)) {
    const most = count(database, `(${BY_PEER} ORDER BY count DESC LIMIT 1)`, "max(count)");
    const isCrowd = count(database, `(${CROWD})`, "sum(count)") > most;
    if (isCrowd) database.exec(FORGET_OF_CROWD);
    if (countKept(database) < kept) continue;
    database.exec(`
      DELETE FROM messages WHERE row IN (
        SELECT row FROM messages WHERE state <> 'waiting' AND id = (
          SELECT id FROM (${BY_PEER} ORDER BY count DESC LIMIT 1)
        ) ORDER BY row LIMIT ${FORGOTTEN_AT_ONCE}
      )
    `);
  }
}

function forgetTellers(database: Database): void {
  if (countTellers(database) <= TELLERS_KEPT_MAX) return;
  database.exec(`DELETE FROM tellers WHERE id IN (SELECT id FROM tellers ORDER BY at LIMIT ${FORGOTTEN_AT_ONCE})`);
}

function countKept(database: Database): number {
  return count(database, "messages WHERE state <> 'waiting'");
}

function countTellers(database: Database): number {
  return count(database, "tellers");
}

function count(database: Database, what: string, column = "count(*)"): number {
  return Number(database.prepare(`SELECT ${column} AS count FROM ${what}`).get()?.["count"] ?? 0);
}
