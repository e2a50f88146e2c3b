/**
 * Decides which files of a folder have to be fetched, which are at their places, and which cannot
 * be stored here. Called by fetch_folder.ts.
 * @module
 */

import { nextTurn, turnMs } from "../../core/flow/clock.ts";
import { Failure } from "../../core/failure.ts";
import { CopiesAt } from "../../store/files/copies_at.ts";
import { checkPlace } from "../../store/files/place.ts";
import { receivedName } from "../../store/files/received_name.ts";
import type { Source } from "../../transfer/content/source.ts";
import { copyAt } from "./copy_here.ts";
import type { FolderFile } from "../find/wanted.ts";
import type { FailedFile, FetchParts } from "./fetching.ts";

/** Files that are looked up on the disk between two looks at the clock. */
const SLICE_FILES = 100;
/** A turn of the event loop that has lasted longer is ended: others wait. */
const TURN_MS_MAX = 25;

/** A file of the folder, and the name under which it is written. */
export interface PlannedFile extends FolderFile {
  readonly stored: string;
}

/** What is to be done about a folder. */
export interface FolderPlan {
  /** All files that can be stored. Files that have the same copy here count as one. */
  readonly files: readonly PlannedFile[];
  /** How many files there are, including those that cannot be stored. */
  readonly count: number;
  /** The files that are not at their places. */
  readonly missing: readonly PlannedFile[];
  /** The files that cannot be put in their places. */
  readonly failed: readonly FailedFile[];
}

/** Where the files go. */
interface PlanOptions {
  /** The real path of the folder below which they are written. */
  readonly root: string;
  /** How much is cut off the beginning of each name, in UTF-16 units. */
  readonly cut: number;
  readonly signal: AbortSignal;
}

/**
 * Plans a folder. A file that is at its place under a numbered name, because another file has its
 * name, is not missing. When this peer shares such a copy, the index also finds it below the
 * folder, as one more name. It still counts as one file.
 */
export async function planFolder(
  all: readonly FolderFile[],
  { root, cut, signal }: PlanOptions,
  parts: FetchParts,
): Promise<FolderPlan> {
  const failed: FailedFile[] = [];
  const byPlace = new Map<string, PlannedFile>();
  for (const file of all) {
    const stored = attempt(() => receivedName(file.name.slice(cut)));
    if (stored instanceof Failure) failed.push({ name: file.name, failure: stored });
    else addPlanned(byPlace, { ...file, stored });
  }
  const files: PlannedFile[] = [];
  const unstorable = failed.length;
  const missing: PlannedFile[] = [];
  const here = new Set<string>();
  const copies = new CopiesAt(root);
  const checked = new CheckedPlaces(root);
  for (const [index, file] of [...byPlace.values()].entries()) {
    if (index % SLICE_FILES === 0 && turnMs() > TURN_MS_MAX) await nextTurn();
    signal.throwIfAborted();
    const copy = copies.hasAny(file.stored) ? await copyAt(file, copies, file.stored, parts) : undefined;
    if (copy === undefined || !here.has(copy.name)) files.push(file);
    if (copy !== undefined) {
      here.add(copy.name);
      continue;
    }
    const refused = file.sources.length === 0
      ? new Failure("refused", "only a classroom client has it, which cannot verify it", {
        hint: "download it alone, by its name",
      })
      : attempt(() => checked.check(file.stored));
    if (refused instanceof Failure) failed.push({ name: file.name, failure: refused });
    else missing.push(file);
  }
  return { files, count: files.length + unstorable, missing, failed };
}

/**
 * Checks whether names can be placed, once for all files of a folder: to look for a missing file
 * takes long.
 */
class CheckedPlaces {
  readonly #root: string;
  readonly #good = new Set<string>();

  constructor(root: string) {
    this.#root = root;
  }

  /**
   * Checks one name.
   *
   * @throws {Failure} As `checkPlace` does.
   */
  check(stored: string): void {
    const folder = stored.slice(0, stored.lastIndexOf("/") + 1);
    if (this.#good.has(folder)) return;
    checkPlace(this.#root, stored);
    this.#good.add(folder);
  }
}

/**
 * Different names may be stored under the same name. With the same content they are one file, which
 * more peers have.
 */
function addPlanned(byPlace: Map<string, PlannedFile>, file: PlannedFile): void {
  const { stored, root, name } = file;
  // A name that can be stored has no NUL.
  const key = `${stored}\0${root ?? name}`;
  const same = byPlace.get(key);
  byPlace.set(key, same === undefined ? file : { ...same, ...mergedHolders([same, file]) });
}

/** The holders of several files with the same content. */
export function mergedHolders(files: readonly FolderFile[]): Pick<FolderFile, "sources" | "peers"> {
  const sources = new Map<string, Source>();
  const peers = new Map<string, FolderFile["peers"][number]>();
  for (const file of files) {
    for (const source of file.sources) if (!sources.has(source.peer)) sources.set(source.peer, source);
    for (const peer of file.peers) if (!peers.has(peer.name)) peers.set(peer.name, peer);
  }
  return { sources: [...sources.values()], peers: [...peers.values()] };
}

/**
 * The peers that give different files to one folder, those with the most files first. Empty when
 * one of them has every file.
 *
 * When not all holders of a file are known, it counts as a file that every peer has. The first
 * holder of a file has it in this folder; others may have the same content elsewhere.
 */
export function mixedFrom(files: readonly Pick<FolderFile, "peers" | "moreHolders">[]): string[] {
  const known = files.filter(({ moreHolders }) => !moreHolders);
  const counts = countOf(known.flatMap(({ peers }) => peers));
  if (counts.values().some((count) => count === known.length)) return [];
  const owners = countOf(known.flatMap(({ peers }) => peers.slice(0, 1)));
  if (owners.size < 2) return [];
  return [...owners].toSorted((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([name]) => name);
}

function countOf(peers: readonly { readonly name: string }[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { name } of peers) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

function attempt<T>(work: () => T): T | Failure {
  try {
    return work();
  } catch (thrown) {
    if (thrown instanceof Failure) return thrown;
    throw thrown;
  }
}
