/**
 * What the owner of a shared folder has to know about its files: told once for each file, whenever somebody listens. Called by share.ts.
 * @module
 */

import { TROUBLES_TOLD_MAX } from "../../core/limits.ts";

/**
 * Something that keeps others from a file: it cannot be read; its bytes have changed though its size and time have not; its name is no Unicode text.
 */
export interface ShareTrouble {
  readonly trouble: "unreadable" | "other-bytes" | "unnamable";
  readonly name: string;
}

/** All of them; the first bounded number is told. */
export class Troubles {
  readonly #told = new Set<string>();
  readonly #waiting: ShareTrouble[] = [];
  #listener: ((trouble: ShareTrouble) => void) | undefined;

  /** Tells the owner about a file, unless that was done before. */
  tell(trouble: ShareTrouble["trouble"], name: string): void {
    const key = `${trouble} ${name}`;
    if (this.#told.has(key) || this.#told.size >= TROUBLES_TOLD_MAX) return;
    this.#told.add(key);
    if (this.#listener === undefined) this.#waiting.push({ trouble, name });
    else this.#listener({ trouble, name });
  }

  /** Has everything told to somebody from now on, also what was found before. */
  listen(listener: (trouble: ShareTrouble) => void): void {
    this.#listener = listener;
    for (const trouble of this.#waiting.splice(0)) listener(trouble);
  }
}
