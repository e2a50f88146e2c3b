/**
 * Fetches one file into its place: the folder, a path the person chose, or a stream. Called by
 * transfer.ts and fetch_folder.ts.
 * @module
 */

import { basename, dirname, join, resolve } from "node:path";
import { failedWith, Failure } from "../../core/failure.ts";
import { printable } from "../../core/printable.ts";
import { CopiesAt, isNamedLike } from "../../store/files/copies_at.ts";
import { checkPlace } from "../../store/files/place.ts";
import { receivedName } from "../../store/files/received_name.ts";
import { UnfinishedFile } from "../../store/files/unfinished_file.ts";
import { isContentAt } from "../../store/files/verified_copy.ts";
import { fileSink, streamSink } from "../../transfer/pieces/sink.ts";
import type { Downloaded } from "../../transfer/content/watch.ts";
import { classroomHolders, type WantedFile } from "../find/wanted.ts";
import { copyAt, copyTo, placedAs } from "./copy_here.ts";
import { fetchInDialect } from "./dialect_fetch.ts";
import type { Destination, Fetched, FetchParts, FetchWatch, FileWatch, Place } from "./fetching.ts";
import { isFolderPath, outputFolder } from "./output_folder.ts";

/**
 * Fetches a file, unless its content is at its place already.
 *
 * @throws {Failure} As {@linkcode fetchTo} does; "usage" and "bad-name" before anything is fetched,
 * when nothing can be put at the place.
 */
export async function fetchFile(
  listed: WantedFile,
  destination: Destination,
  parts: FetchParts,
  watch: FetchWatch,
): Promise<Fetched> {
  const wanted = await parts.finder.settled(listed);
  watch.onListed(wanted.size);
  const classmates = classroomHolders(wanted);
  if (destination.kind === "stream") {
    if (classmates.length > 0) {
      throw new Failure("refused", "Cannot stream a file that cannot be verified", {
        hint: "download it into a file",
      });
    }
    const downloaded = await parts.downloads.download(wanted, streamSink(destination.stream), watch);
    return resultOf(wanted, undefined, downloaded);
  }
  const place = destination.kind === "path"
    ? await placeOf(destination.path, wanted.name)
    : { name: receivedName(wanted.name) };
  const here = destination.kind === "folder" ? await namedAlikeInFolder(wanted, place, parts, watch) : undefined;
  if (here !== undefined) return hereAlready(wanted, here);
  if (classmates.length === 0) return await fetchTo(wanted, place, parts, watch);
  using _turn = await parts.turns.take(wanted, watch.signal);
  return await fetchInDialect(wanted, classmates, place, parts, watch);
}

/**
 * Puts a file in its place: as it lies there already, from another copy on this machine, or from
 * other peers.
 *
 * @throws {Failure} As a download does, and when the file cannot be put in its place.
 */
export async function fetchTo(
  wanted: WantedFile,
  place: Place,
  parts: FetchParts,
  watch: FileWatch,
): Promise<Fetched> {
  using _turn = await takeTurn(wanted, parts, watch);
  const here = await fromThisMachine(wanted, place, parts, watch);
  if (here !== undefined) return here;
  watch.onBegun(wanted);
  using unfinished = await UnfinishedFile.open(parts.folder, wanted, place.root);
  try {
    const downloaded = await parts.downloads.download(wanted, fileSink(unfinished), watch);
    watch.onFinishing();
    return await putInPlace(unfinished, { wanted, place, downloaded }, parts);
  } catch (thrown) {
    // All peers that are here have another version by now: this one will never be complete.
    if (failedWith(thrown, "file-changed")) await unfinished.discard();
    throw thrown;
  }
}

/** Waits until no other transfer fetches this content. Then it is here, and need only be copied. */
async function takeTurn(wanted: WantedFile, parts: FetchParts, watch: FileWatch): Promise<Disposable> {
  const free = parts.turns.takeIfFree(wanted);
  if (free !== undefined) return free;
  watch.onProgress({ state: "queued", done: 0, sources: [], retries: 0 });
  return await parts.turns.take(wanted, watch.signal);
}

/** Puts a file in its place without other peers; undefined when this machine has no copy. */
async function fromThisMachine(
  wanted: WantedFile,
  place: Place,
  parts: FetchParts,
  watch: FileWatch,
): Promise<Fetched | undefined> {
  const root = place.root ?? parts.folder.path;
  const here = await copyAt(wanted, new CopiesAt(root), place.name, parts);
  if (here === undefined) checkPlace(root, place.name);
  const done = here === undefined ? await copyTo(wanted, place, parts, watch) : hereAlready(wanted, here.path);
  if (done !== undefined) await UnfinishedFile.discard(parts.folder, wanted);
  return done;
}

/** Moves a file that has arrived whole to its place. */
async function putInPlace(
  unfinished: UnfinishedFile,
  { wanted, place, downloaded }: {
    readonly wanted: WantedFile;
    readonly place: Place;
    readonly downloaded: Downloaded;
  },
  parts: FetchParts,
): Promise<Fetched> {
  const root = place.root ?? parts.folder.path;
  if (wanted.root === undefined) {
    // Its owner had not hashed it, so it was not known before that it is here.
    const here = await copyAt({ ...wanted, root: downloaded.root }, new CopiesAt(root), place.name, parts);
    if (here !== undefined) {
      await unfinished.discard();
      return { ...resultOf(wanted, here.path, downloaded), alreadyHere: true };
    }
  }
  const placed = await unfinished.finish(root, place.name, wanted.size, downloaded.traits);
  await placedAs(placed, place, downloaded, parts);
  return resultOf(wanted, join(root, placed), downloaded);
}

/**
 * The path of a shared file that has the content under the same name, in whatever folder. All of it
 * is read, because a disk may change bytes without a change of size or time. A file that turns out
 * to have another content is hashed again.
 */
async function namedAlikeInFolder(
  { root, size }: WantedFile,
  { name }: Place,
  { local, share }: FetchParts,
  { signal, onProgress }: FetchWatch,
): Promise<string | undefined> {
  if (root === undefined) return undefined;
  const alike = local.shared(root).filter((file) => isNamedLike(file.name, name)).toArray();
  for (const file of alike.sort((a, b) => Number(b.name === name) - Number(a.name === name))) {
    const path = share.pathOf(file);
    const onPiece = (done: number): void => {
      signal.throwIfAborted();
      onProgress({ state: "checking", done, sources: [], retries: 0 });
    };
    if (await isContentAt(path, { root, size }, { onPiece })) return path;
    signal.throwIfAborted();
    share.distrust(file);
  }
  return undefined;
}

function hereAlready({ root, size }: WantedFile, path: string): Fetched {
  return { path, root, size, files: 1, alreadyHere: true, sources: [], firstMs: undefined, failed: [] };
}

function resultOf({ size }: WantedFile, path: string | undefined, { root, sources, firstMs }: Downloaded): Fetched {
  return { path, root, size, files: 1, alreadyHere: false, sources, firstMs, failed: [] };
}

/**
 * The place that a person chose: a path, or the file's own name in a folder. A path that ends in a
 * separator is a folder, which is made when it is missing.
 *
 * @throws {Failure} "usage" when there is no such folder, so that the person knows it before the
 * download.
 */
async function placeOf(path: string, name: string): Promise<Place> {
  const folder = isFolderPath(path) ? await outputFolder(path) : await realFolder(path);
  if (folder !== undefined) return { root: folder, name: basename(receivedName(name)) };
  const parent = await realFolder(dirname(resolve(path)));
  if (parent !== undefined) return { root: parent, name: basename(path) };
  throw new Failure("usage", `Cannot write "${printable(path)}": there is no such folder`, {
    hint: "make the folder first, or end the path with a slash",
  });
}

/** The real path of a folder; undefined when there is none. */
async function realFolder(path: string): Promise<string | undefined> {
  const there = await Deno.stat(path).catch(() => undefined);
  return there?.isDirectory === true ? await Deno.realPath(path) : undefined;
}
