/**
 * All downloads of a peer: a bounded number at a time, remembered from one run to the next, tried again as long as that makes sense. One
 * that fails does not stop the others.
 * @module
 */

import { backoffMs } from "../../core/flow/backoff.ts";
import { failedWith, Failure } from "../../core/failure.ts";
import { ATTEMPT_FIRST_MS, ATTEMPT_LAST_MS, TRANSFERS_KEPT_MAX, TRANSFERS_RUNNING_MAX } from "../../core/limits.ts";
import { Slots } from "../../core/flow/slots.ts";
import type { State } from "../../store/state/state.ts";
import type { Wanted } from "../find/wanted.ts";
import type { Destination, FetchParts } from "./fetching.ts";
import { isSame, KeptTransfers } from "./kept_transfers.ts";
import { Transfer, type TransferResult, type TransferView } from "./transfer.ts";

/** A download that was started, and the promise of its end. */
export interface StartedTransfer {
  readonly transfer: Transfer;
  readonly result: Promise<TransferResult>;
}

/** How downloads are treated. */
export interface TransfersOptions {
  /** Whether a download whose holders are all away is tried again until one returns; else it fails. */
  readonly patient: boolean;
}

/** The downloads of one peer. */
export class Transfers implements AsyncDisposable {
  readonly #parts: FetchParts;
  readonly #options: TransfersOptions;
  readonly #kept: KeptTransfers;
  readonly #slots = new Slots(TRANSFERS_RUNNING_MAX);
  readonly #started = new Map<number, StartedTransfer>();
  /** Wakes those that wait or are paused. */
  readonly #wake = new Map<number, () => void>();

  constructor(parts: FetchParts, state: State, options: TransfersOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#kept = new KeptTransfers(state);
  }

  /** Starts a download, or gives the one that is already fetching the same content to the same place. */
  start(wanted: Wanted, destination: Destination, options: { compress?: boolean } = {}): StartedTransfer {
    const same = destination.kind === "stream"
      ? undefined
      : this.#started.values().find(({ transfer }) => !transfer.ended && isSame(transfer, { wanted, destination }));
    if (same === undefined) return this.#start(this.#kept.put(wanted, destination), wanted, destination, options);
    if (same.transfer.stopReason === "pause") this.resume(same.transfer.id);
    return same;
  }

  /** Goes on with what an earlier run did not end. Shape: what goes on. */
  startKept(): StartedTransfer[] {
    return this.#kept.all().map(({ id, wanted, destination, paused }) => {
      return this.#start(id, wanted, destination, { paused });
    });
  }

  /** Every transfer that is remembered, oldest first. */
  views(): TransferView[] {
    return Array.from(this.#started.values(), ({ transfer }) => transfer.view());
  }

  /** Stops a transfer and throws away what has arrived. Fails: "not-found". */
  async cancel(id: number): Promise<TransferView> {
    const { transfer, result } = this.#running(id);
    transfer.stop("cancel");
    this.#wake.get(id)?.();
    await result.catch(() => {});
    return transfer.view();
  }

  /** Stops a transfer until it is resumed, also by another run. Fails: "not-found". */
  pause(id: number): TransferView {
    const { transfer } = this.#running(id);
    transfer.stop("pause");
    this.#kept.setPaused(id, true);
    this.#wake.get(id)?.();
    return transfer.view();
  }

  /** Goes on with a transfer that was paused, or waits for its next attempt. Fails: "not-found". */
  resume(id: number): TransferView {
    const { transfer } = this.#running(id);
    if (transfer.stopReason === "pause") transfer.resume();
    this.#kept.setPaused(id, false);
    this.#wake.get(id)?.();
    return transfer.view();
  }

  /** Stops all that still run; what has arrived is kept. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const { transfer } of this.#started.values()) if (!transfer.ended) transfer.stop("close");
    for (const wake of this.#wake.values()) wake();
    await Promise.all(Array.from(this.#started.values(), ({ result }) => result.catch(() => {})));
  }

  #running(id: number): StartedTransfer {
    const started = this.#started.get(id);
    if (started !== undefined && !started.transfer.ended) return started;
    throw new Failure("not-found", `There is no transfer ${id} under way`, {
      hint: "see their numbers with: transfers",
    });
  }

  #start(
    id: number,
    wanted: Wanted,
    destination: Destination,
    options: { compress?: boolean; paused?: boolean },
  ): StartedTransfer {
    const { compress = false, paused = false } = options;
    const transfer = new Transfer(id, { wanted, destination, compress }, this.#parts);
    if (paused) transfer.stop("pause");
    const result = this.#drive(transfer);
    // Whoever started it may not wait for it; the view tells how it ended.
    result.catch(() => {});
    const started = { transfer, result };
    this.#started.set(id, started);
    this.#forgetOldest();
    return started;
  }

  /** Attempts a transfer until it ends, well or badly. */
  async #drive(transfer: Transfer): Promise<TransferResult> {
    let isSaid = false;
    const path = transfer.destination.kind === "path" ? transfer.destination.path : this.#parts.folder.path;
    for (let attempt = 0;; attempt++) {
      while (isPaused(transfer)) await this.#woken(transfer.id);
      try {
        using _slot = await this.#slots.take(transfer.signal);
        const result = await transfer.attempt();
        this.#throwIfInVain(result);
        if (isSaid) this.#parts.onDiskRoom?.(path);
        this.#kept.remove(transfer.id);
        return result;
      } catch (thrown) {
        const failure = Failure.from(thrown, "internal", "Cannot download");
        if (isPaused(transfer)) {
          attempt = -1;
          continue;
        }
        const stopped = transfer.stopReason !== undefined;
        if (stopped || !this.#options.patient || !mayEndWell(failure, transfer)) {
          await transfer.ends(failure);
          if (transfer.stopReason !== "close" && !failure.retry) this.#kept.remove(transfer.id);
          throw failure;
        }
        const isFull = failedWith(failure, "disk-full") && !failure.remote;
        if (isFull && !isSaid) this.#parts.onDiskFull?.(transfer.wanted.name, path, failure);
        else if (isSaid && !isFull) this.#parts.onDiskRoom?.(path);
        isSaid = isFull;
        transfer.waits(failure);
        const bounds = { firstMs: ATTEMPT_FIRST_MS, lastMs: ATTEMPT_LAST_MS };
        await this.#woken(transfer.id, backoffMs(attempt, bounds, this.#parts.random));
      }
    }
  }

  /** A folder has failed like a file when nothing of it arrived, though something may arrive later. */
  #throwIfInVain({ failed, files, sources }: TransferResult): void {
    const later = failed.find(({ failure }) => failure.retry);
    if (this.#options.patient && failed.length === files && sources.length === 0 && later !== undefined) {
      throw later.failure;
    }
  }

  /** Waits until somebody wakes the transfer, or for a time. */
  async #woken(id: number, ms?: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake.set(id, resolve);
    const over = new AbortController();
    if (ms !== undefined) this.#parts.clock.delay(ms, over.signal).then(resolve, () => {});
    await promise;
    over.abort();
    this.#wake.delete(id);
  }

  #forgetOldest(): void {
    const ended = this.#started.values().find(({ transfer }) => transfer.ended);
    if (this.#started.size > TRANSFERS_KEPT_MAX && ended !== undefined) this.#started.delete(ended.transfer.id);
  }
}

function isPaused({ stopReason }: Transfer): boolean {
  return stopReason === "pause";
}

/** Whether another attempt may end better. Where all who are here have something else by now, it does not; where nobody is here, it may. */
function mayEndWell(failure: Failure, { destination }: Transfer): boolean {
  if (destination.kind === "stream" || failedWith(failure, "file-changed")) return false;
  return failure.retry || failedWith(failure, "not-found");
}
