/**
 * Hashes files in the background, a few at a time. Files that another peer asks for are hashed at
 * once. Called by share.ts.
 * @module
 */

import { DIGEST_BYTES, rootOf } from "../../core/content.ts";
import { Failure } from "../../core/failure.ts";
import { Bell } from "../../core/flow/bell.ts";
import { type FromWorker, HASH_WORKER, type ToWorker } from "./hash_worker.ts";

/** A file that is being hashed. */
export class HashJob {
  readonly path: string;
  /**
   * Resolves when the whole file is hashed. Rejects with "file-changed" when it changed meanwhile,
   * "not-shared" when it cannot be read.
   */
  readonly done: Promise<HashResult>;
  #digests = new Uint8Array(0);
  #count = 0;
  #ended = false;
  readonly #news = new Bell();
  readonly #done = Promise.withResolvers<HashResult>();

  constructor(path: string) {
    this.path = path;
    this.done = this.#done.promise;
    this.done.catch(() => {});
  }

  /** The digests so far, concatenated. */
  get digests(): Uint8Array {
    return this.#digests.subarray(0, this.#count);
  }

  /** Whether the job has ended, with or without a root. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Resolves at the next digests, or when the job ends. */
  get news(): Promise<void> {
    return this.#news.next;
  }

  /** For the hasher: more digests. */
  add(digests: Uint8Array): void {
    if (this.#count + digests.length > this.#digests.length) {
      const larger = new Uint8Array(Math.max(2 * this.#digests.length, this.#count + digests.length, 8 * DIGEST_BYTES));
      larger.set(this.digests);
      this.#digests = larger;
    }
    this.#digests.set(digests, this.#count);
    this.#count += digests.length;
    this.#news.ring();
  }

  /** For the hasher: the end. */
  finish(as: { size: number; modified: number }): void {
    this.#ended = true;
    this.#done.resolve({ ...as, digests: this.digests, root: rootOf(as.size, this.digests) });
    this.#news.ring();
  }

  /** For the hasher: the end, without a root. */
  fail(failure: Failure): void {
    this.#ended = true;
    this.#done.reject(failure);
    this.#news.ring();
  }
}

/** A file's content as it was from the first to the last byte read. */
export interface HashResult {
  readonly size: number;
  readonly modified: number;
  readonly root: string;
  readonly digests: Uint8Array;
}

/** How long the worker is kept without work: it takes about 15 MB, and starts in 30 ms. */
const IDLE_MS = 5_000;

/** The worker and its work. The worker runs only while there is work. */
export class Hasher implements Disposable {
  readonly #jobs = new Map<number, HashJob>();
  #worker: Worker | undefined;
  #idleTimer: ReturnType<typeof setTimeout> | undefined;
  #lastId = 0;

  /** How many files are being hashed. */
  get size(): number {
    return this.#jobs.size;
  }

  /**
   * Begins to hash the file at a real path that may be shared. An `urgent` file goes before all
   * others.
   */
  start(path: string, options: { urgent: boolean }): HashJob {
    const job = new HashJob(path);
    const id = ++this.#lastId;
    this.#jobs.set(id, job);
    this.#post({ kind: "hash", id, path, urgent: options.urgent });
    return job;
  }

  /** Moves a job before all that are not urgent. */
  hurry(job: HashJob): void {
    const id = this.#idOf(job);
    if (id !== undefined) this.#post({ kind: "hurry", id });
  }

  /** Ends a job after its file has changed or gone. */
  drop(job: HashJob): void {
    const id = this.#idOf(job);
    if (id === undefined) return;
    this.#post({ kind: "drop", id });
    this.#forget(id);
    job.fail(new Failure("file-changed", "The file changed while it was hashed"));
  }

  [Symbol.dispose](): void {
    this.#stopWorker();
    for (const job of this.#jobs.values()) job.fail(new Failure("closed", "The peer is closing"));
    this.#jobs.clear();
  }

  #idOf(job: HashJob): number | undefined {
    return this.#jobs.entries().find(([, each]) => each === job)?.[0];
  }

  #stopWorker(): void {
    clearTimeout(this.#idleTimer);
    this.#worker?.terminate();
    this.#worker = undefined;
  }

  /** Forgets a job. After the last one, the worker ends in a while. */
  #forget(id: number): void {
    this.#jobs.delete(id);
    if (this.#jobs.size === 0) this.#idleTimer = setTimeout(() => this.#stopWorker(), IDLE_MS);
  }

  #post(message: ToWorker): void {
    clearTimeout(this.#idleTimer);
    this.#worker ??= this.#startWorker();
    this.#worker.postMessage(message);
  }

  #startWorker(): Worker {
    const worker = new Worker(import.meta.url, { type: "module", name: HASH_WORKER });
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#take(data);
    return worker;
  }

  #take(message: FromWorker): void {
    const job = this.#jobs.get(message.id);
    if (job === undefined) return;
    if (message.kind === "failed") {
      this.#forget(message.id);
      const code = message.changed ? "file-changed" : "not-shared";
      job.fail(new Failure(code, `Cannot hash the file: ${message.reason}`));
      return;
    }
    job.add(message.digests);
    if (message.done === undefined) return;
    this.#forget(message.id);
    job.finish(message.done);
  }
}
