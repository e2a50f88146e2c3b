/**
 * Fetches one file into its place: the folder, a path the person chose, or a stream. Called by transfer.ts.
 * @module
 */

import { basename, dirname, join, resolve } from "@std/path";
import { failedWith, Failure } from "../core/failure.ts";
import { printable } from "../core/printable.ts";
import { receivedName } from "../store/received_name.ts";
import { UnfinishedFile } from "../store/unfinished_file.ts";
import { download, type Downloaded } from "../transfer/download.ts";
import { fileSink, type Sink, streamSink } from "../transfer/sink.ts";
import { classroomHolders, fetchInDialect } from "./dialect_fetch.ts";
import type { WantedFile } from "./directory.ts";
import type { Destination, Fetched, FetchParts, FetchWatch } from "./fetching.ts";

/** Fetches a file, unless its content is in the folder under any name. Fails: as {@linkcode fetchAnew} does. */
export async function fetchFile(
  wanted: WantedFile,
  destination: Destination,
  parts: FetchParts,
  watch: FetchWatch,
): Promise<Fetched> {
  const classmates = classroomHolders(wanted);
  if (destination.kind === "stream") {
    if (classmates.length > 0) {
      throw new Failure("refused", "Cannot stream what nobody can verify", { hint: "get it into a file" });
    }
    const downloaded = await downloadInto(streamSink(destination.stream), wanted, parts, watch, undefined);
    return resultOf(wanted, undefined, downloaded);
  }
  // Decided before the first byte, so that a name that cannot be stored is not found out at the end.
  const place = destination.kind === "path"
    ? await placeOf(destination.path, wanted.name)
    : { name: receivedName(wanted.name) };
  if (classmates.length > 0) return await fetchInDialect(wanted, classmates, place, parts, watch);
  const here = destination.kind === "folder" ? alreadyHere(wanted, parts) : undefined;
  return here ?? await fetchAnew(wanted, place, parts, watch);
}

/** Where a file is put: a name that `receivedName` gave, below a folder the person chose (its real path), or else below the one we share. */
export interface Place {
  readonly name: string;
  readonly root?: string;
}

/** Fetches a file. Fails: as `download` does, and when the file cannot be put in its place. */
export async function fetchAnew(
  wanted: WantedFile,
  { name, root }: Place,
  parts: FetchParts,
  watch: FetchWatch,
): Promise<Fetched> {
  watch.onBegun(wanted);
  using unfinished = await UnfinishedFile.open(parts.folder, wanted, root);
  try {
    const downloaded = await downloadInto(fileSink(unfinished), wanted, parts, watch, unfinished);
    watch.onFinishing();
    if (root !== undefined) {
      const placed = await unfinished.finishAt(root, name, wanted.size);
      return resultOf(wanted, join(root, placed), downloaded);
    }
    if (parts.share.files.get(name)?.root === downloaded.root) {
      // Its owner had not hashed it, so nobody could know before.
      await unfinished.discard();
      return { ...resultOf(wanted, name, downloaded), alreadyHere: true };
    }
    const placed = await unfinished.finish(parts.folder, name, wanted.size);
    await adopt(placed, downloaded, parts);
    return resultOf(wanted, placed, downloaded);
  } catch (thrown) {
    // All who are here have another version by now: this one will never be complete.
    if (failedWith(thrown, "file-changed")) await unfinished.discard();
    throw thrown;
  }
}

/** A content that is in the folder is not fetched again. */
function alreadyHere({ root, size }: WantedFile, { share }: FetchParts): Fetched | undefined {
  const own = root === undefined ? undefined : share.files.byRoot(root);
  if (own === undefined || root === undefined) return undefined;
  try {
    // Looked at once more: the list may be a moment behind the disk.
    share.open(own)[Symbol.dispose]();
  } catch {
    return undefined;
  }
  return { path: own.name, root, size, files: 1, alreadyHere: true, sources: [], firstMs: undefined, failed: [] };
}

async function downloadInto(
  sink: Sink,
  wanted: WantedFile,
  parts: FetchParts,
  watch: FetchWatch,
  unfinished: UnfinishedFile | undefined,
): Promise<Downloaded> {
  const { directory, partials, announce, ...rest } = parts;
  let offered: string | undefined;
  try {
    return await download({
      ...rest,
      content: wanted,
      sink,
      sources: (root) => directory.sources(root === undefined ? wanted : { ...wanted, root }),
      onProgress: (progress) => watch.onProgress(progress),
      onBadSource: (peer, failure) => parts.onBadSource(peer, wanted.name, failure),
      onPartial(partial) {
        if (unfinished === undefined) return;
        offered = partial.root;
        partials.add({ ...partial, open: () => unfinished.openForReading(partial.size) });
        announce(partial, true);
      },
      signal: watch.signal,
    });
  } finally {
    const partial = offered === undefined ? undefined : partials.get(offered);
    if (partial !== undefined) {
      partials.remove(partial.root);
      announce(partial, false);
    }
  }
}

/** Takes the finished file up into what this peer shares. */
async function adopt(name: string, { root, digests }: Downloaded, { folder, share }: FetchParts): Promise<void> {
  const info = await Deno.stat(folder.pathOf(name));
  share.adopt({ name, size: info.size, modified: info.mtime?.getTime() ?? 0, root }, digests);
}

function resultOf({ size }: WantedFile, path: string | undefined, { root, sources, firstMs }: Downloaded): Fetched {
  return { path, root, size, files: 1, alreadyHere: false, sources, firstMs, failed: [] };
}

/**
 * The path a person chose; in a folder, if that is what is there, under the file's own name. Fails: "usage" when it could not be written, which
 * is better known before the download than after.
 */
async function placeOf(path: string, name: string): Promise<Place> {
  const folder = await realFolder(path);
  if (folder !== undefined) return { root: folder, name: basename(receivedName(name)) };
  const parent = await realFolder(dirname(resolve(path)));
  if (parent !== undefined) return { root: parent, name: basename(path) };
  throw new Failure("usage", `Cannot write "${printable(path)}": there is no such folder`, {
    hint: "make the folder first",
  });
}

/** The real path of a folder; undefined when there is none. */
async function realFolder(path: string): Promise<string | undefined> {
  const there = await Deno.stat(path).catch(() => undefined);
  return there?.isDirectory === true ? await Deno.realPath(path) : undefined;
}
