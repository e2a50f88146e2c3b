/**
 * The file `.recess/recess.db`, in whatever state it is. It is never deleted. A damaged file is set
 * aside, and what can be read of it goes into a new one. A file that is locked, or of a newer
 * version, is rejected. A file that cannot be written is read into memory. A file that is deleted
 * or cut short while it is open is written again from the open one. Called by state.ts and
 * talk_store.ts.
 * @module
 */

import { failedWith, Failure } from "../../core/failure.ts";
import { STATE_RENEWALS_MAX } from "../../core/limits.ts";
import { printable } from "../../core/printable.ts";
import { demandPlainFile, isThere, oddKindAt, type SetAsideEvent, setAsideIfOdd } from "../files/odd_file.ts";
import { type Database, failureOf, inTransaction, type OpenDatabase, openSqlite, troubleOf } from "./database.ts";
import { removeDatabase, setDatabaseAside } from "./database_files.ts";
import { salvage } from "./salvage.ts";
import { SameFile } from "./same_file.ts";
import { migrate, SCHEMA_VERSION, schemaVersion, tablesOf } from "./schema.ts";

/** What became of the file. */
export type StateFileEvent =
  | SetAsideEvent
  /** It was damaged, and lies at `aside` now. The tables in `lost` could not be read completely. */
  | { readonly event: "state-damaged"; readonly path: string; readonly aside: string; readonly lost: readonly string[] }
  /**
   * Another program deleted it, replaced it or cut it short while it was open. A new one has
   * everything except what is in `lost`. The file that was at its path, if any, is now at `aside`.
   */
  | {
    readonly event: "state-replaced";
    readonly path: string;
    readonly lost: readonly string[];
    readonly aside: string | undefined;
  }
  /** It cannot be written. The next run will not remember what happens in this one. */
  | { readonly event: "state-not-kept"; readonly path: string; readonly why: string; readonly isFull?: boolean };

/** How the file is opened. */
export interface StateFileOptions {
  readonly onEvent: (event: StateFileEvent) => void;
  readonly openDatabase?: OpenDatabase | undefined;
  /**
   * Called before a file that was deleted or cut short is written again, because its folder may be
   * gone as well. It may throw a failure to prevent that.
   */
  readonly beforeWrittenAgain?: (() => void) | undefined;
}

/**
 * With this setting SQLite keeps no file of shared memory, which needs room on the disk even to
 * read. The folder has one peer at a time anyway.
 */
const SETUP = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL";
const IN_MEMORY = ":memory:";
/** What SQLite may have left beside a database. */
const BESIDE = ["-wal", "-journal", "-shm"];

/** The open file. */
export class StateFile implements Disposable {
  /**
   * Called when a new file has replaced a damaged one: what is in memory has to be written again.
   */
  onRenewed: () => void = () => {};
  readonly #path: string;
  readonly #onEvent: (event: StateFileEvent) => void;
  readonly #openDatabase: OpenDatabase;
  readonly #beforeWrittenAgain: () => void;
  /** Undefined while a damaged file is set aside and no new one could be made. */
  #database: Database | undefined;
  /** Files that were set aside and not yet read. */
  readonly #aside: string[] = [];
  /** The open file and the one that SQLite keeps beside it. None when nothing is kept. */
  #onDisk: readonly SameFile[] = [];
  #renewals = 0;
  #isNew = false;
  #isKept = true;

  private constructor(path: string, options: StateFileOptions) {
    const { onEvent, openDatabase = openSqlite, beforeWrittenAgain = () => {} } = options;
    this.#path = path;
    this.#onEvent = onEvent;
    this.#openDatabase = openDatabase;
    this.#beforeWrittenAgain = beforeWrittenAgain;
    this.#database = this.#open();
    this.#follow();
  }

  /**
   * Opens the file, or makes it.
   *
   * @throws {Failure} "busy" when another program keeps it locked, "unsupported" when another
   * version wrote it.
   */
  static open(path: string, options: StateFileOptions): StateFile {
    return new StateFile(path, options);
  }

  /** Where it is. */
  get path(): string {
    return this.#path;
  }

  /**
   * Whether it lacks what an earlier run may have written: it is new, or replaces a damaged one.
   */
  get isNew(): boolean {
    return this.#isNew;
  }

  /** Whether what is written is there in the next run. */
  get isKept(): boolean {
    return this.#isKept;
  }

  /**
   * Reads or writes, in one step or not at all. A file that turns out to be damaged is set aside,
   * and the work is done on the new one.
   *
   * @throws {Failure} "disk-full", "busy", "no-access".
   */
  run<T>(work: (database: Database) => T): T {
    try {
      return this.#attempt(work);
    } catch (thrown) {
      const mayRenew = this.#isKept && this.#renewals < STATE_RENEWALS_MAX;
      if (troubleOf(thrown) !== "damaged" || !mayRenew) throw this.#asFailure(thrown);
    }
    try {
      this.#renew();
      return this.#attempt(work);
    } catch (thrown) {
      throw this.#asFailure(thrown);
    }
  }

  [Symbol.dispose](): void {
    try {
      this.#seeToFile();
    } catch {
      // It was reported when it was tried before, or there was nothing to write.
    }
    this.#database?.close();
  }

  #attempt<T>(work: (database: Database) => T): T {
    this.#seeToFile();
    const database = this.#database ?? this.#replace();
    return inTransaction(database, () => work(database));
  }

  #open(): Database {
    try {
      this.#makeWay();
      return this.#openReady(this.#path);
    } catch (thrown) {
      if (failedWith(thrown, "no-access")) return this.#readIntoMemory(this.#path, thrown);
      const trouble = troubleOf(thrown);
      if (trouble === undefined) throw thrown;
      if (trouble === "locked") throw failureOf(trouble, this.#path, thrown);
      if (trouble !== "damaged") return this.#readIntoMemory(this.#path, failureOf(trouble, this.#path, thrown));
    }
    try {
      return this.#renew();
    } catch (thrown) {
      const failure = Failure.from(this.#asFailure(thrown), "no-access", `Cannot use "${printable(this.#path)}"`);
      return this.#readIntoMemory(this.#aside.at(-1) ?? this.#path, failure);
    }
  }

  /**
   * Makes sure that SQLite finds plain files only: it would wait for a pipe, and write into a
   * device.
   */
  #makeWay(): void {
    const odd = oddKindAt(this.#path);
    if (odd !== undefined) throw damaged(`it is ${odd}`);
    for (const ending of BESIDE) setAsideIfOdd(this.#path + ending, this.#onEvent);
  }

  /**
   * Opens a file and makes sure that it has the tables of this version, whole. On failure, nothing
   * stays open, so that the file can be replaced.
   */
  #openReady(path: string): Database {
    const database = this.#openDatabase(path);
    try {
      database.exec(SETUP);
      this.#isNew = schemaVersion(database) === 0;
      this.#checkVersion(database);
      migrate(database);
      this.#checkColumns(database);
      const [first] = database.prepare("PRAGMA quick_check(1)").all();
      if (first?.["quick_check"] !== "ok") throw damaged(String(first?.["quick_check"]));
      return database;
    } catch (thrown) {
      database.close();
      throw thrown;
    }
  }

  #checkVersion(database: Database): void {
    if (schemaVersion(database) <= SCHEMA_VERSION) return;
    throw new Failure("unsupported", `Cannot use "${printable(this.#path)}": a newer version of Recess wrote it`, {
      hint: "use that version, or share another folder; nothing was changed",
    });
  }

  /** A table without one of our columns was made by a version that this one does not know. */
  #checkColumns(database: Database): void {
    const ours = openSqlite(IN_MEMORY);
    try {
      migrate(ours);
      const there = new Map(tablesOf(database).map(({ name, columns }) => [name, columns]));
      const isMissing = tablesOf(ours).some(({ name, columns }) =>
        columns.some((column) => there.get(name)?.includes(column) !== true)
      );
      if (!isMissing) return;
    } finally {
      ours.close();
    }
    throw new Failure("unsupported", `Cannot use "${printable(this.#path)}": another version of Recess wrote it`, {
      hint: "use that version, or share another folder; nothing was changed",
    });
  }

  /**
   * Sets the file aside and replaces it with a new one. On failure, the file stays closed, and the
   * next call tries again.
   */
  #renew(): Database {
    this.#database?.close();
    this.#database = undefined;
    this.#renewals += 1;
    for (const ending of BESIDE) setAsideIfOdd(this.#path + ending, this.#onEvent);
    this.#aside.push(setDatabaseAside(this.#path, "damaged"));
    return this.#replace();
  }

  /**
   * Replaces the damaged file with a new one that has everything that can be read of it.
   *
   * @throws The error of SQLite.
   */
  #replace(): Database {
    const database = this.#openReady(this.#path);
    let lost: Set<string>;
    try {
      lost = new Set(this.#aside.flatMap((aside) => this.#salvageInto(database, aside, {})));
    } catch (thrown) {
      database.close();
      // It has nothing that is not in the file that was set aside.
      removeDatabase(this.#path);
      throw thrown;
    }
    for (const aside of this.#aside.splice(0)) {
      this.#onEvent({ event: "state-damaged", path: this.#path, aside, lost: [...lost] });
    }
    this.#isNew = true;
    this.#database = database;
    this.#follow();
    this.onRenewed();
    return database;
  }

  /** A database in memory, with everything that can be read of a file. */
  #readIntoMemory(path: string, failure: Failure): Database {
    const database = openSqlite(IN_MEMORY);
    migrate(database);
    this.#salvageInto(database, path, { readOnly: true });
    this.#isNew = true;
    this.#isKept = false;
    const isFull = failedWith(failure, "disk-full");
    this.#onEvent({ event: "state-not-kept", path: this.#path, why: failure.message, isFull });
    return database;
  }

  /** @returns The tables that could not be read completely. */
  #salvageInto(database: Database, path: string, options: { readonly readOnly?: boolean }): string[] {
    let source: Database;
    try {
      demandPlainFile(path);
      source = this.#openDatabase(path, options);
    } catch {
      return tablesOf(database).map(({ name }) => name);
    }
    try {
      return salvage(source, database);
    } finally {
      source.close();
    }
  }

  #follow(): void {
    this.#onDisk = this.#isKept ? ["", "-wal"].map((ending) => new SameFile(this.#path + ending)) : [];
  }

  /**
   * Makes sure that what is written is there in the next run, although another program removed the
   * open file.
   *
   * @throws The error of SQLite. The next call then tries again.
   */
  #seeToFile(): void {
    const open = this.#database;
    if (open === undefined || !this.#onDisk.some((file) => file.isLost())) return;
    this.#beforeWrittenAgain();
    // Another file may be a healthy database, such as the one of a backup.
    const word = this.#onDisk[0]?.isReplaced() === true ? "other" : "damaged";
    const aside = isThere(this.#path) ? setDatabaseAside(this.#path, word) : undefined;
    if (aside === undefined) removeDatabase(this.#path);
    let database: Database | undefined;
    let lost: string[];
    try {
      database = this.#openReady(this.#path);
      // An open file can be read to its end, even without a name.
      lost = salvage(open, database);
    } catch (thrown) {
      database?.close();
      removeDatabase(this.#path);
      throw thrown;
    }
    open.close();
    this.#database = database;
    this.#follow();
    this.#onEvent({ event: "state-replaced", path: this.#path, lost, aside });
    this.onRenewed();
  }

  #asFailure(thrown: unknown): unknown {
    const trouble = troubleOf(thrown);
    return trouble === undefined ? thrown : failureOf(trouble, this.#path, thrown);
  }
}

/** What SQLite's own check has found, in SQLite's words. */
function damaged(found: string): Error {
  return Object.assign(new Error(`database disk image is malformed: ${found}`), { code: "ERR_SQLITE_ERROR" });
}
