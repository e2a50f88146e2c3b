/**
 * The list of the files that others have put into the inbox: the sender of each file, and whether
 * the file is whole. The list is in memory and in the state of the folder. Called by inbox.ts.
 * @module
 */

import type { Folder } from "../../store/files/folder.ts";
import { UnfinishedFile } from "../../store/files/unfinished_file.ts";
import { isThere } from "../../store/share/remove_file.ts";
import type { ReceivedFile, State } from "../../store/state/state.ts";
import type { InboxFile } from "./inbox_room.ts";

/** A file that a peer wants to put here. */
export type Offered = Pick<ReceivedFile, "sender" | "root" | "size" | "name">;

/** Every file of the inbox. */
export class ReceivedFiles {
  readonly #state: State;
  readonly #folder: Folder;
  /** By number, in order of time. */
  readonly #files: Map<number, ReceivedFile>;
  #lastNumber: number;
  #isClosed = false;

  /** Reads the list from the state. */
  constructor(state: State, folder: Folder) {
    this.#state = state;
    this.#folder = folder;
    this.#files = new Map(state.receivedFiles().map((file) => [file.number, file]));
    this.#lastNumber = Math.max(0, ...this.#files.keys());
  }

  /** All files, in order of time. */
  all(): ReceivedFile[] {
    return [...this.#files.values()];
  }

  /** The file with a number. */
  get(number: number): ReceivedFile | undefined {
    return this.#files.get(number);
  }

  /** The files of the same sender with the same content. */
  same({ sender, root, size }: Offered): ReceivedFile[] {
    return this.all().filter((file) => file.sender === sender && file.root === root && file.size === size);
  }

  /** Whether a file has arrived as a whole and has not changed since. */
  isWhole({ name, size, modified }: ReceivedFile): boolean {
    return modified !== undefined && isThere(this.#folder, { name, size, modified });
  }

  /** The files that count against the quotas. */
  counted({ except, isRunning }: {
    readonly except: ReceivedFile | undefined;
    readonly isRunning: (number: number) => boolean;
  }): InboxFile[] {
    return this.all().filter(({ number }) => number !== except?.number).map(({ number, sender, size, modified }) => {
      const state = modified !== undefined ? "whole" : isRunning(number) ? "running" : "interrupted";
      return { number, sender, size, state };
    });
  }

  /** Adds a file that is to arrive; in the place of an earlier attempt, if there was one. */
  begin(offered: Offered, earlier: ReceivedFile | undefined): ReceivedFile {
    const file = { ...offered, number: earlier?.number ?? ++this.#lastNumber, modified: undefined };
    this.write(file);
    return file;
  }

  /** Replaces what is known about a file. */
  write(file: ReceivedFile): void {
    this.#files.set(file.number, file);
    this.#state.putReceived(file);
  }

  /** Forgets a file. */
  forget({ number }: ReceivedFile): void {
    this.#files.delete(number);
    // While the peer closes, the database may be closed already. The next start then counts the
    // file as interrupted.
    if (!this.#isClosed) this.#state.dropReceived(number);
  }

  /** Forgets an interrupted file, and deletes what has arrived of it. */
  async discard(file: ReceivedFile): Promise<void> {
    this.forget(file);
    await UnfinishedFile.discard(this.#folder, file);
  }

  /**
   * Forgets the files that the owner has moved, changed or deleted: they are no longer in the
   * inbox.
   */
  forgetChanged(): void {
    for (const file of this.all()) if (file.modified !== undefined && !this.isWhole(file)) this.forget(file);
  }

  /** Notes that the peer is closing. */
  close(): void {
    this.#isClosed = true;
  }
}

/** The last part of a path. */
export function lastPart(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}
