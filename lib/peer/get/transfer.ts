/**
 * One transfer from the wish to its end: attempts at fetching it, and how it stands meanwhile. Made by transfers.ts.
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

/** How a transfer stands. */
export interface TransferView {
  readonly id: number;
  readonly name: string;
  readonly size: number;
  readonly state:
    | "queued"
    | DownloadProgress["state"]
    | "finishing"
    | "paused"
    | "done"
    | "failed"
    | "cancelled";
  /** Bytes that are here and verified, or while checking, looked at. */
  readonly done: number;
  readonly bytesPerSecond: number;
  /** Time left at this speed; undefined when nothing can be said. */
  readonly leftMs: number | undefined;
  /** The peers that are asked for something now. */
  readonly sources: readonly string[];
  /** How many are before us in line, when all sources let us wait. */
  readonly before: number | undefined;
  /** Whether it waits for its owner to say yes. */
  readonly isAsking: boolean;
  /** Attempts in vain since something last arrived. */
  readonly retries: number;
  /** Why it failed, or what it waits for. */
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
  /** The file that was last begun, of which something may be kept. */
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

  /** Whether it was stopped, and why. */
  get stopReason(): StopReason | undefined {
    return this.#stopReason;
  }

  /** How it stands now. */
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

  /** Stops what is under way. Cancelled, what has arrived is thrown away; else the next attempt goes on from there. */
  stop(reason: StopReason): void {
    this.#stopReason = reason;
    this.#stopping.abort(new Failure("cancelled", `The download of "${this.wanted.name}" was stopped`));
    if (reason === "pause") this.#rest("paused");
  }

  /** Lets it be attempted again after a pause. */
  resume(): void {
    this.#stopReason = undefined;
    this.#stopping = new AbortController();
    this.#rest("queued");
  }

  /** Aborted when it is stopped. */
  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Fetches it, or what is still missing of it. Fails: as fetching does. */
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

  /** Notes that the last attempt was in vain, and that there will be another. */
  waits(failure: Failure): void {
    this.#failure = failure;
    this.#attempts += 1;
    this.#rest("waiting");
  }

  /** Notes that it will not be attempted again. Cancelled, nothing of it stays. */
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
        if (progress.state === "running") this.#meter.note(progress.done, this.#parts.clock.now());
      },
      onFinishing: () => this.#state = "finishing",
      onListed: (size) => this.#size = size,
      onBegun: (file) => this.#begun = file,
    };
  }

  /** Where something was kept, what to do is to try again. */
  #withHint(failure: Failure): Failure {
    const kept = this.#progress.done > 0 && this.destination.kind !== "stream" && failure.retry;
    if (!kept || failedWith(failure, "file-changed", "disk-full")) return failure;
    const hint = "what has arrived is kept: get it again, and it goes on where it stopped";
    return new Failure(failure.code, failure.message, { cause: failure, hint });
  }
}

/** Why a folder is not complete; undefined when it is. */
export function failureOf({ failed }: Fetched, { name }: Wanted): Failure | undefined {
  const [first] = failed;
  if (first === undefined) return undefined;
  const { code } = first.failure;
  // A name that cannot be stored is no mistake of the person who asked for its folder.
  const isAlike = code !== "bad-name" && failed.every(({ failure }) => failure.code === code);
  return new Failure(
    isAlike ? code : "no-access",
    `${formatCount(failed.length, "file")} of "${printable(name)}" could not be downloaded: ${first.failure.message}`,
    { hint: "see why, and get it again: what is here is not fetched twice", cause: first.failure },
  );
}
