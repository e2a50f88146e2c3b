/**
 * What the owner of a shared folder has to know about it and its files. Each file is reported once.
 * Reports wait until somebody listens. Called by share.ts.
 * @module
 */

import { TROUBLES_TOLD_MAX } from "../../core/limits.ts";
import type { FolderFate } from "./folder_follower.ts";

/**
 * What keeps others from a file: it cannot be read, its bytes have changed although its size and
 * time have not, or its name is no Unicode text.
 */
interface FileTrouble {
  readonly event: "unreadable" | "other-bytes" | "unnamable";
  readonly file: string;
}

/** What the owner has to know. */
export type ShareTrouble = FileTrouble | { readonly event: FolderFate; readonly path: string };

/** All troubles of a folder. A bounded number of those with files is reported. */
export class Troubles {
  readonly #told = new Set<string>();
  readonly #waiting: ShareTrouble[] = [];
  #listener: ((trouble: ShareTrouble) => void) | undefined;

  /** Reports a file to the owner, unless it was reported before. */
  tell(event: FileTrouble["event"], file: string): void {
    const key = `${event} ${file}`;
    if (this.#told.has(key) || this.#told.size >= TROUBLES_TOLD_MAX) return;
    this.#told.add(key);
    this.#pass({ event, file });
  }

  /** Reports to the owner what became of the folder. */
  tellFate(event: FolderFate, path: string): void {
    this.#pass({ event, path });
  }

  /** Reports everything to a listener from now on, also what was found before. */
  listen(listener: (trouble: ShareTrouble) => void): void {
    this.#listener = listener;
    for (const trouble of this.#waiting.splice(0)) listener(trouble);
  }

  #pass(trouble: ShareTrouble): void {
    if (this.#listener === undefined) this.#waiting.push(trouble);
    else this.#listener(trouble);
  }
}
