/**
 * A small table of `.recess/recess.db`, kept whole in memory. A change counts at once, and is
 * written as soon as the disk allows it. So nothing that a peer knows in one run depends on a full
 * disk. Called by state.ts.
 * @module
 */

import type { Database, Row, Value } from "./database.ts";

/** What a table contains, and its key. */
export interface TableShape {
  readonly name: string;
  readonly columns: readonly string[];
  /** The columns of the primary key. */
  readonly key: readonly string[];
}

/** One table. */
export class HeldTable {
  readonly #shape: TableShape;
  readonly #rows = new Map<string, Row>();
  /** Rows, by their keys, that the database does not have yet or still has. */
  readonly #unsaved = new Map<string, Row>();

  constructor(shape: TableShape) {
    this.#shape = shape;
  }

  /** Its name in the database. */
  get name(): string {
    return this.#shape.name;
  }

  /** How many rows it has. */
  get size(): number {
    return this.#rows.size;
  }

  /** Whether something is not in the database yet. */
  get isUnsaved(): boolean {
    return this.#unsaved.size > 0;
  }

  /** Loads what the database has. */
  load(database: Database): void {
    const { name, columns } = this.#shape;
    for (const row of database.prepare(`SELECT ${columns.join(", ")} FROM ${name}`).all()) {
      this.#rows.set(this.#keyOf(row), row);
    }
  }

  /** The row with these values of the key's columns. */
  get(...key: Value[]): Row | undefined {
    return this.#rows.get(JSON.stringify(key));
  }

  /** Every row, in no order. */
  all(): Row[] {
    return [...this.#rows.values()];
  }

  /** Adds a row, or replaces the one with the same key. */
  put(row: Record<string, Value>): void {
    const key = this.#keyOf(row);
    this.#rows.set(key, row);
    this.#unsaved.set(key, row);
  }

  /**
   * Adds a row with all columns, unless there is one with its key.
   *
   * @returns Whether there was none.
   */
  takeIfMissing(row: Record<string, Value>): boolean {
    const isWhole = this.#shape.columns.every((column) => row[column] !== undefined);
    if (!isWhole || this.#rows.has(this.#keyOf(row))) return false;
    this.put(row);
    return true;
  }

  /** Removes a row. */
  drop(...values: Value[]): void {
    const key = JSON.stringify(values);
    const row = this.#rows.get(key);
    if (row === undefined) return;
    this.#rows.delete(key);
    this.#unsaved.set(key, row);
  }

  /** Marks everything to be written again, into a database that replaces a damaged one. */
  forgetSaved(): void {
    for (const [key, row] of this.#rows) this.#unsaved.set(key, row);
  }

  /**
   * Writes what the database does not have yet. It counts as written after {@linkcode setSaved}.
   */
  save(database: Database): void {
    if (!this.isUnsaved) return;
    const { name, columns, key } = this.#shape;
    const values = columns.map(() => "?").join(", ");
    const put = database.prepare(`INSERT OR REPLACE INTO ${name} (${columns.join(", ")}) VALUES (${values})`);
    const drop = database.prepare(`DELETE FROM ${name} WHERE ${key.map((column) => `${column} = ?`).join(" AND ")}`);
    for (const [id, row] of this.#unsaved) {
      const isHere = this.#rows.has(id);
      (isHere ? put : drop).run(...(isHere ? columns : key).map((column) => row[column] as Value));
    }
  }

  /** Notes that the database has everything. */
  setSaved(): void {
    this.#unsaved.clear();
  }

  #keyOf(row: Row): string {
    return JSON.stringify(this.#shape.key.map((column) => row[column]));
  }
}
