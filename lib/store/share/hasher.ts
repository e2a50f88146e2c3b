/**
 * Hashes files in workers. Files that another peer asks for are hashed at once, others as far as
 * {@linkcode Hasher.use} allows. Called by hashing.ts and by lib/peer/inbox/puts.ts.
 * @module
 */

import { Failure } from "../../core/failure.ts";
import { HashJob } from "./hash_job.ts";
import { type FromWorker, HASH_WORKER, type ToHash, type ToWorker } from "./hash_worker.ts";

/** How long a worker is kept without work: it takes about 15 MB, and starts in 30 ms. */
const IDLE_MS = 5_000;

/** The workers and their work. Workers run only while there is work. */
export class Hasher implements Disposable {
  readonly #threads: HashThread[] = [new HashThread()];
  readonly #threadOf = new Map<HashJob, HashThread>();
  #count = 1;

  /** How many files are being hashed. */
  get size(): number {
    return this.#threadOf.size;
  }

  /** Uses this many workers from now on. With none, only urgent files are hashed. */
  use(count: number): void {
    this.#count = Math.max(1, count);
    while (this.#threads.length < this.#count) this.#threads.push(new HashThread());
    for (const thread of this.#threads) thread.rest(count === 0);
  }

  /**
   * Begins to hash the file at a real path that may be shared. An `urgent` file goes before all
   * others.
   */
  start(path: string, { urgent }: { urgent: boolean }): HashJob {
    const job = new HashJob(path);
    const threads = this.#threads.slice(0, this.#count);
    const thread = threads.reduce((least, each) => each.size < least.size ? each : least);
    this.#threadOf.set(job, thread);
    job.done.catch(() => {}).finally(() => this.#threadOf.delete(job));
    thread.start(job, urgent);
    return job;
  }

  /** Moves a job before all that are not urgent. */
  hurry(job: HashJob): void {
    this.#threadOf.get(job)?.hurry(job);
  }

  /** Ends a job after its file has changed or gone. */
  drop(job: HashJob): void {
    this.#threadOf.get(job)?.drop(job);
  }

  [Symbol.dispose](): void {
    for (const thread of this.#threads) thread[Symbol.dispose]();
  }
}

/** One worker and its files. */
class HashThread implements Disposable {
  readonly #jobs = new Map<number, HashJob>();
  /** Files that are sent to the worker together, in a moment. */
  #starting: ToHash[] = [];
  #worker: Worker | undefined;
  #idleTimer: ReturnType<typeof setTimeout> | undefined;
  #isResting = false;

  get size(): number {
    return this.#jobs.size;
  }

  start(job: HashJob, urgent: boolean): void {
    this.#jobs.set(job.id, job);
    if (this.#starting.length === 0) queueMicrotask(() => this.#startAll());
    this.#starting.push({ id: job.id, path: job.path, urgent });
  }

  hurry({ id }: HashJob): void {
    if (this.#jobs.has(id)) this.#post({ kind: "hurry", id });
  }

  drop(job: HashJob): void {
    if (!this.#jobs.has(job.id)) return;
    this.#post({ kind: "drop", id: job.id });
    this.#forget(job);
    job.fail(new Failure("file-changed", "The file changed while it was hashed"));
  }

  /** Whether only urgent files are hashed. */
  rest(isResting: boolean): void {
    if (isResting === this.#isResting) return;
    this.#isResting = isResting;
    // Not by #post, which would keep a worker without work for ever.
    this.#worker?.postMessage({ kind: "rest", isResting } satisfies ToWorker);
  }

  [Symbol.dispose](): void {
    this.#stopWorker();
    this.#starting = [];
    for (const job of this.#jobs.values()) job.fail(new Failure("closed", "The peer is closing"));
    this.#jobs.clear();
  }

  #startAll(): void {
    const files = this.#starting;
    this.#starting = [];
    if (files.length > 0) this.#post({ kind: "hash", files });
  }

  #post(message: ToWorker): void {
    clearTimeout(this.#idleTimer);
    if (message.kind !== "hash") this.#startAll();
    if (this.#worker === undefined) {
      this.#worker = this.#startWorker();
      this.#worker.postMessage({ kind: "rest", isResting: this.#isResting });
    }
    this.#worker.postMessage(message);
  }

  #startWorker(): Worker {
    const worker = new Worker(import.meta.url, { type: "module", name: HASH_WORKER });
    worker.onmessage = ({ data }: MessageEvent<readonly FromWorker[]>) => {
      for (const each of data) this.#take(each);
    };
    return worker;
  }

  #stopWorker(): void {
    clearTimeout(this.#idleTimer);
    this.#worker?.terminate();
    this.#worker = undefined;
  }

  /** Forgets a job. After the last one, the worker ends in a while. */
  #forget({ id }: HashJob): void {
    this.#jobs.delete(id);
    if (this.#jobs.size > 0) return;
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => this.#stopWorker(), IDLE_MS);
  }

  #take(message: FromWorker): void {
    const job = this.#jobs.get(message.id);
    if (job === undefined) return;
    if (message.kind === "failed") {
      this.#forget(job);
      const code = message.changed ? "file-changed" : "not-shared";
      job.fail(new Failure(code, `Cannot hash the file: ${message.reason}`));
      return;
    }
    job.add(message.digests);
    if (message.done === undefined) return;
    this.#forget(job);
    job.finish(message.done);
  }
}
