/**
 * One peer: its folder, its session with the index, the listener for other peers, its downloads. It
 * reports events and prints nothing. Called by the shell.
 * @module
 */

import type { Address } from "../core/address.ts";
import type { SharedFile } from "../store/share/file_list.ts";
import { Share } from "../store/share/share.ts";
import type { Contacts } from "./find/contacts.ts";
import type { Directory } from "./find/directory.ts";
import type { Finder } from "./find/finder.ts";
import { type Finding, findingOver } from "./find/finding.ts";
import type { IndexQueries } from "./find/index_queries.ts";
import { type Home, openHome } from "./folder/home.ts";
import type { Transfers } from "./get/transfers.ts";
import type { Inbox } from "./inbox/inbox.ts";
import type { Puts } from "./inbox/puts.ts";
import { type Fetching, openFetching } from "./open_fetching.ts";
import { openServing, type Serving } from "./open_serving.ts";
import { type PeerOptions, setupOf } from "./peer_options.ts";
import type { Pictures } from "./pictures/pictures.ts";
import type { Blocking } from "./serve/blocking.ts";
import type { Consent } from "./serve/consent.ts";
import { IndexSession, type Membership } from "./session/index_session.ts";
import type { Outbox } from "./talk/outbox.ts";

export type { PeerOptions };

/** The parts of a peer, in the order in which they are opened. */
interface PeerParts {
  readonly home: Home;
  readonly session: IndexSession;
  readonly finding: Finding;
  readonly share: Share;
  readonly serving: Serving;
  readonly fetching: Fetching;
}

/** A running peer. */
export class Peer implements AsyncDisposable, Finding {
  readonly queries: IndexQueries;
  readonly contacts: Contacts;
  readonly finder: Finder;
  readonly directory: Directory;
  readonly transfers: Transfers;
  /** The files that this peer puts into the inboxes of others, and takes back. */
  readonly puts: Puts;
  readonly inbox: Inbox;
  readonly consent: Consent;
  readonly blocking: Blocking;
  readonly pictures: Pictures;
  readonly outbox: Outbox;
  readonly #parts: PeerParts;
  readonly #stack: AsyncDisposableStack;

  private constructor(parts: PeerParts, stack: AsyncDisposableStack) {
    const { finding, serving, fetching } = parts;
    this.queries = finding.queries;
    this.contacts = finding.contacts;
    this.finder = finding.finder;
    this.directory = finding.directory;
    this.transfers = fetching.transfers;
    this.puts = fetching.puts;
    this.inbox = serving.inbox;
    this.consent = serving.consent;
    this.blocking = serving.blocking;
    this.pictures = serving.pictures;
    this.outbox = serving.outbox;
    this.#parts = parts;
    this.#stack = stack;
  }

  /**
   * Opens the folder, lists it, reaches the index, listens, joins.
   *
   * @throws {Failure} "folder-in-use", "not-found", "index-unreachable", "name-taken", "bad-name".
   * What was opened until then is closed.
   */
  static async start(options: PeerOptions): Promise<Peer> {
    await using stack = new AsyncDisposableStack();
    const setup = setupOf(options);
    const { indexes, dial, room, plain, clock, random, onEvent, follows = true } = setup;
    const home = stack.use(await openHome(setup));
    const { folder, state, identity } = home;
    const session = stack.use(
      await IndexSession.connect({ indexes, dial, identity, room, clock, random, onEvent }),
    );
    const name = (): string => home.name.current;
    const finding = findingOver(session, { dial, identity, name, room, plain, state, clock, pace: setup.down });
    const share = stack.use(await Share.open(folder, state, { follows }));
    const serving = stack.use(await openServing({ home, share, session, finding }, setup));
    const { partials } = serving;
    const fetching = stack.use(openFetching({ home, share, finding, partials }, setup));
    const parts = { home, session, finding, share, serving, fetching };
    share.start((names) => session.changed(names), onEvent);
    await session.join(membershipOf(parts, plain));
    serving.outbox.start();
    // Only now: a start that failed has not greeted the person.
    state.set("started", "yes");
    return new Peer(parts, stack.move());
  }

  /** The peer's name. */
  get name(): string {
    return this.#parts.home.name.current;
  }

  /** What the peer is known by: SHA-256 of its certificate. */
  get id(): string {
    return this.#parts.home.identity.id;
  }

  /** Whether no peer ran on this folder before. */
  get isFirstStart(): boolean {
    return this.#parts.home.isFirstStart;
  }

  /** Where it listens. */
  get address(): Address {
    return this.#parts.serving.listener.address;
  }

  /** The index that it is connected to, or was last. */
  get index(): Address | undefined {
    return this.#parts.session.index;
  }

  /** Whether the start made the folder. */
  get folderIsNew(): boolean {
    return this.#parts.home.folder.made;
  }

  /** The folder's path. */
  get folderPath(): string {
    return this.#parts.home.folder.path;
  }

  /**
   * The shared files in order of name, and how much of each is hashed: from 0 to 1, or undefined
   * while it waits.
   */
  files(): { file: SharedFile; hashed: number | undefined }[] {
    const { share } = this.#parts;
    const { files } = share.files.page(undefined, Infinity);
    return files.map((file) => ({ file, hashed: share.hashedPart(file) }));
  }

  /**
   * Shares these files, by name, in addition to those of the folder. They replace the ones of the
   * call before.
   */
  shareElsewhere(paths: ReadonlyMap<string, string>): Promise<void> {
    return this.#parts.share.shareElsewhere(paths);
  }

  /** Resolves when the index lists everything that is shared. */
  listed(): Promise<void> {
    return this.#parts.session.listed();
  }

  /** Stops downloads, leaves the index, closes. A second call does nothing. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

/** How the peer joins, and what it lists. */
function membershipOf({ home: { name }, share, serving }: PeerParts, plain: boolean): Membership {
  return {
    plain,
    name: () => name.current,
    onTaken: (suggestion) => name.giveWay(suggestion),
    port: serving.listener.address.port,
    names: () => Array.from(share.files.all(), (file) => file.name),
    size: () => share.files.size,
    file: (each) => share.files.get(each),
    partials: () => serving.partials.all(),
  };
}
