/**
 * All transfers of a peer. A limited number runs at a time. They are remembered from one run to the
 * next, and tried again while that can help. A transfer that fails does not stop the others.
 * @module
 */

import { backoffMs } from "../../core/flow/backoff.ts";
import { Bell } from "../../core/flow/bell.ts";
import { failedWith, Failure } from "../../core/failure.ts";
import { quoteWord } from "../../core/line.ts";
import { ATTEMPT_FIRST_MS, ATTEMPT_LAST_MS, TRANSFERS_KEPT_MAX, TRANSFERS_RUNNING_MAX } from "../../core/limits.ts";
import { Slots } from "../../core/flow/slots.ts";
import type { State } from "../../store/state/state.ts";
import type { Wanted } from "../find/wanted.ts";
import type { Destination, FetchParts } from "./fetching.ts";
import { isSame, KeptTransfers } from "./kept_transfers.ts";
import { Transfer, type TransferResult, type TransferView } from "./transfer.ts";

/** A transfer that was started, and its result. */
export interface StartedTransfer {
  readonly transfer: Transfer;
  readonly result: Promise<TransferResult>;
}

/** How transfers are treated. */
export interface TransfersOptions {
  /** Whether a transfer waits for the return of a holder when none is here. Otherwise it fails. */
  readonly patient: boolean;
}

/** The transfers of one peer. */
export class Transfers implements AsyncDisposable {
  readonly #parts: FetchParts;
  readonly #options: TransfersOptions;
  readonly #kept: KeptTransfers;
  readonly #slots = new Slots(TRANSFERS_RUNNING_MAX);
  readonly #started = new Map<number, StartedTransfer>();
  /** Wakes transfers that wait or are paused. */
  readonly #wake = new Map<number, Bell>();

  constructor(parts: FetchParts, state: State, options: TransfersOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#kept = new KeptTransfers(state);
  }

  /**
   * Starts a transfer, or returns the one that is already fetching the same content to the same
   * place.
   */
  start(wanted: Wanted, destination: Destination, options: { compress?: boolean } = {}): StartedTransfer {
    const same = destination.kind === "stream"
      ? undefined
      : this.#started.values().find(({ transfer }) => !transfer.ended && isSame(transfer, { wanted, destination }));
    if (same === undefined) return this.#start(this.#kept.put(wanted, destination), wanted, destination, options);
    if (same.transfer.stopReason === "pause") this.resume(same.transfer.id);
    return same;
  }

  /**
   * Continues the transfers that an earlier run did not end.
   *
   * @returns The transfers that continue.
   */
  startKept(): StartedTransfer[] {
    return this.#kept.all().map(({ id, wanted, destination, paused }) => {
      return this.#start(id, wanted, destination, { paused });
    });
  }

  /** The state of every transfer that is remembered, oldest first. */
  views(): TransferView[] {
    return Array.from(this.#started.values(), ({ transfer }) => transfer.view());
  }

  /**
   * Stops a transfer and removes what has arrived.
   *
   * @throws {Failure} "not-found" when no such transfer is running.
   */
  async cancel(id: number): Promise<TransferView> {
    const { transfer, result } = this.#running(id);
    transfer.stop("cancel");
    this.#wake.get(id)?.ring();
    await result.catch(() => {});
    return transfer.view();
  }

  /**
   * Stops a transfer until it is resumed, in this run or a later one.
   *
   * @throws {Failure} "not-found" when no such transfer is running.
   */
  pause(id: number): TransferView {
    const { transfer } = this.#running(id);
    transfer.stop("pause");
    this.#kept.setPaused(id, true);
    this.#wake.get(id)?.ring();
    return transfer.view();
  }

  /**
   * Continues a transfer that is paused, or waits for its next attempt.
   *
   * @throws {Failure} "not-found" when no such transfer is running.
   */
  resume(id: number): TransferView {
    const { transfer } = this.#running(id);
    if (transfer.stopReason === "pause") transfer.resume();
    this.#kept.setPaused(id, false);
    this.#wake.get(id)?.ring();
    return transfer.view();
  }

  /** Stops all transfers that still run. What has arrived is kept. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const { transfer } of this.#started.values()) if (!transfer.ended) transfer.stop("close");
    for (const bell of this.#wake.values()) bell.ring();
    await Promise.all(Array.from(this.#started.values(), ({ result }) => result.catch(() => {})));
  }

  #running(id: number): StartedTransfer {
    const started = this.#started.get(id);
    if (started === undefined) {
      throw new Failure("not-found", `There is no transfer ${id}`, { hint: "see their numbers with: transfers" });
    }
    const { ended, wanted } = started.transfer;
    if (!ended) return started;
    throw new Failure("not-found", `Transfer ${id} has ended: ${started.transfer.view().state}`, {
      hint: `get it again with: get ${quoteWord(wanted.name)}`,
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
    // The caller may not wait for the result. The view shows how the transfer ended.
    result.catch(() => {});
    const started = { transfer, result };
    this.#started.set(id, started);
    this.#forgetOldest();
    return started;
  }

  /** Attempts a transfer until it ends, well or badly. */
  async #drive(transfer: Transfer): Promise<TransferResult> {
    let isReported = false;
    const path = transfer.destination.kind === "path" ? transfer.destination.path : this.#parts.folder.path;
    for (let attempt = 0;; attempt++) {
      while (isPaused(transfer)) await this.#woken(transfer.id);
      try {
        using _slot = await this.#slots.take(transfer.signal);
        const result = await transfer.attempt();
        this.#throwIfInVain(result);
        if (isReported) this.#parts.onDiskRoom?.(path);
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
        if (isFull && !isReported) this.#parts.onDiskFull?.(transfer.wanted.name, path, failure);
        else if (isReported && !isFull) this.#parts.onDiskRoom?.(path);
        isReported = isFull;
        transfer.waits(failure);
        const bounds = { firstMs: ATTEMPT_FIRST_MS, lastMs: ATTEMPT_LAST_MS };
        await this.#woken(transfer.id, backoffMs(attempt, bounds, this.#parts.random));
      }
    }
  }

  /** Fails when nothing of a folder arrived, but something may arrive later. */
  #throwIfInVain({ failed, files, sources }: TransferResult): void {
    const later = failed.find(({ failure }) => failure.retry);
    if (this.#options.patient && failed.length === files && sources.length === 0 && later !== undefined) {
      throw later.failure;
    }
  }

  /** Waits until the transfer is woken, or for `ms`. */
  async #woken(id: number, ms?: number): Promise<void> {
    const bell = new Bell(this.#parts.clock);
    this.#wake.set(id, bell);
    await (ms === undefined ? bell.next : bell.wait(ms));
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

/**
 * Whether another attempt may succeed. It cannot when all peers that are here have another version
 * by now. It may when no holder is here.
 */
function mayEndWell(failure: Failure, { destination }: Transfer): boolean {
  if (destination.kind === "stream" || failedWith(failure, "file-changed")) return false;
  return failure.retry || failedWith(failure, "not-found");
}
