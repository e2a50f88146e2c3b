/**
 * What this peer is downloading and already serves to others. Filled by download.ts, asked by
 * lib/peer/serve/host.ts.
 * @module
 */

import type { OpenFile } from "../../store/files/folder.ts";
import type { PartialContent } from "./content.ts";

/** A download that lets other peers read its verified pieces. */
export interface PartialCopy extends PartialContent {
  /** Opens what is there. Only pieces that are `here` may be read. */
  open(): OpenFile;
}

/** All such downloads. */
export class Partials {
  readonly #byRoot = new Map<string, PartialCopy>();
  readonly #onChange: (partial: PartialContent, isHere: boolean) => void;

  /** Calls `onChange` when a partial copy is added and when it is removed. */
  constructor(onChange: (partial: PartialContent, isHere: boolean) => void) {
    this.#onChange = onChange;
  }

  /** The partial copy of a content. */
  get(root: string): PartialCopy | undefined {
    return this.#byRoot.get(root);
  }

  /** All partial copies. */
  all(): Iterable<PartialCopy> {
    return this.#byRoot.values();
  }

  /** Adds a partial copy. */
  add(copy: PartialCopy): void {
    this.#byRoot.set(copy.root, copy);
    this.#onChange(copy, true);
  }

  /** Removes a partial copy, if it is the one of its content. */
  remove(copy: PartialCopy): void {
    if (this.#byRoot.get(copy.root) !== copy) return;
    this.#byRoot.delete(copy.root);
    this.#onChange(copy, false);
  }
}
