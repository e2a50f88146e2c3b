/**
 * Fetches everything below a folder and recreates the tree: small files many at a time, large ones one after the other. Called by transfer.ts.
 *
 * Every name is decided before the first byte is written. What is here already is not fetched again, so a folder that was interrupted goes on
 * where it stopped. One file that cannot be had does not stop the others.
 * @module
 */

import { resolve } from "@std/path";
import { failedWith, Failure } from "../core/failure.ts";
import { printable } from "../core/printable.ts";
import { placeBytes } from "../store/place.ts";
import { receivedName } from "../store/received_name.ts";
import type { Given } from "../transfer/download.ts";
import { downloadSmallFiles, isSmall } from "../transfer/small_files.ts";
import type { FolderFile, WantedFolder } from "./directory.ts";
import { fetchAnew } from "./fetch_file.ts";
import type { Destination, Fetched, FetchParts, FetchWatch } from "./fetching.ts";

/** A file of the folder, and the name under which it is written. */
interface Planned extends FolderFile {
  readonly stored: string;
}

/** Fetches a folder. Fails: "not-found", "bad-name" before anything is written; else with the first failure when nothing could be fetched. */
export async function fetchFolder(
  wanted: WantedFolder,
  destination: Destination,
  parts: FetchParts,
  watch: FetchWatch,
): Promise<Fetched> {
  if (destination.kind === "stream") {
    throw new Failure("usage", "Cannot write a folder to standard output", { hint: "name a single file" });
  }
  const startMs = parts.clock.now();
  const files = await parts.directory.folder(wanted);
  if (files.length === 0) throw new Failure("not-found", `Nobody who is here has a folder "${printable(wanted.name)}"`);
  const planned = files.map((file) => ({ ...file, stored: storedName(file, wanted, destination) }));
  const root = destination.kind === "folder" ? parts.folder.path : await outputFolder(destination.path);
  const missing = planned.filter((file) => !isHere(file, destination, parts));
  const tree = new Tree(root, planned, missing, { wanted, destination, parts, watch, startMs });
  await tree.fetch();
  return tree.result();
}

function storedName({ name }: FolderFile, wanted: WantedFolder, destination: Destination): string {
  return receivedName(destination.kind === "folder" ? name : name.slice(wanted.name.length));
}

/** Whether the very same is here under the very same name. */
function isHere({ stored, root }: Planned, { kind }: Destination, { share }: FetchParts): boolean {
  return kind === "folder" && root !== undefined && share.files.get(stored)?.root === root;
}

async function outputFolder(path: string): Promise<string> {
  try {
    await Deno.mkdir(path).catch((thrown) => {
      if (!(thrown instanceof Deno.errors.AlreadyExists)) throw thrown;
    });
    return await Deno.realPath(resolve(path));
  } catch (thrown) {
    throw Failure.from(thrown, "no-access", `Cannot write into "${printable(path)}"`);
  }
}

interface TreeContext {
  readonly wanted: WantedFolder;
  readonly destination: Destination;
  readonly parts: FetchParts;
  readonly watch: FetchWatch;
  readonly startMs: number;
}

/** A folder on its way. */
class Tree {
  readonly #root: string;
  readonly #files: readonly Planned[];
  readonly #missing: readonly Planned[];
  readonly #context: TreeContext;
  readonly #sources: Given[] = [];
  readonly #failed: { name: string; failure: Failure }[] = [];
  #done: number;
  #firstMs: number | undefined;

  constructor(root: string, files: readonly Planned[], missing: readonly Planned[], context: TreeContext) {
    this.#root = root;
    this.#files = files;
    this.#missing = missing;
    this.#context = context;
    const size = bytesOf(files);
    this.#done = size - bytesOf(missing);
    context.watch.onListed(size);
  }

  async fetch(): Promise<void> {
    const small = this.#missing.filter(isSmall);
    if (small.length > 0) await this.#fetchSmall(small);
    for (const file of this.#missing) if (!isSmall(file)) await this.#fetchLarge(file);
  }

  result(): Fetched {
    const { wanted } = this.#context;
    const [first] = this.#failed;
    if (first !== undefined && this.#failed.length === this.#missing.length) throw first.failure;
    return {
      path: this.#context.destination.kind === "folder" ? wanted.name : this.#root,
      size: bytesOf(this.#files),
      files: this.#files.length,
      alreadyHere: this.#missing.length === 0,
      sources: mergeGiven(this.#sources),
      firstMs: this.#firstMs,
      failed: this.#failed,
    };
  }

  async #fetchSmall(files: readonly Planned[]): Promise<void> {
    const { parts, watch } = this.#context;
    const byName = new Map(files.map((file) => [file.name, file]));
    const given = await downloadSmallFiles({
      ...parts,
      files,
      now: () => parts.clock.now(),
      signal: watch.signal,
      onFile: (file, bytes, digest) => {
        const planned = byName.get(file.name);
        if (planned === undefined) throw new RangeError(`Nobody asked for ${file.name}`);
        // What its owner had not hashed may turn out to be here.
        if (!isHere({ ...planned, root: file.root }, this.#context.destination, parts)) {
          this.#place(planned.stored, bytes, file.root, digest);
        }
        this.#firstMs ??= parts.clock.now() - this.#context.startMs;
        this.#done += file.size;
        this.#tell(file.sources.map(({ peer }) => peer));
      },
      onAsking: (peer) => this.#tell([peer], { isAsking: true }),
      onFailed: ({ name }, failure) => this.#failed.push({ name, failure }),
    });
    this.#sources.push(...given);
  }

  #place(stored: string, bytes: Uint8Array, root: string, digest: Uint8Array): void {
    const { destination, parts } = this.#context;
    // Elsewhere may be on another disk.
    const beside = destination.kind === "folder" ? parts.folder.incomingPath(undefined) : this.#root;
    const { name, modified } = placeBytes(bytes, beside, this.#root, stored);
    if (destination.kind === "folder") parts.share.adopt({ name, size: bytes.length, modified, root }, digest);
  }

  async #fetchLarge(file: Planned): Promise<void> {
    const { destination, parts, watch } = this.#context;
    const before = this.#done;
    const place = { name: file.stored, ...(destination.kind === "folder" ? {} : { root: this.#root }) };
    try {
      const fetched = await fetchAnew({ kind: "file", ...file, peers: file.refs, others: 0 }, place, parts, {
        ...watch,
        onProgress: (progress) => watch.onProgress({ ...progress, done: before + progress.done }),
        onFinishing: () => {},
      });
      this.#sources.push(...fetched.sources);
      this.#done = before + file.size;
    } catch (thrown) {
      watch.signal.throwIfAborted();
      const failure = Failure.from(thrown, "internal", `Cannot download "${file.name}"`);
      if (failedWith(failure, "disk-full", "no-access", "internal")) throw failure;
      this.#failed.push({ name: file.name, failure });
    }
  }

  #tell(sources: readonly string[], { isAsking = false } = {}): void {
    this.#context.watch.onProgress({ state: "running", done: this.#done, sources, retries: 0, isAsking });
  }
}

function bytesOf(files: readonly FolderFile[]): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}

/** What each source gave, over all files. */
function mergeGiven(all: readonly Given[]): Given[] {
  const byPeer = new Map<string, Given>();
  for (const { peer, bytes, ms } of all) {
    const before = byPeer.get(peer) ?? { bytes: 0, ms: 0 };
    byPeer.set(peer, { peer, bytes: before.bytes + bytes, ms: before.ms + ms });
  }
  return [...byPeer.values()];
}
