/**
 * Failures of sources, in words that help the person at the keyboard. Called by download.ts.
 * @module
 */

import { PIECE_BYTES } from "../../core/content.ts";
import { failedWith, Failure } from "../../core/failure.ts";
import { ask } from "../../net/caller.ts";
import { Pieces } from "../../protocol/files.ts";
import type { Content } from "../content/content.ts";
import type { SourceAtWork } from "./source_at_work.ts";
import type { SourcePool } from "./source_pool.ts";

/** Names that a message lists; more are counted. */
const NAMES_MAX = 3;

/** Failures after which a source may do better the next time. All others are final. */
export function isWorthRetrying(failure: Failure): boolean {
  return failedWith(failure, "closed", "timeout", "unreachable", "busy", "not-here");
}

/** The failure of one source, with its cause when that can be found out. */
export async function explained(
  failure: Failure,
  source: SourceAtWork,
  { wanted, root }: { readonly wanted: Content; readonly root: string | undefined },
): Promise<Failure> {
  const { peer } = source;
  const changed = (cause: Failure): Failure => {
    return new Failure("file-changed", `"${wanted.name}" has changed: ${peer} no longer has this version`, { cause });
  };
  // The index listed this content for the peer, so the peer must have changed the file since then.
  if (failedWith(failure, "not-shared") && wanted.root !== undefined) return changed(failure);
  if (!failedWith(failure, "corrupt")) return failure;
  // Wrong bytes have two causes: a damaged copy, or a file that was changed while it was sent. The
  // owner knows which. A liar that does not answer must not send more of them meanwhile.
  source.isDoubted = true;
  const refusal = root === undefined ? undefined : await refusalOf(source, root);
  source.isDoubted = false;
  if (failedWith(refusal, "not-shared", "file-changed")) return changed(refusal);
  return new Failure("corrupt", `${failure.message} (sent by ${peer})`, { cause: failure });
}

/**
 * Asks a source on a new connection whether it still has a content, after it sent a wrong piece of
 * it.
 *
 * @returns The failure with which it answers; undefined when it still has the content.
 */
async function refusalOf(source: SourceAtWork, root: string): Promise<unknown> {
  try {
    using connection = await source.connect();
    using _closing = connection.closeOn(source.signal);
    const doubt = Math.floor(source.stoppedAt / PIECE_BYTES);
    await ask(connection, Pieces, { root, from: 0, limit: 1, doubt });
    return undefined;
  } catch (thrown) {
    return thrown;
  }
}

/**
 * Why a download ends without all pieces. A full source is reported first, because it has the file.
 */
export function whyNobody(name: string, pool: SourcePool): Failure {
  const asked = pool.placed.filter((source) => !source.isDropped);
  const waiting = asked.find((source) => source.isWaiting);
  if (waiting !== undefined) {
    const { before, peer } = waiting;
    const line = before === undefined ? `the owner of ${peer} has not answered` : `${peer} has others to send to first`;
    return new Failure("busy", `Cannot get "${name}" now: ${line}`);
  }
  if (pool.failure !== undefined) return pool.failure;
  if (asked.length === 0) return new Failure("not-found", `No peer here has "${name}"`);
  return new Failure("timeout", `Cannot get "${name}": nothing came from ${listOf(asked.map(({ peer }) => peer))}`);
}

function listOf(peers: readonly string[]): string {
  const named = peers.slice(0, NAMES_MAX).join(", ");
  return peers.length <= NAMES_MAX ? named : `${named} and ${peers.length - NAMES_MAX} others`;
}
