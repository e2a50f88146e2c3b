/**
 * Opens what a peer keeps in `.recess` from one start to the next: its state, the reserve on the
 * disk, its name and its identity. It also reports problems with the state while it is open. Called
 * by home.ts.
 * @module
 */

import { failedWith } from "../../core/failure.ts";
import type { Random } from "../../core/random.ts";
import type { Identity } from "../../net/identity.ts";
import type { OpenDatabase } from "../../store/state/database.ts";
import { DiskReserve } from "../../store/files/disk_reserve.ts";
import type { Folder } from "../../store/files/folder.ts";
import { parseFound, tidyIncoming } from "../../store/files/incoming.ts";
import { setAsideIfOdd } from "../../store/files/odd_file.ts";
import { readSecret, restoreSecret } from "../../store/files/secret_file.ts";
import { State, type StateEvent } from "../../store/state/state.ts";
import { defaultPeerName } from "./default_name.ts";
import { folderIdentity } from "./folder_identity.ts";
import type { FullDisk, FullDisks } from "./full_disks.ts";

/** What is reported about the state, at the start and while it is open. */
export type FolderStateEvent =
  | (StateEvent & FullDisk)
  /** Other users of this machine can read a secret of this peer. */
  | { readonly event: "insecure"; readonly why: string };

/** How the state of a folder is opened. */
export interface OpenStateOptions {
  /** The name that a person chose for the peer; undefined for one that is made up once and kept. */
  readonly name: string | undefined;
  readonly fullDisks: FullDisks;
  readonly onEvent: (event: FolderStateEvent) => void;
  /** Opens the database of the state; undefined for SQLite. */
  readonly openDatabase: OpenDatabase | undefined;
  readonly random: Random;
}

/** The opened state, until it is disposed of. */
export interface OpenedState extends Disposable {
  readonly state: State;
  readonly reserve: DiskReserve;
  readonly identity: Identity;
  /** The name to join with. */
  readonly name: string;
  /** Whether no peer ran on this folder before. */
  readonly isFirstStart: boolean;
}

/**
 * Opens the state of a folder, and removes what earlier runs left in `.recess` and no longer need.
 *
 * @throws {Failure} "no-access" when a file in `.recess` cannot be used; the state is closed again.
 */
export async function openState(folder: Folder, options: OpenStateOptions): Promise<OpenedState> {
  const { fullDisks, onEvent } = options;
  using opening = new DisposableStack();
  const reserve = new DiskReserve(folder);
  const onStateEvent = (event: StateEvent): void => {
    // The reserve is there for this: the write that is tried again in a moment has room then.
    if (event.event === "state-unwritten") reserve.release();
    if (event.event === "state-written") fullDisks.noteRoom(folder.path);
    if (event.event === "state-unwritten" && event.isFull) return onEvent(fullDisks.marked(folder.path, event));
    if (event.event !== "state-not-kept") return onEvent(event);
    if (event.isFull === true || failedWith(folder.notKept, "disk-full")) fullDisks.isNamed(folder.path);
    onEvent({ ...event, why: folder.notKept?.message ?? event.why });
  };
  const identityPath = folder.statePath("identity.pem");
  const kept: { pem?: string } = {};
  const state = opening.use(State.open(folder.statePath("recess.db"), {
    onEvent: onStateEvent,
    openDatabase: options.openDatabase,
    beforeWrittenAgain() {
      folder.demandState();
      if (kept.pem !== undefined) restoreSecret(identityPath, kept.pem);
    },
  }));
  if (folder.notKept === undefined) {
    setAsideIfOdd(folder.statePath("reserve"), onEvent);
    const found = await tidyIncoming(folder, Date.now(), parseFound(state.setting("incoming")));
    state.set("incoming", JSON.stringify(found));
  }
  const isFirstStart = state.setting("started") === undefined;
  const name = options.name ?? setting(state, "name", () => defaultPeerName(options.random));
  const identity = await folderIdentity(identityPath, {
    onNotKept({ message }) {
      const why = `${message}, so the next start has another key`;
      if (state.isKept) onEvent({ event: "state-not-kept", path: folder.path, why });
    },
    onLoose: (why) => onEvent({ event: "insecure", why }),
  });
  kept.pem = await readSecret(identityPath) ?? identity.toPem();
  if (folder.notKept === undefined) folder.noteIdentity(kept.pem);
  const closing = opening.move();
  return { state, reserve, identity, name, isFirstStart, [Symbol.dispose]: () => closing.dispose() };
}

/** A setting of the folder, made at the first start and kept. */
function setting(state: State, name: string, make: () => string): string {
  const kept = state.setting(name);
  if (kept !== undefined) return kept;
  const made = make();
  state.set(name, made);
  return made;
}
