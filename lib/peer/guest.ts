/**
 * The asking half of a peer: searches and lists without joining, for commands that run once. Called
 * by the shell.
 * @module
 */

import { join } from "node:path";
import { failedWith } from "../core/failure.ts";
import type { Identity } from "../net/identity.ts";
import { Folder } from "../store/files/folder.ts";
import { STATE_FOLDER } from "../store/files/shareable.ts";
import { State } from "../store/state/state.ts";
import type { Contacts } from "./find/contacts.ts";
import type { Directory } from "./find/directory.ts";
import type { Finder } from "./find/finder.ts";
import { type Finding, findingOver } from "./find/finding.ts";
import type { IndexQueries } from "./find/index_queries.ts";
import { folderIdentity } from "./folder/folder_identity.ts";
import { type PeerOptions, setupOf } from "./peer_options.ts";
import { IndexSession } from "./session/index_session.ts";

/** A connection to the index that has not joined. */
export class Guest implements AsyncDisposable, Finding {
  readonly queries: IndexQueries;
  readonly contacts: Contacts;
  readonly finder: Finder;
  readonly directory: Directory;
  readonly #stack: AsyncDisposableStack;

  private constructor(finding: Finding, stack: AsyncDisposableStack) {
    this.queries = finding.queries;
    this.contacts = finding.contacts;
    this.finder = finding.finder;
    this.directory = finding.directory;
    this.#stack = stack;
  }

  /**
   * Connects. The folder only keeps the last table for the next command. While a peer runs on the
   * folder, nothing is kept.
   *
   * @throws {Failure} "index-unreachable", "not-found".
   */
  static async open(options: PeerOptions): Promise<Guest> {
    const { indexes, dial, room, plain, clock, random, onEvent } = setupOf(options);
    await using stack = new AsyncDisposableStack();
    const state = await openState(options, stack);
    const identity = await identityFor(options, state);
    const session = stack.use(
      await IndexSession.connect({ indexes, dial, identity, room, clock, random, onEvent }),
    );
    const finding = findingOver(session, { dial, identity, name: () => undefined, room, plain, state, clock });
    return new Guest(finding, stack.move());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

/** The folder's state; undefined while a peer runs on it. */
async function openState(
  { folder: path, onEvent }: PeerOptions,
  stack: AsyncDisposableStack,
): Promise<State | undefined> {
  try {
    const folder = stack.use(await Folder.open(path));
    return stack.use(
      State.open(folder.statePath("recess.db"), { onEvent, beforeWrittenAgain: () => folder.demandState() }),
    );
  } catch (thrown) {
    if (failedWith(thrown, "folder-in-use")) return undefined;
    throw thrown;
  }
}

async function identityFor({ folder, onEvent }: PeerOptions, state: State | undefined): Promise<Identity> {
  return await folderIdentity(join(folder, STATE_FOLDER, "identity.pem"), {
    onNotKept({ message }) {
      if (state?.isKept === true) onEvent({ event: "state-not-kept", path: folder, why: message });
    },
    onLoose: (why) => onEvent({ event: "insecure", why }),
  });
}
