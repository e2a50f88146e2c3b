/**
 * What sources do wrong, in words that help the person who waits for a download. Called by running_download.ts.
 * @module
 */

import { failedWith, Failure } from "../core/failure.ts";
import type { Content } from "./download.ts";
import type { Lane } from "./lane.ts";
import type { SourcePool } from "./source_pool.ts";

/** Names that a message lists; more are counted. */
const NAMES_MAX = 3;

/** The failure of one source, with its cause where that can be found out. */
export async function explained(
  failure: Failure,
  lane: Lane,
  { content, root }: { readonly content: Content; readonly root: string | undefined },
): Promise<Failure> {
  const { peer } = lane.source;
  const changed = (cause: Failure): Failure => {
    return new Failure("file-changed", `"${content.name}" has changed: ${peer} no longer has this version`, { cause });
  };
  // The index said that it had this content, so it has something else by now.
  if (failedWith(failure, "not-shared") && content.root !== undefined) return changed(failure);
  if (!failedWith(failure, "corrupt")) return failure;
  // Wrong bytes have two causes: a damaged copy, or a file that was changed while it was sent. The owner knows which.
  const refusal = root === undefined ? undefined : await lane.refusal(root);
  if (failedWith(refusal, "not-shared", "file-changed")) return changed(refusal);
  return new Failure("corrupt", `${failure.message} (sent by ${peer})`, { cause: failure });
}

/** Why a download ends though something is missing. That a source is full is not that nobody has it. */
export function whyNobody(name: string, pool: SourcePool): Failure {
  const asked = pool.placed.filter((lane) => !lane.isDropped);
  const waiting = asked.find((lane) => lane.isWaiting);
  if (waiting !== undefined) {
    const { before, source: { peer } } = waiting;
    const line = before === undefined ? `the owner of ${peer} has not answered` : `${peer} has others to send to first`;
    return new Failure("busy", `Cannot get "${name}" now: ${line}`);
  }
  if (pool.failure !== undefined) return pool.failure;
  if (asked.length === 0) return new Failure("not-found", `No peer here has "${name}"`);
  return new Failure(
    "timeout",
    `Cannot get "${name}": nothing came from ${listOf(asked.map(({ source }) => source.peer))}`,
  );
}

function listOf(peers: readonly string[]): string {
  const named = peers.slice(0, NAMES_MAX).join(", ");
  return peers.length <= NAMES_MAX ? named : `${named} and ${peers.length - NAMES_MAX} others`;
}
