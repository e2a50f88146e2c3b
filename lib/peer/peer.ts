/**
 * One peer: its folder, its session with the index, the listener for other peers, its downloads. Emits events and prints nothing. Called by
 * the shell, through which peer.ts runs it.
 * @module
 */

import type { Address } from "../core/address.ts";
import { type Clock, systemClock } from "../core/flow/clock.ts";
import { PEER_CONNECTIONS_MAX, PEER_IDLE_MS_MAX, UPLOAD_SLOTS } from "../core/limits.ts";
import { Pace } from "../core/flow/pace.ts";
import { checkPeerName } from "../core/peer_name.ts";
import type { Random } from "../core/random.ts";
import { type AnswerOptions, answerRequests } from "../net/answerer.ts";
import { type Dial, dial } from "../net/dial.ts";
import type { Connection } from "../net/connection.ts";
import { Guesses } from "../net/guesses.ts";
import type { Identity } from "../net/identity.ts";
import { Listener } from "../net/listener.ts";
import type { Room } from "../net/room_key.ts";
import type { OpenDatabase } from "../store/state/database.ts";
import { Folder } from "../store/files/folder.ts";
import type { SharedFile } from "../store/share/file_list.ts";
import { Share } from "../store/share/share.ts";
import { Deliverers } from "../transfer/content/deliverers.ts";
import { Downloads } from "../transfer/downloads.ts";
import { Partials } from "../transfer/content/partials.ts";
import { Blocking } from "./serve/blocking.ts";
import { Consent, type ConsentMode } from "./serve/consent.ts";
import { Contacts } from "./find/contacts.ts";
import { ContentTurns } from "./get/content_turns.ts";
import { serveDialect } from "./serve/dialect_host.ts";
import { Directory } from "./find/directory.ts";
import type { FetchParts } from "./get/fetching.ts";
import { Host } from "./serve/host.ts";
import { Uploads } from "./serve/uploads.ts";
import { type Visit, visitRoutes, Visits } from "./serve/visit.ts";
import { FullDisks } from "./folder/full_disks.ts";
import { Inbox, type InboxEvent, type InboxOptions } from "./inbox/inbox.ts";
import { IndexSession } from "./session/index_session.ts";
import { LastTable } from "./find/last_table.ts";
import { LocalContents } from "./get/local_contents.ts";
import { openState } from "./folder/open_state.ts";
import type { PeerEvent } from "./peer_event.ts";
import { Pictures, type PicturesOptions } from "./pictures/pictures.ts";
import { Mailbox } from "./talk/mailbox.ts";
import { Outbox } from "./talk/outbox.ts";
import { inboxRoutes } from "./inbox/inbox_routes.ts";
import { Puts } from "./inbox/puts.ts";
import { Transfers } from "./get/transfers.ts";
import { Acquaintances } from "./find/who.ts";

/** How a peer is started. */
export interface PeerOptions extends PicturesOptions {
  readonly folder: string;
  /** Files that are shared beside those of the folder: their names, and their real paths. */
  readonly elsewhere?: ReadonlyMap<string, string>;
  readonly indexes: readonly Address[];
  /** The name to join with; default: a name that is made up once and kept. */
  readonly name?: string;
  readonly listen: Address;
  readonly onEvent: (event: PeerEvent) => void;
  /** Called with what went wrong here, by a bug, when another peer asked for something. */
  readonly onBug?: ((thrown: unknown) => void) | undefined;
  /** Whether downloads go on until they are done, also those of an earlier run; else they end when nobody has the file. */
  readonly patient?: boolean;
  /**
   * Whether changes of the folder are noticed at once; default: they are. For a peer that soon ends, the system's watch costs more than it gives:
   * each file that arrives is several events.
   */
  readonly follows?: boolean;
  /** Whether others may have what they ask for; default: they may. */
  readonly consent?: ConsentMode;
  /** Lets others put files into `inbox/`; default: they may not. */
  readonly inbox?: InboxOptions | undefined;
  /** Large uploads at once. */
  readonly slots?: number;
  /** Whether to serve without encryption, and to talk to those who do. */
  readonly plain?: boolean;
  readonly room?: Room | undefined;
  /** Bytes a second, of all uploads and of all downloads together; default: as fast as possible. */
  readonly up?: number;
  readonly down?: number;
  readonly dial?: Dial;
  /** Opens the database of what is remembered. Default: SQLite. */
  readonly openDatabase?: OpenDatabase;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** A running peer. */
export class Peer implements AsyncDisposable {
  readonly directory: Directory;
  readonly transfers: Transfers;
  /** What it puts into the inboxes of others, and takes back. */
  readonly puts: Puts;
  readonly inbox: Inbox;
  readonly consent: Consent;
  readonly blocking: Blocking;
  readonly pictures: Pictures;
  readonly outbox: Outbox;
  /** What it is known by: SHA-256 of its certificate. */
  readonly id: string;
  /** Whether no peer ran on this folder before. */
  readonly isFirstStart: boolean;
  readonly #folder: Folder;
  readonly #share: Share;
  readonly #session: IndexSession;
  readonly #listener: Listener;
  readonly #name: { current: string };
  readonly #stack: AsyncDisposableStack;

  private constructor(parts: {
    folder: Folder;
    share: Share;
    session: IndexSession;
    listener: Listener;
    directory: Directory;
    transfers: Transfers;
    puts: Puts;
    inbox: Inbox;
    consent: Consent;
    blocking: Blocking;
    pictures: Pictures;
    outbox: Outbox;
    name: { current: string };
    identity: Identity;
    isFirstStart: boolean;
    stack: AsyncDisposableStack;
  }) {
    this.directory = parts.directory;
    this.transfers = parts.transfers;
    this.puts = parts.puts;
    this.inbox = parts.inbox;
    this.consent = parts.consent;
    this.blocking = parts.blocking;
    this.pictures = parts.pictures;
    this.outbox = parts.outbox;
    this.#folder = parts.folder;
    this.#share = parts.share;
    this.#session = parts.session;
    this.#listener = parts.listener;
    this.#name = parts.name;
    this.id = parts.identity.id;
    this.isFirstStart = parts.isFirstStart;
    this.#stack = parts.stack;
  }

  /**
   * Opens the folder, lists it, reaches the index, listens, joins. Fails: "folder-in-use", "not-found", "index-unreachable",
   * "name-taken", "bad-name"; whatever was opened until then is closed.
   */
  static async start(options: PeerOptions): Promise<Peer> {
    const { onEvent, clock = systemClock, random = Math.random } = options;
    const dialWith = options.dial ?? dial;
    const chosen = options.name === undefined ? undefined : checkPeerName(options.name);
    await using stack = new AsyncDisposableStack();

    const folder = stack.use(await Folder.open(options.folder, options.elsewhere));
    folder.sharesInbox = options.inbox?.share ?? false;
    const fullDisks = new FullDisks(clock);
    const { openDatabase } = options;
    const opened = stack.use(
      await openState(folder, { name: chosen, fullDisks, onEvent, openDatabase, random }),
    );
    const { state, reserve, identity, isFirstStart } = opened;
    const name = { current: opened.name };
    const onInboxEvent = (event: InboxEvent): void => {
      // A file that was whole before the disk was full tells nothing about it now.
      if (event.event === "received" && state.failure === undefined) fullDisks.noteRoom(folder.path);
      onEvent(event.event === "inbox-full" ? fullDisks.marked(folder.path, event) : event);
    };
    const { room, plain = false } = options;
    const roomKey = room === undefined ? {} : { roomKey: room.key };

    const session = stack.use(
      await IndexSession.connect({ indexes: options.indexes, dial: dialWith, identity, room, clock, random, onEvent }),
    );
    const share = stack.use(await Share.open(folder, state, { follows: options.follows ?? true }));
    const partials = new Partials((partial, isHere) => session.announce(partial, isHere));
    const paceOf = (rate: number | undefined): Pace | undefined =>
      rate === undefined ? undefined : new Pace(rate, clock);
    const [up, down] = [paceOf(options.up), paceOf(options.down)];
    const guesses = new Guesses(clock);
    const consent = new Consent({
      mode: options.consent ?? "open",
      clock,
      onEvent,
      always: {
        has: (id, kind) => state.people.isAllowed(id, kind),
        add: (id, kind) => state.people.allow(id, kind),
      },
    });
    const nameOf = async (claimed: string | undefined, id: string): Promise<string | undefined> => {
      const row = claimed === undefined ? undefined : await directory.lookUp(claimed).catch(() => undefined);
      return row?.id === id ? row.name : undefined;
    };
    const reach = async (peer: string): Promise<Connection> => contacts.connect(await directory.contact(peer));
    const acquaintances = new Acquaintances({ state, nameOf });
    const inbox = stack.use(
      new Inbox({ options: options.inbox, folder, share, state, reserve, pace: down, onEvent: onInboxEvent }),
    );
    const { onPicture, routeDatagrams } = options;
    const pictures = new Pictures({ onPicture, routeDatagrams, folder, inbox, reach, onEvent, clock, up, down });
    const mailbox = new Mailbox({ state, clock, acquaintances, onEvent });
    const outbox = stack.use(
      new Outbox({
        state,
        clock,
        random,
        self: () => name.current,
        lookUp: (each) => directory.lookUp(each),
        connect: (source, signal) => contacts.connect(source, signal),
        onEvent,
      }),
    );
    const uploads = new Uploads({ slots: options.slots ?? UPLOAD_SLOTS, pace: up });
    const host = new Host({ share, partials, clock, uploads });
    const visits = new Visits({ consent, acquaintances, onLeft: (id) => host.left(id) });
    const routes = visitRoutes(...host.routes(), ...pictures.routes(), ...mailbox.routes(), ...inboxRoutes(inbox));
    const answering: AnswerOptions<Visit> = {
      name: () => name.current,
      onGreeted: (visit, claimed) => visit.claimedName = claimed,
      onProven: (visit, caller) => visit.caller = caller.id,
      onBug: options.onBug,
      ...roomKey,
      beforeProof: (from) => guesses.wait(from),
      onWrongGuess: (from) => guesses.note(from),
      idleMs: PEER_IDLE_MS_MAX,
    };
    const listener = stack.use(
      await Listener.listen(options.listen, {
        connectionsMax: PEER_CONNECTIONS_MAX,
        ...(plain ? {} : { identity }),
        serve: async (connection) => {
          if (plain && await serveDialect(connection, { share, consent, uploads })) return;
          using visit = visits.begin(connection);
          await answerRequests(connection, routes, visit, answering);
        },
      }),
    );
    // After the listener, so that nobody waits there for a picture that nobody takes any more.
    stack.use(pictures);
    const contacts: Contacts = new Contacts({
      dial: dialWith,
      self: () => ({ name: name.current, identity, ...roomKey }),
      plain,
      lookUp: (each) => directory.lookUp(each),
      state,
    });
    const directory: Directory = new Directory({
      session,
      contacts,
      table: new LastTable(state),
      clock,
      self: () => name.current,
      pace: down,
    });
    const downloads = new Downloads({
      connect: (source, signal) => contacts.connect(source, signal),
      finder: directory,
      clock,
      random,
      pace: down,
      deliverers: new Deliverers(),
      partials,
      onBadSource: (peer, file, failure) => onEvent({ event: "bad-source", peer, file, why: failure.message }),
    });
    const parts: FetchParts = {
      folder,
      share,
      local: new LocalContents(share),
      turns: new ContentTurns(),
      directory,
      downloads,
      onDiskFull: (file, path, { message }) => {
        onEvent({ event: "download-waits", file, path, why: message, isNamed: fullDisks.isNamed(path) });
      },
      onDiskRoom: (path) => fullDisks.noteRoom(path),
      dialPlain: plain ? (address, signal) => dialWith(address, { signal }) : undefined,
      clock,
      random,
      pace: down,
    };
    const transfers = stack.use(new Transfers(parts, state, { patient: options.patient ?? false }));
    const puts = stack.use(new Puts({ directory, contacts, share, clock, random, pace: up }));
    share.start((names) => session.changed(names), ({ trouble, name: file }) => onEvent({ event: trouble, file }));
    await session.join({
      plain,
      name: () => name.current,
      onTaken(suggestion) {
        // A name somebody chose is theirs to change; one that was made up is not.
        if (chosen !== undefined || suggestion === undefined) return undefined;
        onEvent({ event: "renamed", from: name.current, name: suggestion });
        return name.current = suggestion;
      },
      port: listener.address.port,
      names: () => Array.from(share.files.all(), (file) => file.name),
      size: () => share.files.size,
      file: (each) => share.files.get(each),
      partials: () => partials.all(),
    });
    outbox.start();
    // Only now: a start that failed has greeted nobody.
    state.set("started", "yes");
    return new Peer({
      folder,
      share,
      session,
      listener,
      directory,
      transfers,
      puts,
      inbox,
      consent,
      blocking: new Blocking({ state, directory, self: identity.id, onBlocked: (id) => visits.endAllOf(id) }),
      pictures,
      outbox,
      name,
      identity,
      isFirstStart,
      stack: stack.move(),
    });
  }

  /** What the peer is called. */
  get name(): string {
    return this.#name.current;
  }

  /** Where it listens. */
  get address(): Address {
    return this.#listener.address;
  }

  /** The index it is with. */
  get index(): Address | undefined {
    return this.#session.index;
  }

  /** Whether the folder was made just now. */
  get folderIsNew(): boolean {
    return this.#folder.made;
  }

  /** The folder's path. */
  get folderPath(): string {
    return this.#folder.path;
  }

  /** What is shared, in order of name, and how much of each is hashed: from 0 to 1, or undefined while it waits. */
  files(): { file: SharedFile; hashed: number | undefined }[] {
    const { files } = this.#share.files.page(undefined, Infinity);
    return files.map((file) => ({ file, hashed: this.#share.hashedPart(file) }));
  }

  /** Shares these files, by name, beside those of the folder, in place of the ones before. */
  shareElsewhere(paths: ReadonlyMap<string, string>): Promise<void> {
    return this.#share.shareElsewhere(paths);
  }

  /** Resolves when the index knows all that is shared. */
  listed(): Promise<void> {
    return this.#session.listed();
  }

  /** Stops downloads, says goodbye, closes. Closing once more is harmless. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
