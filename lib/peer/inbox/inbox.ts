/**
 * The inbox: receives files from other peers when there is room for them. A whole file is stored in
 * `inbox/SENDER/`. The sender's key is kept in `.recess/recess.db`. Called by inbox_routes.ts and
 * pictures.ts for other peers, and by the shell for the owner.
 * @module
 */

import { failedWith, Failure } from "../../core/failure.ts";
import { INBOX_RUNNING_MAX } from "../../core/limits.ts";
import type { Pace } from "../../core/flow/pace.ts";
import { printable } from "../../core/printable.ts";
import type { Connection } from "../../net/connection.ts";
import type { Put } from "../../protocol/inbox.ts";
import type { DataOf, ReplyOf } from "../../protocol/message.ts";
import type { Show } from "../../protocol/show.ts";
import type { DiskReserve } from "../../store/files/disk_reserve.ts";
import type { Folder } from "../../store/files/folder.ts";
import { placeBytes } from "../../store/small/small_places.ts";
import { receivedName } from "../../store/files/received_name.ts";
import type { Share } from "../../store/share/share.ts";
import type { ReceivedFile, State } from "../../store/state/state.ts";
import { UnfinishedFile } from "../../store/files/unfinished_file.ts";
import { receiveFile } from "../../transfer/receive.ts";
import type { Who } from "../find/who.ts";
import { FairQueue } from "../serve/fair_queue.ts";
import { Arrivals } from "./arrivals.ts";
import { senderFolder } from "./sender_folder.ts";
import { lastPart, ReceivedFiles } from "./received_files.ts";

/** Options for an inbox. */
export interface InboxOptions {
  /** Whether the files of the inbox are shared. */
  readonly share: boolean;
  /** How many bytes the inbox may hold. */
  readonly quota: number;
}

/** What an inbox reports. */
export type InboxEvent =
  | (Sent & { readonly event: "received"; readonly size: number })
  | (Sent & { readonly event: "taken-back" })
  /** No more files are accepted, since the disk is full. */
  | { readonly event: "inbox-full"; readonly path: string };

/** A file and its sender. */
interface Sent extends Pick<Who, "id" | "key"> {
  readonly peer: string;
  readonly name: string;
}

/** What an inbox needs. */
export interface InboxParts {
  /** Undefined when no peer may put files here. */
  readonly options: InboxOptions | undefined;
  readonly folder: Folder;
  readonly share: Share;
  readonly state: State;
  /** Room on the disk that is kept for this peer's own state. */
  readonly reserve: DiskReserve;
  /** The pace of all that is received. */
  readonly pace: Pace | undefined;
  readonly onEvent: (event: InboxEvent) => void;
}

/** A peer that puts a file here. */
export interface Sender {
  readonly who: Who;
  readonly connection: Connection;
  /**
   * Resolves when the owner of this peer allows it.
   *
   * @throws {Failure} "refused".
   */
  allow(): Promise<void>;
  /** Informs the sender how many are before it in the queue. */
  reportPlace(before: number): Promise<void>;
  /** Informs the sender how much has arrived. */
  reportProgress(done: number, checking: boolean): void;
}

/** A picture that a peer wants to show, with its SHA-256 in hex. */
type Picture = Pick<DataOf<typeof Show>, "name" | "size" | "sha256">;

/** Room that is reserved for a picture until this is disposed of. */
export interface ReservedPicture extends Disposable {
  /**
   * Stores the picture.
   *
   * @returns Its name in the shared folder.
   * @throws {Failure} "no-access", "disk-full".
   */
  store(bytes: Uint8Array): string;
}

/** The inbox of one peer. */
export class Inbox implements AsyncDisposable {
  readonly #parts: InboxParts;
  readonly #files: ReceivedFiles;
  readonly #arrivals: Arrivals;
  readonly #receiving = new Set<Promise<unknown>>();
  /** The senders that wait because enough files are arriving. */
  readonly #queue = new FairQueue(INBOX_RUNNING_MAX);

  constructor(parts: InboxParts) {
    const { state, folder, options, reserve, onEvent } = parts;
    this.#parts = parts;
    this.#files = new ReceivedFiles(state, folder);
    this.#arrivals = new Arrivals({
      files: this.#files,
      quota: options?.quota ?? 0,
      reserve,
      onDiskFull: () => onEvent({ event: "inbox-full", path: folder.path }),
    });
  }

  /** @throws {Failure} "refused" when this peer has no inbox. */
  checkOpen(): void {
    if (this.#parts.options !== undefined) return;
    throw new Failure("refused", "This peer has no inbox", { hint: "ask its owner to start it with --inbox" });
  }

  /**
   * Receives a file from a peer. After a failure of the connection, the next attempt continues
   * where this one ended.
   *
   * @throws {Failure} "refused" when there is no room or no consent, "bad-name", "closed", and the
   * failures of the connection.
   */
  async take(sender: Sender, offer: DataOf<typeof Put>): Promise<ReplyOf<typeof Put>> {
    const { who, connection } = sender;
    const name = `${senderFolder(who, this.#parts.state)}/${storedName(offer.name)}`;
    const offered = { sender: who.id, root: offer.root, size: offer.size, name };
    await this.#arrivals.stopEarlier(offered);
    using arrival = await this.#arrivals.admit(offered, connection);
    const { file, isNew } = arrival;
    if (file.modified !== undefined) return { name: file.name, alreadyHere: true };
    const got = { bytes: 0 };
    try {
      await sender.allow();
      const asker = { key: who.id, address: connection.remote.host };
      using _turn = await this.#queue.take(asker, (before) => sender.reportPlace(before));
      const received = this.#receive(file, sender, got);
      this.#receiving.add(received);
      return { name: await received.finally(() => this.#receiving.delete(received)), alreadyHere: false };
    } catch (thrown) {
      const isFull = failedWith(thrown, "disk-full") && !thrown.remote;
      if (isFull) this.#arrivals.noteFullDisk();
      // What has arrived of a failed file is deleted, which makes room at once. The sender can put
      // the file again when there is room for all of it.
      if (isFull || (isNew && got.bytes === 0)) await this.#files.discard(file);
      throw thrown;
    }
  }

  /**
   * Reserves room for a picture, which counts like a file that is put.
   *
   * @returns The room; undefined when there is no inbox.
   * @throws {Failure} "refused" when there is no room, "busy" when the same picture is arriving
   * already.
   */
  async reservePicture(
    visitor: Pick<Sender, "who" | "connection">,
    picture: Picture,
  ): Promise<ReservedPicture | undefined> {
    const { folder, state, options } = this.#parts;
    if (options === undefined) return undefined;
    const { who, connection } = visitor;
    const name = `${senderFolder(who, state)}/${storedName(picture.name)}`;
    // A picture has no root. Its SHA-256 identifies it among the files of its sender.
    const offered = { sender: who.id, root: picture.sha256, size: picture.size, name };
    const arrival = await this.#arrivals.admit(offered, connection);
    const { file } = arrival;
    let isStored = file.modified !== undefined;
    return {
      store: (bytes) => {
        if (isStored) return file.name;
        try {
          const placed = placeBytes(bytes, folder.incomingPath(undefined), folder.path, file.name);
          this.#files.write({ ...file, ...placed });
          isStored = true;
          return placed.name;
        } catch (thrown) {
          if (failedWith(thrown, "disk-full")) this.#arrivals.noteFullDisk();
          throw thrown;
        }
      },
      [Symbol.dispose]: () => {
        arrival[Symbol.dispose]();
        if (!isStored) this.#files.forget(file);
      },
    };
  }

  /**
   * Deletes a file for the peer that has put it here.
   *
   * @param name The whole name, or its last part.
   * @throws {Failure} "not-found", "file-changed".
   */
  async takeBack({ id, key, name: peer }: Who, name: string): Promise<string> {
    const own = this.#files.all().filter((file) => file.sender === id && !this.#arrivals.has(file));
    const file = own.findLast((each) => each.name === name) ?? own.findLast((each) => lastPart(each.name) === name);
    if (file === undefined) {
      const last = own.slice(-3).map((each) => `"${lastPart(each.name)}"`).join(", ");
      throw new Failure("not-found", `The inbox has no file "${printable(name)}" from you`, {
        hint: last === "" ? "" : `your latest files there: ${last}`,
      });
    }
    await this.#delete(file);
    this.#parts.onEvent({ event: "taken-back", peer, id, key, name: file.name });
    return file.name;
  }

  /**
   * Deletes a file of this peer's folder: a shared one, or one of the inbox.
   *
   * @throws {Failure} "not-found", "file-changed", "no-access".
   */
  async deleteOwn(name: string): Promise<string> {
    const received = this.#files.all().find((file) => file.name === name && file.modified !== undefined);
    const shared = this.#parts.share.files.get(name);
    if (received !== undefined) await this.#delete(received);
    else if (shared !== undefined) this.#parts.share.remove(shared);
    else {
      throw new Failure("not-found", `You do not share "${printable(name)}"`, {
        hint: "see what you share with: files",
      });
    }
    return name;
  }

  /**
   * Closes the connections of files that are arriving, and waits until nothing is written any more.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#files.close();
    this.#arrivals.close();
    await Promise.allSettled(this.#receiving);
  }

  /**
   * Fetches a file over the sender's connection.
   *
   * @returns The name under which it is stored.
   */
  async #receive(file: ReceivedFile, sender: Sender, got: { bytes: number }): Promise<string> {
    const { folder, share, pace, onEvent } = this.#parts;
    const { size, root } = file;
    using unfinished = await UnfinishedFile.open(folder, file);
    // From here on, this peer sends the requests on the connection.
    sender.reportProgress(0, true);
    const { digests, traits } = await receiveFile({
      connection: sender.connection,
      root,
      size,
      file: unfinished,
      pace,
      onProgress: (done, checking) => {
        if (!checking) got.bytes = done;
        sender.reportProgress(done, checking);
      },
    });
    const name = await unfinished.finish(folder.path, file.name, size, traits);
    const modified = Deno.lstatSync(folder.pathOf(name)).mtime?.getTime() ?? 0;
    got.bytes = Math.max(1, size);
    this.#files.write({ ...file, name, modified });
    if (folder.mayShare(name)) share.adopt({ name, size, modified, root }, digests);
    const { name: peer, id, key } = sender.who;
    onEvent({ event: "received", peer, id, key, name, size });
    return name;
  }

  async #delete(file: ReceivedFile): Promise<void> {
    const { name, size, modified } = file;
    if (modified === undefined) return await this.#files.discard(file);
    try {
      this.#parts.share.remove({ name, size, modified });
    } finally {
      // A file that was changed or moved belongs to the owner, and no longer to the sender.
      if (!this.#files.isWhole(file)) this.#files.forget(file);
    }
  }
}

/** @throws {Failure} "bad-name", also for a path: folders cannot be put. */
function storedName(name: string): string {
  if (!name.includes("/")) return receivedName(name);
  throw new Failure("bad-name", `Cannot store "${printable(name)}": it is a path, not a name`);
}
