/**
 * A database that fails at a chosen call, as a disk or another program would make it fail.
 * @module
 */

import { type Database, openSqlite, type Statement } from "../../lib/store/state/database.ts";

/** What SQLite says when it is locked, full, cut off from its disk, or damaged. */
export const FAULTS = {
  busy: "database is locked",
  full: "database or disk is full",
  "I/O": "disk I/O error",
  corrupt: "database disk image is malformed",
} as const;

/**
 * Counts the calls of every database it opens, and lets those fail that `isFaulty` chooses; calls
 * are counted from 1.
 */
export class FaultyDatabases {
  calls = 0;
  isFaulty: (call: number) => boolean = () => false;
  /** Those that are open. */
  readonly open = new Set<Database>();
  readonly #fault: keyof typeof FAULTS;

  constructor(fault: keyof typeof FAULTS) {
    this.#fault = fault;
  }

  /** Opens a database, for `State.open`. */
  readonly openDatabase: typeof openSqlite = (path, options) => {
    const database = openSqlite(path, options);
    const step = <T>(work: () => T): T => {
      this.#count();
      return work();
    };
    const wrapped: Database = {
      get isTransaction() {
        return database.isTransaction;
      },
      exec: (sql) => step(() => database.exec(sql)),
      prepare: (sql) => {
        const statement = step(() => database.prepare(sql));
        return {
          run: (...values) => step(() => statement.run(...values)),
          get: (...values) => step(() => statement.get(...values)),
          all: (...values) => step(() => statement.all(...values)),
          iterate: (...values) => step(() => statement.iterate(...values)),
        } satisfies Statement;
      },
      close: () => {
        this.open.delete(wrapped);
        database.close();
      },
    };
    this.open.add(wrapped);
    return wrapped;
  };

  #count(): void {
    this.calls += 1;
    if (!this.isFaulty(this.calls)) return;
    throw Object.assign(new Error(FAULTS[this.#fault]), { code: "ERR_SQLITE_ERROR" });
  }
}
