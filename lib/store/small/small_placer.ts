/**
 * Places the small files of one download: a few at once, many in a worker, and those of some size
 * by a thread, while the main thread receives further ones. Called by lib/peer/get.
 * @module
 */

import { joinBytes } from "../../core/bytes.ts";
import { Failure } from "../../core/failure.ts";
import type { FoundFile } from "../files/found_file.ts";
import type { Traits } from "../files/traits.ts";
import { PLACE_WORKER, type PlaceAll, type Placed, type ToPlace } from "./place_worker.ts";
import { SmallPlaces } from "./small_places.ts";

/** Fewer files need no worker: it starts in 30 ms, in which 300 files are placed. */
export const WORKER_FILES_MIN = 1_000;
/**
 * Larger files need none either: a thread writes them while other connections receive. For a
 * worker, their bytes would be copied.
 */
const WORKER_FILE_BYTES_MAX = 64 * 1024;
/** To hand a shorter write to a thread takes longer than the write. */
const THREAD_BYTES_MIN = 128 * 1024;
/** Batches that the worker has at once, so that it never waits for the next one. */
const BATCHES_MAX = 2;
/** Bytes and files in one batch. */
const BATCH_BYTES = 256 * 1024;
const BATCH_FILES_MAX = 64;
/**
 * Bytes and files that wait for the worker before the download is held up. What waits for long is
 * collected late as garbage.
 */
const WAITING_BYTES_MAX = 4 * 1024 * 1024;
const WAITING_FILES_MAX = 4 * BATCH_FILES_MAX;

/** Called with the file under the name that was free, or with why it could not be placed. */
type OnPlaced = (placed: FoundFile | Failure) => void;

/** Files that go to the worker in one message. */
interface Batch {
  readonly files: ToPlace[];
  readonly bytes: Uint8Array[];
  readonly onPlaced: OnPlaced[];
  size: number;
}

/** Where the files go, and how many come. */
export interface SmallPlacerParts {
  /** The real path of the folder below which the files go. */
  readonly root: string;
  /** Checks and returns the folder for files on their way, on the same disk. */
  readonly incoming: () => string;
  /** How many files are expected, and how many bytes in all. */
  readonly files: number;
  readonly bytes: number;
}

/** Places files until it is disposed of. What it was given by then is placed. */
export class SmallPlacer implements AsyncDisposable {
  readonly #parts: SmallPlacerParts;
  readonly #here: SmallPlaces;
  readonly #worker: Worker | undefined;
  /** The last one still grows. */
  readonly #waiting: Batch[] = [];
  /** Those that the worker has, in order. */
  readonly #placing: Batch[] = [];
  #waitingBytes = 0;
  #waitingFiles = 0;
  /** Files that threads write. */
  readonly #byThread = new Set<Promise<void>>();
  #isPosting = false;
  /** Why the worker has ended, if it has. */
  #broken: Failure | undefined;
  #moved = Promise.withResolvers<void>();

  constructor(parts: SmallPlacerParts) {
    this.#parts = parts;
    this.#here = new SmallPlaces(parts.root, parts.incoming);
    const areSmall = parts.bytes <= parts.files * WORKER_FILE_BYTES_MAX;
    if (areSmall && parts.files >= WORKER_FILES_MIN) this.#worker = this.#startWorker();
  }

  /**
   * Places a file of one piece at most.
   *
   * @returns What to wait for before the bytes are overwritten and further files are placed;
   * undefined when that can happen now.
   */
  place(bytes: Uint8Array, name: string, traits: Traits, onPlaced: OnPlaced): Promise<void> | undefined {
    if (this.#worker !== undefined) {
      this.#placeByWorker(bytes, name, traits, onPlaced);
      return this.#room();
    }
    if (bytes.length >= THREAD_BYTES_MIN) return this.#placeByThread(bytes, name, traits, onPlaced);
    onPlaced(this.#placeHere(bytes, name, traits));
    return undefined;
  }

  /** The bytes are copied. */
  #placeByWorker(bytes: Uint8Array, name: string, traits: Traits, onPlaced: OnPlaced): void {
    if (this.#broken !== undefined) return onPlaced(this.#broken);
    let batch = this.#waiting.at(-1);
    if (batch === undefined || batch.files.length >= BATCH_FILES_MAX || batch.size >= BATCH_BYTES) {
      batch = { files: [], bytes: [], onPlaced: [], size: 0 };
      this.#waiting.push(batch);
    }
    batch.files.push({ name, size: bytes.length, traits });
    batch.bytes.push(bytes.slice());
    batch.onPlaced.push(onPlaced);
    batch.size += bytes.length;
    this.#waitingBytes += bytes.length;
    this.#waitingFiles += 1;
    this.#postSoon();
  }

  /** Resolves when there is room for further files. Undefined while there is. */
  #room(): Promise<void> | undefined {
    return this.#fill < 1 ? undefined : this.#whenRoom();
  }

  /** Resolves when all files are placed. */
  async finish(): Promise<void> {
    while (this.#waiting.length > 0 || this.#placing.length > 0) await this.#moved.promise;
    await Promise.all(this.#byThread);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.finish();
    this.#worker?.terminate();
  }

  async #whenRoom(): Promise<void> {
    while (this.#fill >= 1 / 2) await this.#moved.promise;
  }

  /** How full the line for the worker is, from 0 on. */
  get #fill(): number {
    return Math.max(this.#waitingBytes / WAITING_BYTES_MAX, this.#waitingFiles / WAITING_FILES_MAX);
  }

  #placeByThread(bytes: Uint8Array, name: string, traits: Traits, onPlaced: OnPlaced): Promise<void> {
    const placing = this.#here.placeByThread(bytes, name, traits).then(
      onPlaced,
      (thrown) => onPlaced(failureOf(thrown)),
    )
      .finally(() => this.#byThread.delete(placing));
    this.#byThread.add(placing);
    return placing;
  }

  #placeHere(bytes: Uint8Array, name: string, traits: Traits): FoundFile | Failure {
    try {
      return this.#here.place(bytes, name, traits);
    } catch (thrown) {
      return failureOf(thrown);
    }
  }

  /** Posts when everything that has arrived together is there. */
  #postSoon(): void {
    if (this.#isPosting || this.#placing.length >= BATCHES_MAX) return;
    this.#isPosting = true;
    queueMicrotask(() => {
      this.#isPosting = false;
      this.#post();
    });
  }

  #post(): void {
    while (this.#placing.length < BATCHES_MAX) {
      const batch = this.#waiting.shift();
      if (batch === undefined) return;
      try {
        const { root, incoming } = this.#parts;
        const message: PlaceAll = { root, incoming: incoming(), files: batch.files, bytes: joinBytes(batch.bytes) };
        this.#worker?.postMessage(message);
        this.#placing.push(batch);
      } catch (thrown) {
        this.#end(batch, () => Failure.from(thrown, "internal", "Cannot place files"));
      }
    }
  }

  #startWorker(): Worker {
    const worker = new Worker(import.meta.url, { type: "module", name: PLACE_WORKER });
    worker.onmessage = ({ data }: MessageEvent<readonly Placed[]>) => {
      const batch = this.#placing.shift();
      this.#post();
      if (batch !== undefined) this.#end(batch, (number) => fromWorker(data[number]));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      const broken = this.#broken = new Failure("internal", `Cannot place files: ${event.message}`);
      for (const batch of [...this.#placing.splice(0), ...this.#waiting.splice(0)]) this.#end(batch, () => broken);
    };
    return worker;
  }

  #end({ onPlaced, size }: Batch, placedAt: (number: number) => FoundFile | Failure): void {
    this.#waitingBytes -= size;
    this.#waitingFiles -= onPlaced.length;
    onPlaced.forEach((each, number) => each(placedAt(number)));
    const { resolve } = this.#moved;
    this.#moved = Promise.withResolvers<void>();
    resolve();
  }
}

function failureOf(thrown: unknown): Failure {
  return Failure.from(thrown, "internal", "Cannot place a file");
}

function fromWorker(placed: Placed | undefined): FoundFile | Failure {
  if (placed === undefined) return new Failure("internal", "Cannot place a file: the worker left it out");
  return "code" in placed ? new Failure(placed.code, placed.message, { hint: placed.hint }) : placed;
}
