/**
 * Every file that some peer lists: its name and that name's words, each once however many list it, and a row for each copy. Called by
 * local_index.ts and local_search.ts.
 * @module
 */

import { fold } from "../../core/words.ts";
import { type FileRow, FileTable } from "./file_table.ts";
import { type ListLoad, nameBytes } from "./list_room.ts";
import { NameList } from "./name_list.ts";
import { baseName } from "./rank.ts";
import type { ListedFile } from "../search_index.ts";
import { type NameRow, one, type Statements } from "./sqlite_tables.ts";
import { WordTree } from "./word_tree.ts";

/** The files; peers are numbers. */
export class ListedFiles {
  readonly names = new NameList();
  readonly words = new WordTree(this.names);
  readonly copies = new FileTable();
  readonly #sql: Statements;
  #nameBytes = 0;

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  /** What the names take, each once. */
  get load(): Omit<ListLoad, "copies"> {
    return { nameBytes: this.#nameBytes, nodes: this.words.nodes };
  }

  /** Lists a file of a peer, perhaps in place of another of its name. Shape: the size of that one, if there was one. */
  put(peer: number, { name, size, root }: ListedFile): number | undefined {
    const nameId = this.#nameId(name);
    const row = this.copies.find(peer, nameId);
    if (row === 0) {
      this.copies.add({ peer, name: nameId, size, root });
      return undefined;
    }
    const before = this.copies.row(row).size;
    this.copies.change(row, size, root);
    return before;
  }

  /** Takes a file of a peer off the list. Shape: its size, if it was there. */
  remove(peer: number, name: string): number | undefined {
    const row = this.#rowOf(peer, name);
    if (row === 0) return undefined;
    const { size } = this.copies.row(row);
    this.forget(row);
    return size;
  }

  /** The file of a peer with this name. */
  of(peer: number, name: string): ListedFile | undefined {
    const row = this.#rowOf(peer, name);
    return row === 0 ? undefined : this.fileOf(this.copies.row(row));
  }

  /** Forgets one copy, and its name when nobody else lists it. */
  forget(row: number): void {
    const { name: id } = this.copies.row(row);
    this.copies.delete(row);
    if (this.copies.hasName(id)) return;
    const name = this.names.of(id);
    this.words.delete(id, name);
    this.#sql.deleteName.run(name);
    this.#sql.deleteBase.run(fold(baseName(name)), id);
    this.names.delete(id);
    this.#nameBytes -= nameBytes(name);
  }

  /** A copy as others see it. */
  fileOf({ name, size, root }: FileRow): ListedFile {
    return { name: this.names.of(name), size, ...(root === undefined ? {} : { root }) };
  }

  #rowOf(peer: number, name: string): number {
    const id = one<NameRow>(this.#sql.idOfName, name)?.id;
    return id === undefined ? 0 : this.copies.find(peer, id);
  }

  #nameId(name: string): number {
    const known = one<NameRow>(this.#sql.idOfName, name);
    if (known !== undefined) return known.id;
    const id = this.names.add(name);
    this.#sql.addName.run(name, id);
    this.#sql.addBase.run(fold(baseName(name)), id);
    this.words.add(id, name);
    this.#nameBytes += nameBytes(name);
    return id;
  }
}
