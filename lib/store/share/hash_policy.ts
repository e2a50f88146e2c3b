/**
 * Decides how many workers hash a share in the background. Pure; called by hashing.ts, which
 * carries the decision out. Files that another peer waits for are always hashed.
 * @module
 */

/** What the decision depends on. */
export interface HashLoad {
  /** Processors of this machine. */
  readonly cores: number;
  /** Files that are not hashed yet, and their bytes. */
  readonly files: number;
  readonly bytes: number;
  /** How long others have been downloading from this peer, without a break. 0 if nobody does. */
  readonly servingMs: number;
}

/** Each worker takes about 15 MB of memory, and more of them only wait for the disk. */
const WORKERS_MAX = 8;
/** Work for one worker: a further one starts in 30 ms, and has to be worth that. */
const WORK_EACH_BYTES = 128 * 1024 ** 2;
/** The work of opening a file, as bytes that are hashed in the same time. */
const FILE_BYTES = 32 * 1024;
/**
 * The longest pause. After that, one worker hashes beside the downloads: a peer from which somebody
 * always downloads could never list the roots of new files.
 */
const PAUSE_MS_MAX = 60_000;

/** So long after its last request, a peer still counts as downloading. */
export const SERVED_MS = 1_000;
/** A shorter break between downloads does not begin a new pause. */
const BREAK_MS = 10_000;

/** How long others have been downloading from this peer. Pure: the time is an argument. */
export class ServedTime {
  /** How many downloads are running. */
  #running = 0;
  #sinceMs: number | undefined;
  #endedMs = -Infinity;

  /** A download begins. */
  begin(nowMs: number): void {
    this.ms(nowMs);
    this.#running += 1;
  }

  /** A download has ended. */
  end(nowMs: number): void {
    this.#running -= 1;
    this.#endedMs = nowMs;
  }

  /** Forgets the time so far, when there is nothing to hash. */
  restart(): void {
    this.#sinceMs = undefined;
  }

  /**
   * How long others have been downloading, short breaks included: otherwise somebody that makes a
   * break of a second each minute would stop nearly all hashing. 0 while nobody downloads.
   */
  ms(nowMs: number): number {
    const quietMs = this.#running > 0 ? 0 : nowMs - this.#endedMs;
    if (quietMs >= BREAK_MS) this.#sinceMs = undefined;
    if (quietMs >= SERVED_MS) return 0;
    this.#sinceMs ??= nowMs;
    return Math.max(1, nowMs - this.#sinceMs);
  }
}

/** How many workers hash in the background. None while others download from this peer. */
export function hashWorkers({ cores, files, bytes, servingMs }: HashLoad): number {
  if (servingMs > 0) return servingMs < PAUSE_MS_MAX ? 0 : 1;
  const work = bytes + files * FILE_BYTES;
  // One file is hashed by one worker.
  return Math.max(1, Math.min(cores, WORKERS_MAX, files, Math.ceil(work / WORK_EACH_BYTES)));
}
