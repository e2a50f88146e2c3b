/**
 * A folder on a disk that is full from a chosen write on, as the calls of Deno and of SQLite would
 * report it. Where a disk of its own can only be filled at one moment, this one can be filled at
 * every write that a program makes.
 * @module
 */

import { type Database, openSqlite, type Statement } from "../../lib/store/state/database.ts";
import { FAULTS } from "./faulty_database.ts";

/** The calls that change what is on a disk, with the argument that says where. */
const CALLS = {
  mkdir: 0,
  mkdirSync: 0,
  open: 0,
  openSync: 0,
  writeTextFile: 0,
  writeTextFileSync: 0,
  rename: 1,
  renameSync: 1,
  link: 1,
  linkSync: 1,
  copyFile: 1,
  copyFileSync: 1,
} as const;
type Call = keyof typeof CALLS;
type AnyCall = (...values: unknown[]) => unknown;

/** What an open file does to its disk. */
const FILE_CALLS = ["write", "writeSync", "truncate", "truncateSync", "syncData", "syncDataSync", "sync", "syncSync"];

const ORIGINALS: ReadonlyMap<Call, AnyCall> = new Map(
  (Object.keys(CALLS) as Call[]).map((call) => [call, Reflect.get(Deno, call) as AnyCall]),
);
const disks = new Set<FaultyDisk>();

/** One such disk. Closing it makes it a disk like every other. */
export class FaultyDisk implements Disposable {
  /** Whether it is full at a write; writes are counted from 1. */
  isFull: (write: number) => boolean = () => false;
  /** Every write, in order: the call, and the path below the folder. */
  readonly writes: string[] = [];
  readonly #path: string;

  /** @param path The real path of the folder. */
  constructor(path: string) {
    this.#path = path;
    disks.add(this);
    if (disks.size === 1) { for (const call of ORIGINALS.keys()) Reflect.set(Deno, call, replacement(call)); }
  }

  /**
   * Opens a database, for `State.open`. What SQLite writes, it writes when a transaction ends, or
   * when it has no room in memory.
   */
  readonly openDatabase: typeof openSqlite = (path, options) => {
    const database = openSqlite(path, options);
    const isHere = this.has(path);
    let hasChanges = false;
    const step = <T>(what: string, work: () => T): T => {
      const isWrite = what !== "COMMIT" || hasChanges;
      hasChanges = what !== "COMMIT" && !what.startsWith("PRAGMA");
      if (isHere && isWrite && this.note(`SQLite ${what}`)) {
        throw Object.assign(new Error(FAULTS.full), { code: "ERR_SQLITE_ERROR" });
      }
      return work();
    };
    return {
      get isTransaction() {
        return database.isTransaction;
      },
      exec: (sql) => /^(BEGIN|ROLLBACK)/.test(sql) ? database.exec(sql) : step(sql, () => database.exec(sql)),
      prepare: (sql) => {
        const statement = database.prepare(sql);
        return {
          run: (...values) => step(sql, () => statement.run(...values)),
          get: (...values) => statement.get(...values),
          all: (...values) => statement.all(...values),
          iterate: (...values) => statement.iterate(...values),
        } satisfies Statement;
      },
      close: () => database.close(),
    } satisfies Database;
  };

  /** Whether a path is on this disk. */
  has(path: unknown): boolean {
    return String(path).startsWith(`${this.#path}/`);
  }

  /**
   * Counts a write to it.
   *
   * @returns Whether it fails.
   */
  note(write: string): boolean {
    this.writes.push(write.replace(`${this.#path}/`, ""));
    return this.isFull(this.writes.length);
  }

  [Symbol.dispose](): void {
    disks.delete(this);
    if (disks.size > 0) return;
    for (const [call, original] of ORIGINALS) Reflect.set(Deno, call, original);
  }
}

function full(what: string): Error {
  return Object.assign(new Error(`No space left on device (os error 28): ${what}`), { code: "ENOSPC" });
}

/** A call of Deno that asks the disk first. */
function replacement(call: Call): AnyCall {
  const original = ORIGINALS.get(call);
  if (original === undefined) throw new Error(call);
  const isSync = call.endsWith("Sync");
  return (...values) => {
    const path = values[CALLS[call]];
    const disk = [...disks].find((each) => each.has(path));
    if (disk === undefined) return original(...values);
    const isOpen = call === "open" || call === "openSync";
    if ((!isOpen || makesFile(path, values[1])) && disk.note(`${call} ${path}`)) {
      if (call.startsWith("writeTextFile")) writeHalf(String(path), values);
      if (isSync) throw full(call);
      return Promise.reject(full(call));
    }
    const result = original(...values);
    if (!isOpen) return result;
    return isSync
      ? watched(result as Deno.FsFile, String(path), disk)
      : (result as Promise<Deno.FsFile>).then((file) => watched(file, String(path), disk));
  };
}

/** Whether to open a path makes a file there. */
function makesFile(path: unknown, options: unknown): boolean {
  const { create = false, createNew = false } = (options ?? {}) as Deno.OpenOptions;
  if (!create && !createNew) return false;
  try {
    Deno.lstatSync(String(path));
    return false;
  } catch {
    return true;
  }
}

/** When only a part of a file fits, the file stays there with that part. */
function writeHalf(path: string, values: readonly unknown[]): void {
  const text = String(values[1]);
  ORIGINALS.get("writeTextFileSync")?.(path, text.slice(0, text.length / 2), values[2]);
}

/**
 * An open file that asks the disk before each write. When a write does not fit, half of it is
 * written.
 */
function watched(file: Deno.FsFile, path: string, disk: FaultyDisk): Deno.FsFile {
  const writeSync = file.writeSync.bind(file);
  for (const call of FILE_CALLS) {
    const original = (Reflect.get(file, call) as AnyCall).bind(file);
    Reflect.set(file, call, (...values: unknown[]): unknown => {
      if (!disk.note(`${call} ${path}`)) return original(...values);
      const [bytes] = values;
      if (bytes instanceof Uint8Array && bytes.length > 1) writeSync(bytes.subarray(0, bytes.length / 2));
      if (call.endsWith("Sync")) throw full(call);
      return Promise.reject(full(call));
    });
  }
  return file;
}
