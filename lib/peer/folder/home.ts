/**
 * Opens the folder of a peer with everything that is kept in it from one start to the next. Called
 * by peer.ts.
 * @module
 */

import type { Clock } from "../../core/flow/clock.ts";
import { checkPeerName } from "../../core/peer_name.ts";
import type { Random } from "../../core/random.ts";
import type { Identity } from "../../net/identity.ts";
import type { DiskReserve } from "../../store/files/disk_reserve.ts";
import { Folder } from "../../store/files/folder.ts";
import type { OpenDatabase } from "../../store/state/database.ts";
import type { State } from "../../store/state/state.ts";
import { FullDisks } from "./full_disks.ts";
import { type FolderStateEvent, openState } from "./open_state.ts";
import { OwnName, type RenamedEvent } from "./own_name.ts";

/** What opening a home needs. */
export interface HomeOptions {
  readonly folder: string;
  /**
   * Files that are shared in addition to those of the folder: their names, and their real paths.
   */
  readonly elsewhere?: ReadonlyMap<string, string> | undefined;
  /** The name that a person chose for the peer. Default: one that is made up once and kept. */
  readonly name?: string | undefined;
  /** Whether the files of the inbox are shared. Default: they are not. */
  readonly inbox?: { readonly share: boolean } | undefined;
  /** Opens the database of the peer's state. Default: SQLite. */
  readonly openDatabase?: OpenDatabase | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly onEvent: (event: FolderStateEvent | RenamedEvent) => void;
}

/** The folder of a peer and what is kept in it, until it is disposed of. */
export interface Home extends AsyncDisposable {
  readonly folder: Folder;
  readonly fullDisks: FullDisks;
  readonly state: State;
  readonly reserve: DiskReserve;
  readonly identity: Identity;
  readonly name: OwnName;
  /** Whether no peer ran on this folder before. */
  readonly isFirstStart: boolean;
}

/**
 * Opens the folder, its state and its identity.
 *
 * @throws {Failure} "bad-name"; "folder-in-use" and "not-found"; "no-access" when a file in
 * `.recess` cannot be used. What was opened until then is closed.
 */
export async function openHome(options: HomeOptions): Promise<Home> {
  const { onEvent, openDatabase, random } = options;
  const chosen = options.name === undefined ? undefined : checkPeerName(options.name);
  await using opening = new AsyncDisposableStack();
  const folder = opening.use(await Folder.open(options.folder, options.elsewhere));
  folder.sharesInbox = options.inbox?.share ?? false;
  const fullDisks = new FullDisks(options.clock);
  const opened = opening.use(await openState(folder, { name: chosen, fullDisks, onEvent, openDatabase, random }));
  const { state, reserve, identity, isFirstStart } = opened;
  const name = new OwnName(opened.name, { isChosen: chosen !== undefined, onEvent });
  const closing = opening.move();
  const close = (): Promise<void> => closing.disposeAsync();
  return { folder, fullDisks, state, reserve, identity, name, isFirstStart, [Symbol.asyncDispose]: close };
}
