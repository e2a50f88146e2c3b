/**
 * Asks a peer for what it shares, page by page. Called by directory.ts.
 * @module
 */

import type { Clock } from "../../core/flow/clock.ts";
import { PAGE_ROWS_MAX } from "../../core/limits.ts";
import type { Pace } from "../../core/flow/pace.ts";
import { printable } from "../../core/printable.ts";
import { ask } from "../../net/caller.ts";
import { List } from "../../protocol/files.ts";
import type { PeerRef, SharedFile } from "../../protocol/shapes.ts";
import type { Contacts } from "./contacts.ts";
import { sourceOf } from "./holders.ts";
import { ListTime } from "./list_time.ts";

/** What asking for a list needs. */
export interface PeerListParts {
  readonly contacts: Contacts;
  readonly clock: Clock;
  /** The pace of all that is received from peers. */
  readonly pace?: Pace | undefined;
}

/**
 * What a peer lists, in order of name; only names that begin with `prefix`.
 *
 * @param countMax Files after which it is enough: one page more than that at most.
 * @throws {Failure} "timeout" when the list does not end in time.
 */
export async function filesOf(
  ref: PeerRef,
  { prefix = "", countMax }: { readonly prefix?: string; readonly countMax: number },
  { contacts, clock, pace }: PeerListParts,
): Promise<{ files: SharedFile[]; more: boolean }> {
  using connection = await contacts.connect(sourceOf(ref, ""));
  const time = new ListTime(clock, `what ${printable(ref.name)} shares`);
  const files: SharedFile[] = [];
  let more = true;
  while (more && files.length < countMax) {
    time.check();
    const after = files.at(-1)?.name ?? (prefix === "" ? undefined : prefix);
    const before = connection.bytesRead;
    const page = await ask(connection, List, { ...(after === undefined ? {} : { after }), limit: PAGE_ROWS_MAX });
    if (pace !== undefined) await time.without(pace.take(connection.bytesRead - before));
    const below = page.data.files.filter((file) => file.name.startsWith(prefix));
    files.push(...below);
    more = page.data.more && below.length > 0 && below.length === page.data.files.length;
  }
  return { files, more };
}
