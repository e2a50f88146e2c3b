/**
 * One download, from the wish to the file in its place: where the bytes go, how it is going, how it ended. Made by transfers.ts.
 * @module
 */

import { basename, dirname, join, resolve } from "@std/path";
import type { Clock } from "../core/clock.ts";
import { failedWith, Failure } from "../core/failure.ts";
import { Meter } from "../core/meter.ts";
import { printable } from "../core/printable.ts";
import type { Random } from "../core/random.ts";
import type { Dial } from "../net/dial.ts";
import type { Folder } from "../store/folder.ts";
import { receivedName } from "../store/received_name.ts";
import type { Share } from "../store/share.ts";
import { UnfinishedFile } from "../store/unfinished_file.ts";
import { download, type Downloaded, type DownloadProgress } from "../transfer/download.ts";
import { fileSink, streamSink } from "../transfer/sink.ts";
import type { Directory, Wanted } from "./directory.ts";

/** Where a download goes: into the folder, to a path the person chose, or into a stream. */
export type Destination =
  | { readonly kind: "folder" }
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "stream"; readonly stream: { write(bytes: Uint8Array): Promise<number> } };

/** How a transfer stands. */
export interface TransferView {
  readonly id: number;
  readonly name: string;
  readonly size: number;
  readonly state: "queued" | DownloadProgress["state"] | "finishing" | "done" | "failed" | "cancelled";
  /** Bytes that are here and verified, or while checking, looked at. */
  readonly done: number;
  readonly bytesPerSecond: number;
  /** Time left at this speed; undefined when nothing can be said. */
  readonly leftMs: number | undefined;
  readonly source: string | undefined;
  readonly failure: Failure | undefined;
}

/** How a transfer ended well. */
export interface TransferResult {
  /** The name in the folder or the path it has now; undefined for a stream. */
  readonly path: string | undefined;
  readonly root: string;
  readonly size: number;
  /** Whether it was here before, so that nothing had to be fetched. */
  readonly alreadyHere: boolean;
  readonly fetched: ReadonlyMap<string, number>;
  readonly tookMs: number;
  /** Time from the request to the first verified bytes; undefined when nothing had to be fetched. */
  readonly firstMs: number | undefined;
}

/** What every transfer of a peer needs. */
export interface TransferParts {
  readonly folder: Folder;
  readonly share: Share;
  readonly directory: Directory;
  readonly dial: Dial;
  readonly clock: Clock;
  readonly random: Random;
}

/** One download. */
export class Transfer {
  readonly id: number;
  readonly wanted: Wanted;
  readonly destination: Destination;
  readonly #parts: TransferParts;
  readonly #cancelling = new AbortController();
  readonly #meter = new Meter();
  readonly #startMs: number;
  #progress: DownloadProgress = { state: "connecting", done: 0 };
  #state: TransferView["state"] = "queued";
  #failure: Failure | undefined;
  #discard = false;

  constructor(id: number, wanted: Wanted, destination: Destination, parts: TransferParts) {
    this.id = id;
    this.wanted = wanted;
    this.destination = destination;
    this.#parts = parts;
    this.#startMs = parts.clock.now();
  }

  /** Whether it has ended, well or badly. */
  get ended(): boolean {
    return this.#state === "done" || this.#state === "failed" || this.#state === "cancelled";
  }

  /** How it stands now. */
  view(): TransferView {
    const { name, size } = this.wanted;
    const running = this.#state === "running";
    const bytesPerSecond = running ? this.#meter.bytesPerSecond(this.#parts.clock.now()) : 0;
    const done = this.#state === "done" ? size : this.#progress.done;
    return {
      id: this.id,
      name,
      size,
      state: this.#state,
      done,
      bytesPerSecond,
      leftMs: bytesPerSecond > 0 ? (size - done) / bytesPerSecond * 1000 : undefined,
      source: this.#progress.source,
      failure: this.#failure,
    };
  }

  /** Stops it. With `discard`, what has arrived is thrown away; else the next attempt goes on from there. */
  cancel(options: { discard: boolean }): void {
    this.#discard = options.discard;
    this.#cancelling.abort(new Failure("cancelled", `The download of "${this.wanted.name}" was cancelled`));
  }

  /** Runs it. Fails: as `download` does, and when the file cannot be put in its place. */
  async run(): Promise<TransferResult> {
    try {
      this.#cancelling.signal.throwIfAborted();
      const result = await this.#alreadyHere() ?? await this.#fetch();
      this.#state = "done";
      return result;
    } catch (thrown) {
      const failure = this.#withHint(Failure.from(thrown, "internal", `Cannot download "${this.wanted.name}"`));
      this.#state = failedWith(failure, "cancelled") ? "cancelled" : "failed";
      this.#failure = failure;
      throw failure;
    }
  }

  /** Where something was kept, what to do is to try again. */
  #withHint(failure: Failure): Failure {
    const kept = this.#progress.done > 0 && this.destination.kind !== "stream" && failure.retry;
    if (!kept || failedWith(failure, "file-changed", "disk-full")) return failure;
    const hint = "what has arrived is kept: get it again, and it goes on where it stopped";
    return new Failure(failure.code, failure.message, { cause: failure, hint });
  }

  /** A content that is in the folder is not fetched again; at most it is wanted in another place. */
  async #alreadyHere(): Promise<TransferResult | undefined> {
    const { share } = this.#parts;
    const { root, size } = this.wanted;
    const own = root === undefined ? undefined : share.files.byRoot(root);
    if (own === undefined || root === undefined || this.destination.kind !== "folder") return undefined;
    // Looked at once more: the list may be a moment behind the disk.
    const open = await share.open(own).catch(() => undefined);
    if (open === undefined) return undefined;
    open[Symbol.dispose]();
    return { path: own.name, root, size, alreadyHere: true, fetched: new Map(), tookMs: 0, firstMs: undefined };
  }

  async #fetch(): Promise<TransferResult> {
    const { folder } = this.#parts;
    const { destination, wanted } = this;
    if (destination.kind === "stream") {
      return this.#result(undefined, await this.#download(streamSink(destination.stream)));
    }
    // Decided before the first byte, so that a name that cannot be stored is not found out at the end.
    const name = destination.kind === "folder" ? receivedName(wanted.name) : "";
    const path = destination.kind === "path" ? await outputPath(destination.path, wanted.name) : "";
    using unfinished = await UnfinishedFile.open(folder, wanted);
    try {
      const downloaded = await this.#download(fileSink(unfinished));
      this.#state = "finishing";
      const placed = destination.kind === "folder"
        ? await this.#adopt(await unfinished.finish(folder, name, wanted.size), downloaded)
        : await unfinished.finishAt(path, wanted.size);
      return this.#result(placed, downloaded);
    } catch (thrown) {
      // What is known by name only and has changed will never be complete.
      const useless = this.#discard || (wanted.root === undefined && failedWith(thrown, "file-changed"));
      if (useless) await unfinished.discard();
      throw thrown;
    }
  }

  #download(sink: Parameters<typeof download>[0]["sink"]): Promise<Downloaded> {
    const { directory, dial, clock, random } = this.#parts;
    return download({
      content: this.wanted,
      sink,
      sources: () => directory.sources(this.wanted),
      onProgress: (progress) => this.#tell(progress),
      signal: this.#cancelling.signal,
      dial,
      clock,
      random,
    });
  }

  /** Takes the finished file up into what this peer shares. */
  async #adopt(name: string, { root, digests }: Downloaded): Promise<string> {
    const { folder, share } = this.#parts;
    const info = await Deno.stat(folder.pathOf(name));
    share.adopt({ name, size: info.size, modified: info.mtime?.getTime() ?? 0, root }, digests);
    return name;
  }

  #tell(progress: DownloadProgress): void {
    const { source = this.#progress.source } = progress;
    this.#progress = { ...progress, ...(source === undefined ? {} : { source }) };
    this.#state = progress.state;
    if (progress.state === "running") this.#meter.note(progress.done, this.#parts.clock.now());
  }

  #result(path: string | undefined, { root, fetched, firstMs }: Downloaded): TransferResult {
    const tookMs = this.#parts.clock.now() - this.#startMs;
    return { path, root, size: this.wanted.size, alreadyHere: false, fetched, tookMs, firstMs };
  }
}

/**
 * The path a person chose; in a folder, if that is what is there, under the file's own name. Fails: "usage" when it could not be written, which
 * is better known before the download than after.
 */
async function outputPath(path: string, name: string): Promise<string> {
  const there = await Deno.stat(path).catch(() => undefined);
  if (there?.isDirectory === true) return join(path, basename(receivedName(name)));
  const parent = await Deno.stat(dirname(resolve(path))).catch(() => undefined);
  if (parent?.isDirectory === true) return resolve(path);
  throw new Failure("usage", `Cannot write "${printable(path)}": there is no such folder`, {
    hint: "make the folder first",
  });
}
