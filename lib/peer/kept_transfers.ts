/**
 * The transfers that a peer has not ended, in `.recess/recess.db`: what was wanted, where it goes, whether it is paused. How much has arrived
 * is not in it; the unfinished files tell that themselves. Called by transfers.ts.
 * @module
 */

import { choice, type Field, flag, list, optional, record, text, type ValueOf } from "../protocol/field.ts";
import { fileName, fileSize, peerName, PeerRef, root } from "../protocol/shapes.ts";
import type { State } from "../store/state.ts";
import type { Wanted } from "./directory.ts";
import type { Destination } from "./fetching.ts";

/** The longest path that is kept. */
const PATH_BYTES_MAX = 4096;

/** A transfer as it is written down: checked when it is read, since another version may have written it. */
const KEPT = record({
  kind: choice(["file", "folder"]),
  name: fileName,
  size: optional(fileSize),
  root: optional(root),
  from: optional(peerName),
  peers: list(PeerRef, { max: 1000 }),
  path: optional(text({ bytesMax: PATH_BYTES_MAX })),
  paused: flag(),
}) satisfies Field<unknown>;
type Kept = ValueOf<typeof KEPT>;

/** One transfer that was not ended. */
export interface KeptTransfer {
  readonly id: number;
  readonly wanted: Wanted;
  readonly destination: Destination;
  readonly paused: boolean;
}

/** The list of them. */
export class KeptTransfers {
  readonly #state: State;
  #lastId: number;

  constructor(state: State) {
    this.#state = state;
    this.#lastId = Math.max(0, ...state.transfers().map(({ id }) => id));
  }

  /** Every one, oldest first. */
  all(): KeptTransfer[] {
    return this.#state.transfers().flatMap(({ id, value }) => {
      try {
        return [{ id, ...readKept(KEPT.check(JSON.parse(value), "transfer")) }];
      } catch {
        // Kept by another version, or damaged: then it is not gone on with.
        return [];
      }
    });
  }

  /** Writes one down, or finds it written already. What goes to a stream cannot be gone on with and is only numbered. Shape: its number. */
  put(wanted: Wanted, destination: Destination): number {
    if (destination.kind === "stream") return ++this.#lastId;
    const path = pathOf(destination);
    const same = this.all().find((kept) => pathOf(kept.destination) === path && isSameContent(kept.wanted, wanted));
    if (same !== undefined) return same.id;
    this.#state.putTransfer(++this.#lastId, JSON.stringify(written(wanted, path)));
    return this.#lastId;
  }

  /** Notes whether one is paused. */
  setPaused(id: number, paused: boolean): void {
    const kept = this.all().find((each) => each.id === id);
    if (kept === undefined) return;
    this.#state.putTransfer(id, JSON.stringify({ ...written(kept.wanted, pathOf(kept.destination)), paused }));
  }

  /** Forgets one that has ended. */
  remove(id: number): void {
    this.#state.dropTransfer(id);
  }
}

/** Whether the same is wanted: the same folder or content; of what is not hashed yet, the same name and size. */
export function isSameContent(a: Wanted, b: Wanted): boolean {
  if (a.kind === "folder" || b.kind === "folder") return a.kind === b.kind && a.name === b.name;
  return a.root === undefined ? a.name === b.name && a.size === b.size && b.root === undefined : a.root === b.root;
}

function pathOf(destination: Destination): string | undefined {
  return destination.kind === "path" ? destination.path : undefined;
}

function written(wanted: Wanted, path: string | undefined): Kept {
  const { kind, name, from } = wanted;
  return {
    kind,
    name,
    ...(wanted.kind === "file" ? { size: wanted.size } : {}),
    ...(wanted.kind === "file" && wanted.root !== undefined ? { root: wanted.root } : {}),
    ...(from === undefined ? {} : { from }),
    peers: wanted.kind === "file" ? wanted.peers : [],
    ...(path === undefined ? {} : { path }),
    paused: false,
  };
}

function readKept(kept: Kept): Omit<KeptTransfer, "id"> {
  const { kind, name, size = 0, root, from, peers, path, paused } = kept;
  const known = { name, ...(from === undefined ? {} : { from }) };
  const wanted: Wanted = kind === "folder"
    ? { kind, ...known }
    : { kind, ...known, size, peers, others: 0, ...(root === undefined ? {} : { root }) };
  return { wanted, paused, destination: path === undefined ? { kind: "folder" } : { kind: "path", path } };
}
