/**
 * Completes a line with the names that this peer knows. Called by shell.ts.
 * @module
 */

import type { Peer } from "../peer/peer.ts";
import { isUnderWay } from "./commands/listings.ts";
import { complete, type Completing, completing, type Completion, type Vocabulary } from "./complete.ts";

/** How many names are asked for when Tab is pressed. */
const SUGGESTIONS_MAX = 50;

/** Decides what Tab does behind a line. `typed` is the part of the line that `insert` replaces. */
export async function suggest(peer: Peer, line: string): Promise<Completion & { readonly typed: string }> {
  const what = completing(line);
  return { ...complete(what, await vocabulary(peer, what)), typed: what.typed };
}

async function vocabulary(peer: Peer, { kind, word }: Completing): Promise<Vocabulary> {
  const { blocking, puts, queries, transfers } = peer;
  const own = (): string[] => peer.files().map(({ file }) => file.name);
  switch (kind) {
    case "files":
      return { files: await queries.suggestFiles(word, SUGGESTIONS_MAX) };
    case "peers":
      return { peers: (await queries.peers()).peers.map(({ name }) => name) };
    case "blocked":
      return { blocked: blocking.list().map(({ name }) => name) };
    case "own":
      return { own: own() };
    case "paths":
      return { paths: [...own(), ...await puts.suggestPaths(word, SUGGESTIONS_MAX)] };
    case "transfers":
      return { transfers: transfers.views().filter(isUnderWay).map(({ id }) => String(id)) };
    default:
      return {};
  }
}
