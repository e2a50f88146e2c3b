/**
 * Finds out how large a content is when peers list its root with different sizes. The root is
 * computed from the size as well, so a peer that has the content can prove the size with the
 * digests of the pieces, and no peer can prove another size. Called by holders.ts and finder.ts.
 * @module
 */

import { createHash } from "node:crypto";
import { DIGEST_BYTES, pieceCount, rootOf, sizeBytes } from "../../core/content.ts";
import { Failure } from "../../core/failure.ts";
import {
  CONSENT_WAIT_MS,
  PAGE_DIGESTS_MAX,
  PROOFS_ASKING_MAX,
  PROOFS_AT_ONCE,
  PROVE_SIZE_MS,
  REPLY_WAIT_MS,
} from "../../core/limits.ts";
import { ask } from "../../net/caller.ts";
import { Asking, Pieces } from "../../protocol/files.ts";
import type { Connect, Source } from "../../transfer/content/source.ts";

/** A peer that lists a root, and the size that it lists. */
export interface Claim {
  readonly size: number;
  readonly source: Source;
}

/**
 * The order in which claims are checked: one of each size in turn, the sizes that most peers claim
 * first, and each peer once. So a claim that many peers repeat does not delay the others.
 */
export function proofOrder(claims: readonly Claim[]): Claim[] {
  const peers = new Set<string>();
  const once = claims.filter(({ source }) => !peers.has(source.peer) && peers.add(source.peer));
  const groups = [...Map.groupBy(once, ({ size }) => size).values()].sort((a, b) => b.length - a.length);
  const longest = groups[0]?.length ?? 0;
  return Array.from({ length: longest }, (_, turn) => groups.flatMap((group) => group[turn] ?? [])).flat();
}

/**
 * Until when to wait for peers that ask their owners first, as long as no other peer proves a size.
 */
export function consentDueMs(): number {
  return performance.now() + CONSENT_WAIT_MS + REPLY_WAIT_MS;
}

/**
 * Asks several peers at a time to prove the size that they claim. A peer that asks its owner for
 * consent first does not delay the others.
 *
 * @param dueMs Until when to wait for such peers.
 * @returns The size of the first peer that proves it; undefined when none does.
 */
export async function trueSize(
  root: string,
  claims: readonly Claim[],
  connect: Connect,
  dueMs = consentDueMs(),
): Promise<number | undefined> {
  if (root === rootOf(0, new Uint8Array(0))) return 0;
  const left = proofOrder(claims);
  const found = new AbortController();
  const asking = new Set<Promise<void>>();
  let size: number | undefined;
  const prove = async ({ source }: Claim, onAsking: () => void): Promise<void> => {
    const late = new AbortController();
    const giveUp = (): void => late.abort();
    let timer = setTimeout(giveUp, PROVE_SIZE_MS);
    try {
      const signal = AbortSignal.any([found.signal, late.signal]);
      const proven = await provenSize(root, source, connect, signal, () => {
        clearTimeout(timer);
        timer = setTimeout(giveUp, Math.max(0, dueMs - performance.now()));
        onAsking();
      });
      size ??= proven;
      found.abort();
    } catch {
      // A peer that fails in any way has proven nothing.
    } finally {
      clearTimeout(timer);
    }
  };
  const look = async (): Promise<void> => {
    for (let claim = left.shift(); claim !== undefined && size === undefined; claim = left.shift()) {
      const { promise: isAsking, resolve: onAsking } = Promise.withResolvers<void>();
      const proving = prove(claim, onAsking).finally(() => asking.delete(proving));
      asking.add(proving);
      await (asking.size > PROOFS_ASKING_MAX ? proving : Promise.race([proving, isAsking]));
    }
  };
  await Promise.all(Array.from({ length: PROOFS_AT_ONCE }, look));
  await Promise.all(asking);
  return size;
}

/** A file of a folder, and the peers that list it. */
interface ListedContent {
  readonly size: number;
  readonly root?: string | undefined;
  readonly sources: readonly Source[];
}

/**
 * Replaces files when another size is proven to be the true one.
 *
 * @param others The same names and roots with other sizes.
 */
export async function settleSizes<File extends ListedContent>(
  files: Map<string, File>,
  others: ReadonlyMap<string, readonly File[]>,
  connect: Connect,
): Promise<void> {
  const proven = new Set<string>();
  const dueMs = consentDueMs();
  for (const [name, rest] of others) {
    const chosen = files.get(name);
    if (chosen?.root === undefined) continue;
    const candidates = [chosen, ...rest];
    const claims = candidates.flatMap(({ size, sources }) => sources.map((source) => ({ size, source })));
    // A peer that has proven one size is likely to prove the next.
    const [likely, unlikely] = [true, false].map((is) => claims.filter(({ source }) => proven.has(source.peer) === is));
    const size = await trueSize(chosen.root, likely ?? [], connect, dueMs) ??
      await trueSize(chosen.root, unlikely ?? [], connect, dueMs);
    const right = candidates.find((candidate) => candidate.size === size);
    if (right === undefined) continue;
    files.set(name, right);
    for (const { peer } of right.sources) proven.add(peer);
  }
}

/**
 * The size that one peer proves, after its owner has consented where that is needed.
 *
 * @throws {Failure} When the peer proves none.
 */
async function provenSize(
  root: string,
  source: Source,
  connect: Connect,
  signal: AbortSignal,
  onAsking: () => void,
): Promise<number> {
  const onNews = (event: string): void => {
    if (event === Asking.event) onAsking();
  };
  using connection = await connect(source, signal);
  using _closing = connection.closeOn(signal);
  const page = new Uint8Array(PAGE_DIGESTS_MAX * DIGEST_BYTES);
  const hash = createHash("sha256");
  let size: number | undefined;
  for (let from = 0;;) {
    const { data, bodyBytes } = await ask(connection, Pieces, { root, from, limit: PAGE_DIGESTS_MAX }, { onNews });
    if (size === undefined) hash.update(sizeBytes(data.size));
    size ??= data.size;
    const count = bodyBytes / DIGEST_BYTES;
    if (data.size !== size || bodyBytes > page.length || !Number.isInteger(count) || count === 0) {
      throw new Failure("malformed", "Got digests that do not fit the file");
    }
    const digests = page.subarray(0, bodyBytes);
    await connection.readBody(digests);
    hash.update(digests);
    from += count;
    if (from < pieceCount(size)) continue;
    if (hash.digest("hex") !== root) throw new Failure("corrupt", "The digests do not match the root");
    return size;
  }
}
