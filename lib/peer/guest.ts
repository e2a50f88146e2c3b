/**
 * The asking half of a peer: searches and looks around without joining, for commands that run once. Called by the shell.
 * @module
 */

import { join } from "node:path";
import { systemClock } from "../core/flow/clock.ts";
import { failedWith } from "../core/failure.ts";
import { dial } from "../net/dial.ts";
import { Folder } from "../store/files/folder.ts";
import { STATE_FOLDER } from "../store/files/shareable.ts";
import { State } from "../store/state/state.ts";
import { Contacts } from "./find/contacts.ts";
import { Directory } from "./find/directory.ts";
import { folderIdentity } from "./folder/folder_identity.ts";
import { IndexSession } from "./session/index_session.ts";
import { LastTable } from "./find/last_table.ts";
import type { PeerOptions } from "./peer.ts";

/** A connection to the index that has not joined. */
export class Guest implements AsyncDisposable {
  readonly directory: Directory;
  readonly #stack: AsyncDisposableStack;

  private constructor(directory: Directory, stack: AsyncDisposableStack) {
    this.directory = directory;
    this.#stack = stack;
  }

  /**
   * Connects. The folder only keeps the last table for the next command; while a peer runs on it, there is none to keep. Fails:
   * "index-unreachable", "not-found".
   */
  static async open(options: PeerOptions): Promise<Guest> {
    const { indexes, onEvent, room, plain = false, clock = systemClock, random = Math.random } = options;
    const dialWith = options.dial ?? dial;
    await using stack = new AsyncDisposableStack();
    const state = await openState(options, stack);
    const identity = await folderIdentity(join(options.folder, STATE_FOLDER, "identity.pem"), {
      onNotKept({ message }) {
        if (state?.isKept === true) onEvent({ event: "state-not-kept", path: options.folder, why: message });
      },
      onLoose: (why) => onEvent({ event: "insecure", why }),
    });
    const session = stack.use(
      await IndexSession.connect({ indexes, dial: dialWith, identity, room, clock, random, onEvent }),
    );
    const contacts: Contacts = new Contacts({
      dial: dialWith,
      self: () => ({ identity, ...(room === undefined ? {} : { roomKey: room.key }) }),
      plain,
      lookUp: (name) => directory.lookUp(name),
      state,
    });
    const directory = new Directory({ session, contacts, table: new LastTable(state), clock, self: () => undefined });
    return new Guest(directory, stack.move());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

async function openState(
  { folder: path, onEvent }: PeerOptions,
  stack: AsyncDisposableStack,
): Promise<State | undefined> {
  try {
    const folder = stack.use(await Folder.open(path));
    return stack.use(State.open(folder.statePath("recess.db"), { onEvent }));
  } catch (thrown) {
    if (failedWith(thrown, "folder-in-use")) return undefined;
    throw thrown;
  }
}
