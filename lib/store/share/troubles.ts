/**
 * What the owner of a shared folder has to know about it and its files: whenever somebody listens, and once for each file. Called by share.ts.
 * @module
 */

import { TROUBLES_TOLD_MAX } from "../../core/limits.ts";
import type { FolderFate } from "./folder_follower.ts";

/**
 * Something that keeps others from a file: it cannot be read; its bytes have changed though its size and time have not; its name is no Unicode text.
 */
interface FileTrouble {
  readonly event: "unreadable" | "other-bytes" | "unnamable";
  readonly file: string;
}

/** What the owner has to know. */
export type ShareTrouble = FileTrouble | { readonly event: FolderFate; readonly path: string };

/** All troubles of a folder. Of those with files, the first bounded number is told. */
export class Troubles {
  readonly #told = new Set<string>();
  readonly #waiting: ShareTrouble[] = [];
  #listener: ((trouble: ShareTrouble) => void) | undefined;

  /** Tells the owner about a file, unless that was done before. */
  tell(event: FileTrouble["event"], file: string): void {
    const key = `${event} ${file}`;
    if (this.#told.has(key) || this.#told.size >= TROUBLES_TOLD_MAX) return;
    this.#told.add(key);
    this.#pass({ event, file });
  }

  /** Tells the owner what became of the folder. */
  tellFate(event: FolderFate, path: string): void {
    this.#pass({ event, path });
  }

  /** Has everything told to somebody from now on, also what was found before. */
  listen(listener: (trouble: ShareTrouble) => void): void {
    this.#listener = listener;
    for (const trouble of this.#waiting.splice(0)) listener(trouble);
  }

  #pass(trouble: ShareTrouble): void {
    if (this.#listener === undefined) this.#waiting.push(trouble);
    else this.#listener(trouble);
  }
}
