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

/** How many workers hash in the background. None while others download from this peer. */
export function hashWorkers({ cores, files, bytes, servingMs }: HashLoad): number {
  if (servingMs > 0) return servingMs < PAUSE_MS_MAX ? 0 : 1;
  const work = bytes + files * FILE_BYTES;
  // One file is hashed by one worker.
  return Math.max(1, Math.min(cores, WORKERS_MAX, files, Math.ceil(work / WORK_EACH_BYTES)));
}
