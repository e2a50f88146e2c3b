/**
 * The transfers that have not ended, in `.recess/recess.db`: what is wanted, where it goes, whether
 * it is paused. How much has arrived is not stored there: the unfinished files show it. Called by
 * transfers.ts.
 * @module
 */

import { DOWNLOAD_CANDIDATES_MAX } from "../../core/limits.ts";
import { choice, type Field, flag, list, optional, record, text, type ValueOf } from "../../protocol/field.ts";
import { fileName, fileSize, peerName, PeerRef, root } from "../../protocol/shapes.ts";
import type { State } from "../../store/state/state.ts";
import type { Wanted } from "../find/wanted.ts";
import type { Destination } from "./fetching.ts";

/** The longest path that is stored. */
const PATH_BYTES_MAX = 4096;

/**
 * A transfer as it is stored. It is checked when it is read, because another version may have
 * written it.
 */
const KEPT = record({
  kind: choice(["file", "folder"]),
  name: fileName,
  size: optional(fileSize),
  root: optional(root),
  from: optional(peerName),
  peers: list(PeerRef, { max: DOWNLOAD_CANDIDATES_MAX }),
  path: optional(text({ bytesMax: PATH_BYTES_MAX })),
  paused: flag(),
}) satisfies Field<unknown>;
type Kept = ValueOf<typeof KEPT>;

/** What is wanted, and where it goes. */
export interface WantedAt {
  readonly wanted: Wanted;
  readonly destination: Destination;
}

/** One transfer that has not ended. */
export interface KeptTransfer extends WantedAt {
  readonly id: number;
  readonly paused: boolean;
}

/** The list of transfers that have not ended. */
export class KeptTransfers {
  readonly #state: State;
  #lastId: number;

  constructor(state: State) {
    this.#state = state;
    this.#lastId = Math.max(0, ...state.transfers().map(({ id }) => id));
  }

  /** All of them, oldest first. */
  all(): KeptTransfer[] {
    return this.#state.transfers().flatMap(({ id, value }) => {
      try {
        return [{ id, ...readKept(KEPT.check(JSON.parse(value), "transfer")) }];
      } catch {
        // Written by another version, or damaged: it is not continued.
        return [];
      }
    });
  }

  /**
   * Stores a transfer, unless it is stored already. A transfer into a stream cannot be continued,
   * so it only gets a number.
   *
   * @returns Its number.
   */
  put(wanted: Wanted, destination: Destination): number {
    if (destination.kind === "stream") return ++this.#lastId;
    const path = pathOf(destination);
    const same = this.all().find((kept) => isSame(kept, { wanted, destination }));
    if (same !== undefined) return same.id;
    this.#state.putTransfer(++this.#lastId, JSON.stringify(written(wanted, path)));
    return this.#lastId;
  }

  /** Stores whether a transfer is paused. */
  setPaused(id: number, paused: boolean): void {
    const kept = this.all().find((each) => each.id === id);
    if (kept === undefined) return;
    this.#state.putTransfer(id, JSON.stringify({ ...written(kept.wanted, pathOf(kept.destination)), paused }));
  }

  /** Removes a transfer that has ended. */
  remove(id: number): void {
    this.#state.dropTransfer(id);
  }
}

/**
 * Whether two transfers fetch the same folder or file to the same place. Files that are not hashed
 * yet are compared by size.
 */
export function isSame(a: WantedAt, b: WantedAt): boolean {
  if (a.destination.kind !== b.destination.kind || pathOf(a.destination) !== pathOf(b.destination)) return false;
  if (a.wanted.name !== b.wanted.name) return false;
  if (a.wanted.kind === "folder" || b.wanted.kind === "folder") return a.wanted.kind === b.wanted.kind;
  return a.wanted.root === b.wanted.root && (a.wanted.root !== undefined || a.wanted.size === b.wanted.size);
}

function pathOf(destination: Destination): string | undefined {
  return destination.kind === "path" ? destination.path : undefined;
}

function written(wanted: Wanted, path: string | undefined): Kept {
  const { kind, name, from } = wanted;
  return {
    kind,
    name,
    size: wanted.kind === "file" ? wanted.size : undefined,
    root: wanted.kind === "file" ? wanted.root : undefined,
    from,
    peers: wanted.kind === "file" ? wanted.peers : [],
    path,
    paused: false,
  };
}

function readKept(kept: Kept): Omit<KeptTransfer, "id"> {
  const { kind, name, size = 0, root, from, peers, path, paused } = kept;
  const wanted: Wanted = kind === "folder" ? { kind, name, from } : { kind, name, from, size, root, peers, others: 0 };
  return { wanted, paused, destination: path === undefined ? { kind: "folder" } : { kind: "path", path } };
}
