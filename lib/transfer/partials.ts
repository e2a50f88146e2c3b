/**
 * What this peer is downloading and already serves to others. Filled by lib/peer/get/fetch_file.ts, asked by lib/peer/serve/host.ts.
 * @module
 */

import type { OpenFile } from "../store/files/folder.ts";
import type { PartialContent } from "./download.ts";

/** A download whose verified pieces may be read. */
export interface PartialCopy extends PartialContent {
  /** Opens what is there. Only pieces that are `here` may be read. */
  open(): OpenFile;
}

/** Every such download. */
export class Partials {
  readonly #byRoot = new Map<string, PartialCopy>();

  /** The one of this content. */
  get(root: string): PartialCopy | undefined {
    return this.#byRoot.get(root);
  }

  /** Every one. */
  all(): Iterable<PartialCopy> {
    return this.#byRoot.values();
  }

  add(copy: PartialCopy): void {
    this.#byRoot.set(copy.root, copy);
  }

  remove(root: string): void {
    this.#byRoot.delete(root);
  }
}
