/**
 * Every file that some peer lists: its name and the words of the name, each once however many peers
 * list it, and a row for each copy. Called by local_index.ts and local_search.ts.
 * @module
 */

import type { ListedFile } from "../search_index.ts";
import { type FileRow, FileTable } from "./file_table.ts";
import { type ListLoad, nameBytes } from "./list_room.ts";
import { NameList } from "./name_list.ts";
import { WordTree } from "./word_tree.ts";

/** The files. Peers are numbers. */
export class ListedFiles {
  readonly names = new NameList();
  readonly words = new WordTree(this.names);
  readonly copies = new FileTable();
  #nameBytes = 0;

  /** The memory that the names and their words take. */
  get load(): Omit<ListLoad, "copies"> {
    return { nameBytes: this.#nameBytes, nodes: this.words.nodes };
  }

  /**
   * Lists a file of a peer. It replaces the peer's earlier file with the same name.
   *
   * @returns The size of the replaced file, or undefined.
   */
  put(peer: number, { name, size, root }: ListedFile): number | undefined {
    const nameId = this.names.idOf(name) ?? this.#addName(name);
    const row = this.copies.find(peer, nameId);
    if (row === 0) {
      this.copies.add({ peer, name: nameId, size, root });
      return undefined;
    }
    const before = this.copies.row(row).size;
    this.copies.change(row, size, root);
    return before;
  }

  /**
   * Removes a file of a peer, if the peer lists it.
   *
   * @returns Its size, or undefined.
   */
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
    this.names.delete(id);
    this.#nameBytes -= nameBytes(name);
  }

  /** The file that a row is a copy of. */
  fileOf({ name, size, root }: FileRow): ListedFile {
    return { name: this.names.of(name), size, root };
  }

  #rowOf(peer: number, name: string): number {
    const id = this.names.idOf(name);
    return id === undefined ? 0 : this.copies.find(peer, id);
  }

  #addName(name: string): number {
    const id = this.names.add(name);
    this.words.add(id, name);
    this.#nameBytes += nameBytes(name);
    return id;
  }
}
