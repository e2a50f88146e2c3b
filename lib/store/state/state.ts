/**
 * What a peer remembers between runs, in `.recess/recess.db`: the digests of its files, its
 * settings, the last table it showed, its unfinished transfers, the keys of the peers it knows, its
 * messages (talk_store.ts), and which peer put which file into its inbox.
 *
 * Small tables are kept whole in memory (held_table.ts), so that a full or read-only disk stops
 * nothing. What is not written yet counts all the same, is reported once, and is written when there
 * is room.
 * @module
 */

import { failedWith, Failure } from "../../core/failure.ts";
import { PatientWriter } from "../../core/flow/patient_writer.ts";
import type { Database, OpenDatabase, Row } from "./database.ts";
import { HeldTable } from "./held_table.ts";
import { setAsideIfOdd } from "../files/odd_file.ts";
import { PeopleStore } from "./people_store.ts";
import type { FoundFile } from "../files/found_file.ts";
import { StateFile, type StateFileEvent } from "./state_file.ts";
import { TalkStore } from "./talk_store.ts";
import { readTrust, trustFiles, writeTrust } from "./trust_copy.ts";

/** A file that another peer put into the inbox, or began to. */
export interface ReceivedFile {
  readonly number: number;
  /** The id of the peer that put it there. */
  readonly sender: string;
  readonly root: string;
  readonly size: number;
  /** Its name in the folder, or the name that it will have when it is whole. */
  readonly name: string;
  /** Milliseconds since 1970. Undefined until it is whole. */
  readonly modified: number | undefined;
}

/** A file with known pieces. */
export interface HashedFile extends FoundFile {
  readonly root: string;
}

type HashedWithDigests = HashedFile & { readonly digests: Uint8Array };

/** What became of the peer's database. */
export type StateEvent =
  | StateFileEvent
  /**
   * Something cannot be written, and waits. `isFull` tells whether it waits for room on the disk.
   */
  | { readonly event: "state-unwritten"; readonly path: string; readonly why: string; readonly isFull: boolean }
  /** Rows of known peers that the database had lost came back from their second copy. */
  | { readonly event: "trust-restored"; readonly path: string; readonly peers: number }
  /** Everything that waited is written. */
  | { readonly event: "state-written"; readonly path: string };

/** How a state is opened. */
export interface StateOptions {
  readonly onEvent?: ((event: StateEvent) => void) | undefined;
  /** Opens the database. Default: SQLite. */
  readonly openDatabase?: OpenDatabase | undefined;
  /**
   * Called before a file is made: the database, after another program deleted it or cut it short,
   * and the second copy of known keys. It may throw a failure to prevent that.
   */
  readonly beforeWrittenAgain?: (() => void) | undefined;
}

/**
 * How long frequent changes are gathered before they are written together: a folder of small files
 * makes thousands in a second, and a class meets all at once.
 */
const GATHER_MS = 200;

/** Everything that is remembered. */
export class State implements Disposable {
  /** Messages from person to person. */
  readonly talk: TalkStore;
  /** The people that this peer knows. */
  readonly people = new PeopleStore({
    onChanged: () => this.#trustChanged(),
    onMet: () => {
      this.#isCopied = false;
      this.#gather();
    },
  });
  readonly #file: StateFile;
  /** The second copy of the people that this peer knows. */
  readonly #beforeWrittenAgain: () => void;
  readonly #trustPath: string;
  readonly #transfers = new HeldTable({ name: "transfers", columns: ["id", "value"], key: ["id"] });
  readonly #settings = new HeldTable({ name: "settings", columns: ["name", "value"], key: ["name"] });
  readonly #received = new HeldTable({
    name: "received",
    columns: ["number", "sender", "root", "size", "name", "modified"],
    key: ["number"],
  });
  readonly #tables = [...this.people.tables, this.#transfers, this.#settings, this.#received];
  #isCopied = true;
  /** Pieces that are not written yet, by name. Undefined for those that are to be forgotten. */
  readonly #pieces = new Map<string, HashedWithDigests | undefined>();
  readonly #writer: PatientWriter;
  #gathering: ReturnType<typeof setTimeout> | undefined;

  private constructor(path: string, options: StateOptions) {
    const { onEvent = () => {}, openDatabase, beforeWrittenAgain = () => {} } = options;
    this.#beforeWrittenAgain = beforeWrittenAgain;
    this.#file = StateFile.open(path, { onEvent, openDatabase, beforeWrittenAgain });
    this.#trustPath = path.replace(/[^/\\]*$/, "trust.jsonl");
    this.#writer = new PatientWriter({
      write: () => this.#writeAll(),
      onHeld: (failure) => {
        onEvent({
          event: "state-unwritten",
          path,
          why: failure.message,
          isFull: failedWith(failure, "disk-full"),
        });
      },
      onWritten: () => onEvent({ event: "state-written", path }),
    });
    try {
      if (this.isKept) { for (const each of trustFiles(this.#trustPath)) setAsideIfOdd(each, onEvent); }
      this.#file.run((database) => this.#tables.forEach((table) => table.load(database)));
      this.talk = new TalkStore(this.#file, () => this.#writer.changed());
      this.#file.onRenewed = () => this.#renewed();
      if (this.#file.isNew) this.#restoreTrust(onEvent);
    } catch (thrown) {
      this.#file[Symbol.dispose]();
      throw thrown;
    }
  }

  /**
   * Opens what is remembered. A damaged file is set aside. A file that cannot be written is only
   * read, and nothing more is kept.
   *
   * @throws {Failure} "busy" when another program keeps the file locked, "unsupported" when another
   * version wrote it.
   */
  static open(path: string, options: StateOptions = {}): State {
    return new State(path, options);
  }

  /** Whether the next run remembers what this one does. */
  get isKept(): boolean {
    return this.#file.isKept;
  }

  /** Why something waits to be written. Undefined when everything is written. */
  get failure(): Failure | undefined {
    return this.#writer.failure;
  }

  /** Every file with known pieces, as it was then. What cannot be read is hashed again. */
  hashedFiles(): HashedFile[] {
    return this.#readOr([], (database) => {
      return database.prepare("SELECT name, size, modified, changed, root FROM pieces").all().map((row) => {
        const { root, changed, ...file } = row as unknown as FoundFile & { root: Uint8Array; changed: number | null };
        return { ...file, changed: changed ?? undefined, root: root.toHex() };
      });
    });
  }

  /** The digests of a file with this root, or undefined when they are not known. */
  digestsOf(name: string, root: string): Uint8Array | undefined {
    if (this.#pieces.has(name)) {
      const pieces = this.#pieces.get(name);
      return pieces?.root === root ? pieces.digests : undefined;
    }
    return this.#readOr(undefined, (database) => {
      const row = database.prepare("SELECT digests FROM pieces WHERE name = ? AND root = ?")
        .get(name, Uint8Array.fromHex(root)) as { digests: Uint8Array } | undefined;
      return row?.digests;
    });
  }

  /**
   * Remembers the pieces of files. They are written together a moment later. What a killed run has
   * not written is hashed again.
   */
  putPieces(files: readonly HashedWithDigests[]): void {
    for (const file of files) this.#pieces.set(file.name, file);
    if (files.length > 0) this.#gather();
  }

  /** Forgets the pieces of files that are gone. */
  forgetPieces(names: readonly string[]): void {
    for (const name of names) this.#pieces.set(name, undefined);
    if (names.length > 0) this.#writer.changed();
  }

  /**
   * The stored transfers, in order of their numbers. lib/peer/get/kept_transfers.ts knows what they
   * mean.
   */
  transfers(): { id: number; value: string }[] {
    const rows = this.#transfers.all().map(({ id, value }) => ({ id: Number(id), value: String(value) }));
    return rows.sort((one, other) => one.id - other.id);
  }

  /** Stores a transfer, or changes a stored one. */
  putTransfer(id: number, value: string): void {
    this.#transfers.put({ id, value });
    this.#writer.changed();
  }

  /** Forgets a transfer. */
  dropTransfer(id: number): void {
    this.#transfers.drop(id);
    this.#writer.changed();
  }

  /** What others put into the inbox, in the order in which they began to. */
  receivedFiles(): ReceivedFile[] {
    return this.#received.all().map(receivedOf).sort((one, other) => one.number - other.number);
  }

  /** Stores what a peer puts into the inbox, or changes what is stored about it. */
  putReceived({ number, sender, root, size, name, modified }: ReceivedFile): void {
    this.#received.put({ number, sender, root, size, name, modified: modified ?? null });
    this.#writer.changed();
  }

  /** Forgets a file of the inbox. */
  dropReceived(number: number): void {
    this.#received.drop(number);
    this.#writer.changed();
  }

  /** A setting, or undefined when it was never set. */
  setting(name: string): string | undefined {
    const row = this.#settings.get(name);
    return row === undefined ? undefined : String(row["value"]);
  }

  /** Stores a setting. */
  set(name: string, value: string): void {
    if (this.setting(name) === value) return;
    this.#settings.put({ name, value });
    this.#writer.changed();
  }

  /** Writes what is not written yet, if possible, and closes the file. */
  [Symbol.dispose](): void {
    clearTimeout(this.#gathering);
    try {
      this.#writer[Symbol.dispose]();
    } finally {
      this.#file[Symbol.dispose]();
    }
  }

  #gather(): void {
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      this.#writer.changed();
    }, GATHER_MS);
  }

  #trustChanged(): void {
    this.#isCopied = false;
    this.#writer.changed();
  }

  #writeAll(): void {
    const failure = this.#writeTrust();
    this.#writeDatabase();
    if (failure !== undefined) throw failure;
  }

  /**
   * Writes the second copy.
   *
   * @returns Why that is impossible. The database is written all the same.
   */
  #writeTrust(): Failure | undefined {
    if (!this.isKept || this.#isCopied) return undefined;
    try {
      this.#beforeWrittenAgain();
      writeTrust(this.#trustPath, this.people.tables);
      this.#isCopied = true;
      return undefined;
    } catch (thrown) {
      if (thrown instanceof Failure) return thrown;
      throw thrown;
    }
  }

  #writeDatabase(): void {
    const isUnsaved = this.#tables.some((table) => table.isUnsaved) || this.#pieces.size > 0 || this.talk.isUnsaved;
    if (!isUnsaved) return;
    this.#file.run((database) => {
      for (const table of this.#tables) table.save(database);
      this.#savePieces(database);
      this.talk.save(database);
    });
    for (const table of this.#tables) table.setSaved();
    this.#pieces.clear();
    this.talk.setSaved();
  }

  #savePieces(database: Database): void {
    if (this.#pieces.size === 0) return;
    const put = database.prepare(
      "INSERT OR REPLACE INTO pieces (name, size, modified, changed, root, digests) VALUES (?, ?, ?, ?, ?, ?)",
    );
    const drop = database.prepare("DELETE FROM pieces WHERE name = ?");
    for (const [name, file] of this.#pieces) {
      if (file === undefined) drop.run(name);
      else put.run(name, file.size, file.modified, file.changed ?? null, Uint8Array.fromHex(file.root), file.digests);
    }
  }

  /** Marks everything in memory to be written into the file that replaces a damaged one. */
  #renewed(): void {
    for (const table of this.#tables) table.forgetSaved();
    this.#isCopied = false;
  }

  #restoreTrust(onEvent: (event: StateEvent) => void): void {
    const restored = readTrust(this.#trustPath, this.people.tables);
    if (restored === 0) return;
    onEvent({ event: "trust-restored", path: this.#trustPath, peers: restored });
    this.#writer.changed();
  }

  #readOr<T>(otherwise: T, read: (database: Database) => T): T {
    try {
      return this.#file.run(read);
    } catch (thrown) {
      if (thrown instanceof Failure) return otherwise;
      throw thrown;
    }
  }
}

function receivedOf({ number, sender, root, size, name, modified }: Row): ReceivedFile {
  return {
    number: Number(number),
    sender: String(sender),
    root: String(root),
    size: Number(size),
    name: String(name),
    modified: modified === null ? undefined : Number(modified),
  };
}
