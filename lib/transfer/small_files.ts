/**
 * Downloads many small files, of at most one piece each, from everybody who has them: asked for ahead over a few kept connections, so that ten
 * thousand files do not cost ten thousand journeys there and back. Called by lib/peer/fetch_folder.ts.
 *
 * A file of one piece needs no list of digests: its root is the digest of its only digest.
 * @module
 */

import { DIGEST_BYTES, digestOf, PIECE_BYTES, rootOf } from "../core/content.ts";
import { failedWith, Failure } from "../core/failure.ts";
import { SMALL_AHEAD, SMALL_CONNECTIONS_MAX } from "../core/limits.ts";
import type { Pace } from "../core/pace.ts";
import { ask, askAll } from "../net/caller.ts";
import type { Connection } from "../net/connection.ts";
import { Asking, Download, Pieces } from "../protocol/files.ts";
import type { DataOf } from "../protocol/message.ts";
import type { Given } from "./download.ts";
import { packedBytesOf, readPart } from "./answer.ts";
import { mayShrink } from "./compress.ts";
import type { Connect, Source } from "./lane.ts";

/** A file of at most one piece. Without a root as long as its owner has not hashed it. */
export interface SmallFile {
  readonly name: string;
  readonly size: number;
  readonly root?: string;
  readonly sources: readonly Source[];
}

/** What such a download needs. */
export interface SmallFilesOptions {
  readonly files: readonly SmallFile[];
  /** Called with each file that was verified. The bytes are only good until it returns. */
  readonly onFile: (file: SmallFile & { readonly root: string }, bytes: Uint8Array, digest: Uint8Array) => void;
  /** Called with each file that nobody could give. */
  readonly onFailed: (file: SmallFile, failure: Failure) => void;
  /** Called while a peer waits for its owner's consent. */
  readonly onAsking?: (peer: string) => void;
  readonly connect: Connect;
  readonly now: () => number;
  readonly signal: AbortSignal;
  readonly pace?: Pace;
  readonly compress?: boolean;
}

/** Connections to one peer, so that its disk and ours have something to do at the same time. */
const CONNECTIONS_EACH = 4;
/** Attempts at one peer, none of which gave a file. */
const TRIES_MAX = 3;

/** Whether a file may be downloaded this way. */
export function isSmall({ size }: { size: number }): boolean {
  return size <= PIECE_BYTES;
}

/** Downloads them all. Shape: who gave how much. Fails: by the signal, and as `onFile` does. */
export async function downloadSmallFiles(options: SmallFilesOptions): Promise<Given[]> {
  const left = new LeftFiles(options.files);
  const given = new Map<string, { peer: string; bytes: number; ms: number }>();
  const each = Math.max(1, Math.min(CONNECTIONS_EACH, Math.floor(SMALL_CONNECTIONS_MAX / left.sources.length)));
  const stopping = new AbortController();
  const stop = (): void => stopping.abort(options.signal.reason);
  options.signal.addEventListener("abort", stop);
  if (options.signal.aborted) stop();
  const work = async (source: Source): Promise<void> => {
    try {
      await new SmallFilesWorker(source, left, { ...options, signal: stopping.signal }, given).run();
    } catch (thrown) {
      stopping.abort(thrown);
      throw thrown;
    }
  };
  const sources = left.sources.slice(0, SMALL_CONNECTIONS_MAX);
  try {
    // What one could not give may have come back when the others were done already.
    for (let round = 0; round < TRIES_MAX && sources.some(({ peer }) => left.hasFor(peer)); round++) {
      const ends = await Promise.allSettled(
        sources.flatMap((source) => Array.from({ length: each }, () => work(source))),
      );
      options.signal.throwIfAborted();
      for (const end of ends) if (end.status === "rejected") throw end.reason;
    }
  } finally {
    options.signal.removeEventListener("abort", stop);
  }
  for (const { file, failure } of left.rest()) {
    options.onFailed(file, failure ?? new Failure("not-found", `Nobody who is here has "${file.name}"`));
  }
  return [...given.values()];
}

/** The files that nobody has begun with. */
class LeftFiles {
  readonly sources: readonly Source[];
  readonly #entries: { readonly file: SmallFile; left: boolean; failure: Failure | undefined }[];
  readonly #ofPeer = new Map<string, number[]>();
  /** Files that a peer does not have after all. */
  readonly #refused = new Set<string>();

  constructor(files: readonly SmallFile[]) {
    const sources = new Map<string, Source>();
    this.#entries = files.map((file) => ({ file, left: true, failure: undefined }));
    files.forEach((file, index) => {
      for (const source of file.sources) {
        sources.set(source.peer, source);
        const own = this.#ofPeer.get(source.peer) ?? [];
        own.push(index);
        this.#ofPeer.set(source.peer, own);
      }
    });
    // Each peer from its own end of the list, or two would always want the same.
    [...this.#ofPeer.values()].forEach((own, number) => number % 2 === 0 ? own.reverse() : own);
    this.sources = [...sources.values()];
  }

  /** Whether there is a file that a peer may be asked for. */
  hasFor(peer: string): boolean {
    const own = this.#ofPeer.get(peer) ?? [];
    while (own.length > 0 && !this.#isFor(peer, own.at(-1))) own.pop();
    return own.length > 0;
  }

  /** The next file that a peer may be asked for. */
  take(peer: string): number | undefined {
    if (!this.hasFor(peer)) return undefined;
    const index = this.#ofPeer.get(peer)?.pop();
    const entry = index === undefined ? undefined : this.#entries[index];
    if (entry !== undefined) entry.left = false;
    return index;
  }

  #isFor(peer: string, index: number | undefined): boolean {
    return index !== undefined && this.#entries[index]?.left === true && !this.#refused.has(`${index} ${peer}`);
  }

  file(index: number): SmallFile {
    const entry = this.#entries[index];
    if (entry === undefined) throw new RangeError(`There is no file ${index}`);
    return entry.file;
  }

  /** Gives a file back that did not come; to others only, if this peer `refused` it. */
  giveBack(index: number, peer: string, failure: Failure, { refused }: { refused: boolean }): void {
    const entry = this.#entries[index];
    if (entry === undefined) return;
    entry.left = true;
    entry.failure = failure;
    if (refused) this.#refused.add(`${index} ${peer}`);
    for (const source of entry.file.sources) {
      if (!refused || source.peer !== peer) this.#ofPeer.get(source.peer)?.push(index);
    }
  }

  /** What nobody gave. */
  *rest(): Generator<{ file: SmallFile; failure: Failure | undefined }> {
    for (const { file, left, failure } of this.#entries) if (left) yield { file, failure };
  }
}

/** One connection to one peer, as long as there is something to ask it for. */
class SmallFilesWorker {
  readonly #source: Source;
  readonly #left: LeftFiles;
  readonly #options: SmallFilesOptions;
  readonly #given: Map<string, { peer: string; bytes: number; ms: number }>;
  readonly #buffer = new Uint8Array(PIECE_BYTES);
  /** What was asked for and is not answered, in order. */
  #asked: number[] = [];
  #tries = 0;

  constructor(
    source: Source,
    left: LeftFiles,
    options: SmallFilesOptions,
    given: Map<string, { peer: string; bytes: number; ms: number }>,
  ) {
    this.#source = source;
    this.#left = left;
    this.#options = options;
    this.#given = given;
  }

  async run(): Promise<void> {
    while (this.#tries < TRIES_MAX && this.#left.hasFor(this.#source.peer)) {
      try {
        using connection = await this.#connect();
        using _closing = connection.closeOn(this.#options.signal);
        await this.#fetchAll(connection);
      } catch (thrown) {
        this.#options.signal.throwIfAborted();
        const failure = Failure.from(thrown, "internal", "Cannot download");
        if (failedWith(failure, "internal", "disk-full", "no-access") && !failure.remote) throw failure;
        this.#giveBackAsked(failure);
        this.#tries += 1;
      }
    }
  }

  /** Gives back what is not answered when a connection fails. What is wrong with the answer itself is the fault of the file that is next. */
  #giveBackAsked(failure: Failure): void {
    const answered = failedWith(failure, "file-changed", "corrupt", "malformed");
    this.#asked.splice(0).forEach((index, place) => {
      this.#left.giveBack(index, this.#source.peer, failure, { refused: answered && place === 0 });
    });
  }

  #connect(): Promise<Connection> {
    return this.#options.connect(this.#source, this.#options.signal);
  }

  async #fetchAll(connection: Connection): Promise<void> {
    const { signal, now, compress = false, pace } = this.#options;
    let lastMs = now();
    const onNews = (event: string): void => {
      if (event === Asking.event) this.#options.onAsking?.(this.#source.peer);
    };
    for await (const reply of askAll(connection, Download, this.#questions(), { ahead: SMALL_AHEAD, onNews })) {
      signal.throwIfAborted();
      const [index = 0] = this.#asked;
      const file = this.#left.file(index);
      if (reply instanceof Failure) {
        this.#asked.shift();
        this.#left.giveBack(index, this.#source.peer, reply, { refused: true });
        continue;
      }
      const bytes = this.#buffer.subarray(0, file.size);
      const packed = packedBytesOf(reply, { size: file.size, bytes: file.size, compress });
      await readPart(bytes, packed, { connection, pace });
      const digest = file.size === 0 ? new Uint8Array(0) : digestOf(bytes);
      const root = file.root ?? await this.#rootOf(file);
      this.#asked.shift();
      if (rootOf(digest) !== root) {
        const failure = new Failure("corrupt", `"${file.name}" does not match its root (sent by ${this.#source.peer})`);
        this.#left.giveBack(index, this.#source.peer, failure, { refused: true });
        continue;
      }
      this.#options.onFile({ ...file, root }, bytes, digest);
      this.#tries = 0;
      this.#note(file.size, now() - lastMs);
      lastMs = now();
    }
  }

  *#questions(): Generator<DataOf<typeof Download>> {
    const compress = this.#options.compress === true;
    const { peer } = this.#source;
    for (let index = this.#left.take(peer); index !== undefined; index = this.#left.take(peer)) {
      const file = this.#left.file(index);
      this.#asked.push(index);
      const what = file.root === undefined ? { name: this.#nameOf(file) } : { root: file.root };
      const packed = compress && file.size > 0 && mayShrink(file.name) ? { compression: "gzip" as const } : {};
      yield { ...what, start: 0, end: file.size, ...packed };
    }
  }

  /** What this peer calls the file. */
  #nameOf(file: SmallFile): string {
    return file.sources.find(({ peer }) => peer === this.#source.peer)?.name ?? file.name;
  }

  /** Asks for the root of a file that was not hashed when it was listed. */
  async #rootOf(file: SmallFile): Promise<string> {
    using connection = await this.#connect();
    const { data, bodyBytes } = await ask(connection, Pieces, { name: this.#nameOf(file), from: 0, limit: 1 });
    if (bodyBytes <= DIGEST_BYTES && data.root !== undefined && data.size === file.size) return data.root;
    throw new Failure("file-changed", `"${file.name}" has changed since it was listed`);
  }

  #note(bytes: number, ms: number): void {
    const { peer } = this.#source;
    const given = this.#given.get(peer) ?? { peer, bytes: 0, ms: 0 };
    this.#given.set(peer, { peer, bytes: given.bytes + bytes, ms: given.ms + ms });
  }
}
