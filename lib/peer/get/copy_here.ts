/**
 * Finds a content that is on this machine already, at its place or elsewhere, and copies it to its
 * place. Called by fetch_file.ts, fetch_folder.ts and folder_plan.ts.
 * @module
 */

import { join } from "node:path";
import type { CopiesAt, CopyAt } from "../../store/files/copies_at.ts";
import { placeAnywhere, SMALL_ENDING } from "../../store/files/place.ts";
import { keepTraits } from "../../store/files/traits.ts";
import { copyVerified, isContentAt } from "../../store/files/verified_copy.ts";
import type { Content } from "../../transfer/content/content.ts";
import type { Fetched, FetchParts, FileWatch, Place } from "./fetching.ts";

/**
 * The copy of a content at the place of a name, if there is one. A file there that has not been
 * hashed is read.
 */
export async function copyAt(
  { root, size }: Content,
  copies: CopiesAt,
  name: string,
  parts: FetchParts,
): Promise<CopyAt | undefined> {
  if (root === undefined) return undefined;
  for (const copy of copies.of(name, size)) {
    const known = knownRoot(copy, parts);
    if (known === undefined ? await isContentAt(copy.path, { root, size }) : known === root) return copy;
  }
  return undefined;
}

/** The root of a file of the shared folder, if its present version has been hashed. */
export function knownRoot(
  { name, path, size, modified, changed }: CopyAt,
  { share, folder }: FetchParts,
): string | undefined {
  if (path !== folder.pathOf(name)) return undefined;
  const file = share.files.get(name);
  return file?.size === size && file.modified === modified && file.changed === changed ? file.root : undefined;
}

/**
 * Puts a content in its place from a copy on this machine, and verifies its bytes.
 *
 * @returns Undefined when no copy still has the content.
 * @throws {Failure} When the copy cannot be put in its place.
 */
export async function copyTo(
  { root, size }: Content,
  place: Place,
  parts: FetchParts,
  watch: Omit<FileWatch, "onBegun">,
): Promise<Fetched | undefined> {
  if (root === undefined) return undefined;
  for (const from of parts.local.open(root)) {
    using _from = from;
    const beside = join(parts.folder.incomingPath(place.root), `.${crypto.randomUUID()}${SMALL_ENDING}`);
    const digests = await copyVerified(from, { root, size }, beside, {
      onPiece(done) {
        watch.signal.throwIfAborted();
        watch.onProgress({ state: "checking", done, sources: [], retries: 0 });
      },
    });
    if (digests === undefined) continue;
    watch.onFinishing();
    keepTraits(beside, from);
    const placed = await placeOrRemove(beside, place.root ?? parts.folder.path, place.name);
    await placedAs(placed, place, { root, digests }, parts);
    const path = join(place.root ?? parts.folder.path, placed);
    return { path, root, size, files: 1, alreadyHere: false, sources: [], firstMs: undefined, failed: [] };
  }
  return undefined;
}

/** Moves a copy to its place, and removes it when that fails. */
async function placeOrRemove(beside: string, root: string, name: string): Promise<string> {
  try {
    return await placeAnywhere(beside, root, name);
  } catch (thrown) {
    await Deno.remove(beside).catch(() => {});
    throw thrown;
  }
}

/**
 * Shares a file that was placed in the shared folder, or remembers the place of one that was placed
 * elsewhere.
 */
export async function placedAs(
  placed: string,
  place: Place,
  { root, digests }: { readonly root: string; readonly digests: Uint8Array },
  { folder, share, local }: FetchParts,
): Promise<void> {
  if (place.root !== undefined) return local.note(root, join(place.root, placed));
  const info = await Deno.stat(folder.pathOf(placed));
  share.adopt({ name: placed, size: info.size, modified: info.mtime?.getTime() ?? 0, root }, digests);
}
