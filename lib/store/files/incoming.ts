/**
 * Tidies what an earlier run left in `.recess/incoming` and nobody will ask for again. Called when
 * a peer starts, with the folder locked.
 * @module
 */

import { UNFINISHED_KEPT_MS, UNFINISHED_KEPT_STARTS } from "../../core/limits.ts";
import type { Folder } from "./folder.ts";
import { isPlaced, SMALL_ENDING } from "./place.ts";

/** How an unfinished file was found at the last start. */
interface Found {
  /** When it was last written, in milliseconds since 1970. */
  readonly modified: number;
  /** How many starts in a row have found it unchanged. */
  readonly starts: number;
}

/** The unfinished files of the last start, by name. */
export type FoundIncoming = Readonly<Record<string, Found>>;

/**
 * Removes small files that a killed run left, files that have been placed already, and unfinished
 * files that no download has continued: neither for many starts nor for a month. A clock that is
 * wrong at one start removes nothing. What cannot be removed stays.
 *
 * @param before What this function returned at the last start.
 * @returns What is there now.
 */
export async function tidyIncoming(folder: Folder, nowMs: number, before: FoundIncoming): Promise<FoundIncoming> {
  const incoming = folder.statePath("incoming");
  const now: Record<string, Found> = {};
  for await (const { name, isFile } of Deno.readDir(incoming)) {
    if (!isFile) continue;
    const path = `${incoming}/${name}`;
    const info = await Deno.lstat(path);
    const modified = info.mtime?.getTime() ?? nowMs;
    const last = before[name];
    const found = { modified, starts: last?.modified === modified ? last.starts + 1 : 1 };
    const isUnused = found.starts > UNFINISHED_KEPT_STARTS && nowMs - modified > UNFINISHED_KEPT_MS;
    if (name.endsWith(SMALL_ENDING) || isPlaced(info) || isUnused) await Deno.remove(path).catch(() => {});
    else now[name] = found;
  }
  return now;
}

/**
 * Reads what {@linkcode tidyIncoming} returned, as it was stored. What cannot be read counts as
 * nothing.
 */
export function parseFound(text: string | undefined): FoundIncoming {
  try {
    const parsed: unknown = JSON.parse(text ?? "{}");
    const entries = Object.entries(parsed as Record<string, unknown>).filter(([, each]) => isFound(each));
    return Object.fromEntries(entries) as FoundIncoming;
  } catch {
    return {};
  }
}

function isFound(value: unknown): value is Found {
  const { modified, starts } = (value ?? {}) as Partial<Found>;
  return typeof modified === "number" && typeof starts === "number";
}
