/**
 * Hashes the files of a share in the background, those that another peer asks for first. How
 * many workers do that depends on whether somebody downloads from this peer (hash_policy.ts). Made
 * by share.ts.
 * @module
 */

import { Failure } from "../../core/failure.ts";
import type { SharedFile } from "./file_list.ts";
import type { HashJob, HashResult } from "./hash_job.ts";
import { hashWorkers, SERVED_MS, ServedTime } from "./hash_policy.ts";
import { Hasher } from "./hasher.ts";

/** Files that one worker gets ahead, so that it does not wait for messages. */
const AHEAD_MAX = 64;
/** Bytes that one worker gets ahead, unless it has fewer than two files. */
const AHEAD_BYTES_MAX = 8 * 1024 ** 2;

/** What hashing needs of the share. */
export interface HashingParts {
  readonly cores: number;
  /** @throws {Failure} When there is no such file any more. */
  readonly pathOf: (file: SharedFile) => string;
  readonly onHashed: (file: SharedFile, result: HashResult) => void;
  readonly onFailed: (file: SharedFile, failure: unknown) => void;
}

/** The files of a share that are not hashed yet. */
export class Hashing implements Disposable {
  readonly #parts: HashingParts;
  readonly #hasher = new Hasher();
  /** Files that wait for their turn, by name. */
  readonly #waiting = new Map<string, SharedFile>();
  readonly #jobs = new Map<string, HashJob>();
  #waitingBytes = 0;
  #startedBytes = 0;
  #isOn = false;
  #isClosed = false;
  readonly #served = new ServedTime();
  /** Whether only urgent files are hashed, or one worker hashes beside downloads. */
  #isBeside = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(parts: HashingParts) {
    this.#parts = parts;
  }

  /** Lets a file wait for its turn. */
  add(file: SharedFile): void {
    this.#waitingBytes += file.size - (this.#waiting.get(file.name)?.size ?? 0);
    this.#waiting.set(file.name, file);
  }

  /** Forgets a file that has another version now, or is gone. */
  drop(name: string): void {
    this.#leaveLine(name);
    const job = this.#jobs.get(name);
    if (job === undefined) return;
    this.#jobs.delete(name);
    this.#hasher.drop(job);
  }

  /** The work on a file. Undefined while it waits. */
  jobOf(name: string): HashJob | undefined {
    return this.#jobs.get(name);
  }

  /**
   * Hashes a file before all others.
   *
   * @throws {Failure} What `pathOf` throws; "closed".
   */
  hurry(file: SharedFile): HashJob {
    const job = this.#jobs.get(file.name) ?? this.#start(file, { urgent: true });
    this.#hasher.hurry(job);
    return job;
  }

  /** Hashes what waits, from now on. Does nothing once this is disposed of. */
  goOn(): void {
    this.#isOn = !this.#isClosed;
    this.#arrange();
  }

  /** Notes that another peer downloads, until this is disposed of. */
  serve(): Disposable {
    this.#served.begin(performance.now());
    if (!this.#isBeside) this.#arrange();
    return { [Symbol.dispose]: () => this.#served.end(performance.now()) };
  }

  [Symbol.dispose](): void {
    this.#isOn = false;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#hasher[Symbol.dispose]();
  }

  /** Gives the workers as much as they may have now. */
  #arrange(): void {
    if (!this.#isOn) return;
    const files = this.#waiting.size + this.#jobs.size;
    const servingMs = files === 0 ? 0 : this.#served.ms(performance.now());
    this.#isBeside = servingMs > 0;
    if (files === 0) return this.#served.restart();
    const workers = hashWorkers({
      cores: this.#parts.cores,
      files,
      bytes: this.#waitingBytes + this.#startedBytes,
      servingMs,
    });
    this.#hasher.use(workers);
    clearTimeout(this.#timer);
    if (servingMs > 0) this.#timer = setTimeout(() => this.#arrange(), SERVED_MS);
    while (this.#hasRoom(workers)) {
      const [file] = this.#waiting.values();
      if (file === undefined) return;
      this.#leaveLine(file.name);
      if (this.#jobs.has(file.name)) continue;
      try {
        this.#start(file, { urgent: false });
      } catch (thrown) {
        if (!(thrown instanceof Failure)) throw thrown;
        // The watcher reports what became of the file.
      }
    }
  }

  #hasRoom(workers: number): boolean {
    const { size } = this.#jobs;
    return size < 2 * workers || (size < AHEAD_MAX * workers && this.#startedBytes < AHEAD_BYTES_MAX * workers);
  }

  #leaveLine(name: string): void {
    const file = this.#waiting.get(name);
    if (file === undefined) return;
    this.#waitingBytes -= file.size;
    this.#waiting.delete(name);
  }

  #start(file: SharedFile, options: { urgent: boolean }): HashJob {
    if (this.#isClosed) throw new Failure("closed", "The peer is closing");
    const { pathOf, onHashed, onFailed } = this.#parts;
    const path = pathOf(file);
    this.#leaveLine(file.name);
    const job = this.#hasher.start(path, options);
    this.#jobs.set(file.name, job);
    this.#startedBytes += file.size;
    const end = (): void => {
      this.#startedBytes -= file.size;
      if (this.#jobs.get(file.name) === job) this.#jobs.delete(file.name);
    };
    job.done.then((result) => {
      end();
      onHashed(file, result);
    }, (failure) => {
      end();
      onFailed(file, failure);
    }).finally(() => this.#arrange());
    return job;
  }
}
