/**
 * All downloads of a peer: started, counted, a bounded number of them at a time.
 * @module
 */

import { Failure } from "../core/failure.ts";
import { TRANSFERS_KEPT_MAX, TRANSFERS_RUNNING_MAX } from "../core/limits.ts";
import { Slots } from "../core/slots.ts";
import type { Wanted } from "./directory.ts";
import { type Destination, Transfer, type TransferParts, type TransferResult, type TransferView } from "./transfer.ts";

/** A download that was started, and the promise of its end. */
export interface StartedTransfer {
  readonly transfer: Transfer;
  readonly result: Promise<TransferResult>;
}

/** The downloads of one peer. */
export class Transfers implements AsyncDisposable {
  readonly #parts: TransferParts;
  readonly #slots = new Slots(TRANSFERS_RUNNING_MAX);
  readonly #started = new Map<number, StartedTransfer>();
  #lastId = 0;

  constructor(parts: TransferParts) {
    this.#parts = parts;
  }

  /** Starts a download, or gives the one that is already fetching the same content to the same place. */
  start(wanted: Wanted, destination: Destination): StartedTransfer {
    const same = this.#started.values().find(({ transfer }) =>
      !transfer.ended && isSame(transfer, wanted, destination)
    );
    if (same !== undefined) return same;
    const transfer = new Transfer(++this.#lastId, wanted, destination, this.#parts);
    const result = this.#slots.run(() => transfer.run());
    // Whoever started it may not wait for it; the view tells how it ended.
    result.catch(() => {});
    const started = { transfer, result };
    this.#started.set(transfer.id, started);
    this.#forgetOldest();
    return started;
  }

  /** Every transfer that is remembered, oldest first. */
  views(): TransferView[] {
    return Array.from(this.#started.values(), ({ transfer }) => transfer.view());
  }

  /** Stops a transfer and throws away what has arrived. Fails: "not-found". */
  async cancel(id: number): Promise<TransferView> {
    const started = this.#started.get(id);
    if (started === undefined || started.transfer.ended) {
      throw new Failure("not-found", `There is no transfer ${id} to cancel`, {
        hint: "see their numbers with: transfers",
      });
    }
    started.transfer.cancel({ discard: true });
    await started.result.catch(() => {});
    return started.transfer.view();
  }

  /** Stops all that still run; what has arrived is kept. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const { transfer } of this.#started.values()) {
      if (!transfer.ended) transfer.cancel({ discard: false });
    }
    await Promise.all(Array.from(this.#started.values(), ({ result }) => result.catch(() => {})));
  }

  #forgetOldest(): void {
    const ended = this.#started.values().find(({ transfer }) => transfer.ended);
    if (this.#started.size > TRANSFERS_KEPT_MAX && ended !== undefined) this.#started.delete(ended.transfer.id);
  }
}

/** True when two downloads would write the same unfinished file. */
function isSame(transfer: Transfer, wanted: Wanted, destination: Destination): boolean {
  if (transfer.destination.kind === "stream" || destination.kind === "stream") return false;
  const { root, name, size } = transfer.wanted;
  return root === undefined
    ? wanted.root === undefined && name === wanted.name && size === wanted.size
    : root === wanted.root;
}
