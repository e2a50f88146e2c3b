/**
 * One transfer from the request to its end: the attempts at fetching it, and its present state.
 * Made by transfers.ts.
 * @module
 */

import { failedWith, Failure } from "../../core/failure.ts";
import { Meter } from "../../core/flow/meter.ts";
import { printable } from "../../core/printable.ts";
import { formatCount } from "../../core/quantity.ts";
import { UnfinishedFile } from "../../store/files/unfinished_file.ts";
import type { DownloadProgress } from "../../transfer/content/watch.ts";
import type { Wanted, WantedFile } from "../find/wanted.ts";
import { fetchFile } from "./fetch_file.ts";
import { fetchFolder } from "./fetch_folder.ts";
import type { Destination, Fetched, FetchParts, FetchWatch } from "./fetching.ts";
import type { WantedAt } from "./kept_transfers.ts";

/** The state of a transfer. */
export interface TransferView {
  readonly id: number;
  readonly name: string;
  readonly size: number;
  readonly state:
    | DownloadProgress["state"]
    | "finishing"
    | "paused"
    | "done"
    | "failed"
    | "cancelled";
  /** Bytes that are here and verified. While `checking`: bytes that have been compared. */
  readonly done: number;
  readonly bytesPerSecond: number;
  /** Time left at this speed; undefined when it is not known. */
  readonly leftMs: number | undefined;
  /** The peers that are asked for something now. */
  readonly sources: readonly string[];
  /** How many peers are before this one in line, when all sources let it wait. */
  readonly before: number | undefined;
  /** Whether it waits for the consent of the file's owner. */
  readonly isAsking: boolean;
  /** Failed attempts since something last arrived. */
  readonly retries: number;
  /** Why it failed, or why it waits. */
  readonly failure: Failure | undefined;
}

/** How a transfer ended well. */
export interface TransferResult extends Fetched {
  readonly tookMs: number;
}

/** Why a transfer is stopped before its end. */
export type StopReason = "cancel" | "pause" | "close";

const NOTHING_YET: DownloadProgress = { state: "connecting", done: 0, sources: [], retries: 0 };

/** One transfer. */
export class Transfer {
  readonly id: number;
  readonly wanted: Wanted;
  readonly destination: Destination;
  readonly #compress: boolean;
  readonly #parts: FetchParts;
  readonly #meter = new Meter();
  readonly #startMs: number;
  #stopping = new AbortController();
  #stopReason: StopReason | undefined;
  #progress = NOTHING_YET;
  #size: number;
  #attempts = 0;
  #state: TransferView["state"] = "queued";
  #failure: Failure | undefined;
  /** The file that was begun last. Something of it may be kept. */
  #begun: WantedFile | undefined;

  constructor(
    id: number,
    { wanted, destination, compress }: WantedAt & { readonly compress: boolean },
    parts: FetchParts,
  ) {
    this.id = id;
    this.wanted = wanted;
    this.destination = destination;
    this.#compress = compress;
    this.#parts = parts;
    this.#size = wanted.kind === "file" ? wanted.size : 0;
    this.#begun = wanted.kind === "file" && destination.kind !== "stream" ? wanted : undefined;
    this.#startMs = parts.clock.now();
  }

  /** Whether it has ended, well or badly. */
  get ended(): boolean {
    return this.#state === "done" || this.#state === "failed" || this.#state === "cancelled";
  }

  /** Why it was stopped, if it was. */
  get stopReason(): StopReason | undefined {
    return this.#stopReason;
  }

  /** Its present state. */
  view(): TransferView {
    const nowMs = this.#parts.clock.now();
    const bytesPerSecond = this.#state === "running" ? this.#meter.bytesPerSecond(nowMs) : 0;
    const done = this.#state === "done" ? this.#size : this.#progress.done;
    return {
      id: this.id,
      name: this.wanted.name,
      size: this.#size,
      state: this.#state,
      done,
      bytesPerSecond,
      leftMs: bytesPerSecond > 0 ? (this.#size - done) / bytesPerSecond * 1000 : undefined,
      sources: this.#progress.sources,
      before: this.#progress.before,
      isAsking: this.#progress.isAsking ?? false,
      retries: this.#attempts + this.#progress.retries,
      failure: this.#failure,
    };
  }

  /**
   * Stops the present attempt. The next attempt continues from there, unless the transfer is
   * cancelled.
   */
  stop(reason: StopReason): void {
    this.#stopReason = reason;
    this.#stopping.abort(new Failure("cancelled", `The download of "${this.wanted.name}" was stopped`));
    if (reason === "pause") this.#rest("paused");
  }

  /** Ends a pause. */
  resume(): void {
    this.#stopReason = undefined;
    this.#stopping = new AbortController();
    this.#rest("queued");
  }

  /** Aborted when it is stopped. */
  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  /**
   * Fetches what is still missing.
   *
   * @throws {Failure} As fetching does.
   */
  async attempt(): Promise<TransferResult> {
    const watch = this.#watch();
    try {
      this.#failure = undefined;
      const { wanted, destination } = this;
      const fetched = wanted.kind === "file"
        ? await fetchFile(wanted, destination, this.#parts, watch)
        : await fetchFolder(wanted, destination, this.#parts, watch);
      this.#size = fetched.size;
      this.#state = fetched.failed.length === 0 ? "done" : "failed";
      this.#failure = failureOf(fetched, wanted);
      return { ...fetched, tookMs: this.#parts.clock.now() - this.#startMs };
    } catch (thrown) {
      throw this.#withHint(Failure.from(thrown, "internal", `Cannot download "${this.wanted.name}"`));
    }
  }

  /** Notes that the last attempt failed, and that another will follow. */
  waits(failure: Failure): void {
    this.#failure = failure;
    this.#attempts += 1;
    this.#rest("waiting");
  }

  /** Notes that no other attempt follows. When it was cancelled, what has arrived is removed. */
  async ends(failure: Failure): Promise<void> {
    const begun = this.#begun;
    // Another transfer may be fetching the same content to another place.
    if (this.#stopReason === "cancel" && begun !== undefined && !this.#parts.turns.isTaken(begun)) {
      await UnfinishedFile.discard(this.#parts.folder, begun);
    }
    this.#failure = failure;
    this.#rest(failedWith(failure, "cancelled") ? "cancelled" : "failed");
  }

  #rest(state: TransferView["state"]): void {
    const { state: last, done, retries } = this.#progress;
    this.#state = state;
    this.#progress = { state: last, done, sources: [], retries };
  }

  /** Where an attempt reports. */
  #watch(): FetchWatch {
    return {
      signal: this.#stopping.signal,
      compress: this.#compress,
      onProgress: (progress) => {
        if (this.#stopReason !== undefined) return;
        if (progress.done > this.#progress.done) this.#attempts = 0;
        this.#progress = progress;
        this.#state = progress.state;
        if (progress.state === "running") {
          this.#meter.note(progress.done - (progress.copied ?? 0), this.#parts.clock.now());
        }
      },
      onFinishing: () => this.#state = "finishing",
      onListed: (size) => this.#size = size,
      onBegun: (file) => this.#begun = file,
    };
  }

  /** The failure, with the hint to try again when something is kept. */
  #withHint(failure: Failure): Failure {
    const kept = this.#progress.done > 0 && this.destination.kind !== "stream" && failure.retry;
    if (!kept || failedWith(failure, "file-changed", "disk-full")) return failure;
    return failure.with({ hint: "what has arrived is kept: get it again to continue where it stopped" });
  }
}

/** Why a folder is not complete; undefined when it is. */
export function failureOf({ failed }: Fetched, { name }: Wanted): Failure | undefined {
  const [first] = failed;
  if (first === undefined) return undefined;
  const { code } = first.failure;
  // A name that cannot be stored is not a mistake of the person that asked for its folder.
  const isAlike = code !== "bad-name" && failed.every(({ failure }) => failure.code === code);
  return new Failure(
    isAlike ? code : "no-access",
    `${formatCount(failed.length, "file")} of "${printable(name)}" could not be downloaded: ${first.failure.message}`,
    { hint: "solve this and get it again: files that are here are not fetched twice", cause: first.failure },
  );
}
