/**
 * Hashes files beside the main thread. Runs in a Worker that hasher.ts starts from its own module,
 * so that a bundle of one file contains both worker and program. The messages have their types
 * here.
 *
 * Several files are hashed at once, in turns of a few milliseconds. Files that another peer asks
 * for go before all others, so that a film that is hashed in the background does not delay them.
 * @module
 */

import { createHash } from "node:crypto";
import { readFullSync } from "../../core/bytes.ts";
import { DIGEST_BYTES, PIECE_BYTES } from "../../core/content.ts";

/** A file to hash. `path` is a real path that may be shared. */
export interface ToHash {
  readonly id: number;
  readonly path: string;
  readonly urgent: boolean;
}

/**
 * To the worker: hash files, move one to the front, drop it, or hash only urgent ones for a while.
 */
export type ToWorker =
  | { readonly kind: "hash"; readonly files: readonly ToHash[] }
  | { readonly kind: "rest"; readonly isResting: boolean }
  | { readonly kind: "hurry"; readonly id: number }
  | { readonly kind: "drop"; readonly id: number };

/**
 * From the worker, several in one message: more digests of a file, the last ones with its size and
 * time, or why it cannot be hashed.
 */
export type FromWorker =
  | {
    readonly kind: "digests";
    readonly id: number;
    readonly digests: Uint8Array<ArrayBuffer>;
    readonly done?: { readonly size: number; readonly modified: number } | undefined;
  }
  | { readonly kind: "failed"; readonly id: number; readonly changed: boolean; readonly reason: string };

/** The worker's name, by which this module knows where it runs. */
export const HASH_WORKER = "recess hash worker";

/** How long a turn lasts before messages are read. */
const TURN_MS = 10;
/**
 * Digests of a large file that are gathered before they are reported. The first ones are reported
 * at once.
 */
const TOLD_PIECES_MAX = 64;

class Changed extends Error {}

interface Job {
  readonly id: number;
  readonly path: string;
  urgent: boolean;
  reading: { file: Deno.FsFile; size: number; modified: number; told: number } | undefined;
}

const jobs = new Map<number, Job>();
const buffer = new Uint8Array(PIECE_BYTES);
const news: FromWorker[] = [];
let working = false;
/** Whether only urgent files are hashed. */
let isResting = false;

// The page and worker types of the library disagree on what `self` is. Only these members are used.
const port = self as unknown as {
  readonly name?: string | undefined;
  onmessage: (event: MessageEvent<ToWorker>) => void;
  postMessage(message: readonly FromWorker[]): void;
};

// Only in the worker. Everywhere else this module is loaded for its types and its worker's name.
if (port.name === HASH_WORKER) {
  port.onmessage = ({ data }) => {
    if (data.kind === "hash") { for (const file of data.files) jobs.set(file.id, { ...file, reading: undefined }); }
    else if (data.kind === "rest") isResting = data.isResting;
    else if (data.kind === "hurry") hurry(data.id);
    else drop(data.id);
    if (!working) void work();
  };
}

function hurry(id: number): void {
  const job = jobs.get(id);
  if (job !== undefined) job.urgent = true;
}

function drop(id: number): void {
  jobs.get(id)?.reading?.file.close();
  jobs.delete(id);
}

async function work(): Promise<void> {
  working = true;
  for (let job = nextJob(); job !== undefined; job = nextJob()) {
    const turnEnd = performance.now() + TURN_MS;
    for (; job !== undefined && performance.now() < turnEnd; job = nextJob()) step(job, turnEnd);
    if (news.length > 0) port.postMessage(news.splice(0));
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  working = false;
}

/** The file that has its turn. */
function nextJob(): Job | undefined {
  const [first] = jobs.values();
  return jobs.values().find((each) => each.urgent) ?? (isResting ? undefined : first);
}

/** Continues to hash a file, until the turn or the file ends. */
function step(job: Job, turnEnd: number): void {
  try {
    hashOn(job, turnEnd);
  } catch (thrown) {
    drop(job.id);
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    news.push({ kind: "failed", id: job.id, changed: thrown instanceof Changed, reason });
  }
}

function hashOn(job: Job, turnEnd: number): void {
  job.reading ??= open(job.path);
  const { file, size, modified } = job.reading;
  const gathered: Uint8Array[] = [];
  let pieceBytes = 0;
  do {
    pieceBytes = readFullSync(file, buffer);
    if (pieceBytes > 0) gathered.push(createHash("sha256").update(buffer.subarray(0, pieceBytes)).digest());
    // The first pieces of a file that a peer waits for are reported one by one, then more at a
    // time.
  } while (
    pieceBytes === PIECE_BYTES && gathered.length < Math.min(TOLD_PIECES_MAX, 1 + job.reading.told) &&
    performance.now() < turnEnd
  );
  job.reading.told += gathered.length;
  const now = stat(file);
  if (now.size !== size || now.modified !== modified) throw new Changed("it changed while it was read");
  const digests = joined(gathered);
  if (pieceBytes === PIECE_BYTES && job.reading.told * PIECE_BYTES < size) {
    news.push({ kind: "digests", id: job.id, digests });
    return;
  }
  drop(job.id);
  news.push({ kind: "digests", id: job.id, digests, done: { size, modified } });
}

function open(path: string): NonNullable<Job["reading"]> {
  // Opening a pipe in the file's place would wait for ever.
  if (!Deno.lstatSync(path).isFile) throw new Changed("it is no file any more");
  const file = Deno.openSync(path);
  return { file, ...stat(file), told: 0 };
}

function stat(file: Deno.FsFile): { size: number; modified: number } {
  const info = file.statSync();
  return { size: info.size, modified: info.mtime?.getTime() ?? 0 };
}

function joined(digests: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(digests.length * DIGEST_BYTES);
  digests.forEach((digest, index) => all.set(digest, index * DIGEST_BYTES));
  return all;
}
