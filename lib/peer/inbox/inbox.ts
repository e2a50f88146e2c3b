/**
 * The inbox: what others put here, by whom, and whether there is room for more. A file arrives in `inbox/NAME OF WHO PUT IT/` once it is whole; who put
 * it is known by its key, in `.recess/recess.db`. Called by inbox_routes.ts for others, by the shell for the person.
 * @module
 */

import { failedWith, Failure } from "../../core/failure.ts";
import { INBOX_FILES_MAX, INBOX_FILES_PER_SENDER_MAX, INBOX_PARTS, INBOX_RUNNING_MAX } from "../../core/limits.ts";
import type { Pace } from "../../core/flow/pace.ts";
import { printable } from "../../core/printable.ts";
import { Slots } from "../../core/flow/slots.ts";
import type { Connection } from "../../net/connection.ts";
import type { Put } from "../../protocol/inbox.ts";
import type { DataOf, ReplyOf } from "../../protocol/message.ts";
import type { Show } from "../../protocol/show.ts";
import type { DiskReserve } from "../../store/files/disk_reserve.ts";
import type { Folder } from "../../store/files/folder.ts";
import { placeBytes } from "../../store/files/place.ts";
import { receivedName } from "../../store/files/received_name.ts";
import { isThere } from "../../store/share/remove_file.ts";
import type { Share } from "../../store/share/share.ts";
import type { ReceivedFile, State } from "../../store/state/state.ts";
import { UnfinishedFile } from "../../store/files/unfinished_file.ts";
import { receiveFile } from "../../transfer/receive.ts";
import { drawerOf } from "./drawers.ts";
import { type Held, type InboxBounds, roomFor } from "./inbox_room.ts";
import { FairQueue } from "../serve/fair_queue.ts";
import type { Who } from "../find/who.ts";

/** How a person wants the inbox. */
export interface InboxOptions {
  /** Whether what arrives is shared on. */
  readonly share: boolean;
  /** Bytes that it may hold. */
  readonly quota: number;
}

/** What the inbox tells. */
export type InboxEvent =
  | (Sent & { readonly event: "received"; readonly size: number })
  | (Sent & { readonly event: "taken-back" })
  /** Nothing more is taken, since the disk is full. */
  | { readonly event: "inbox-full"; readonly path: string };

/** A file, and who it is from. */
interface Sent extends Pick<Who, "id" | "key"> {
  readonly peer: string;
  readonly name: string;
}

/** What the inbox needs. */
export interface InboxParts {
  /** Without, nobody may put anything here. */
  readonly options: InboxOptions | undefined;
  readonly folder: Folder;
  readonly share: Share;
  readonly state: State;
  /** Room on the disk that no file of others takes. */
  readonly reserve: DiskReserve;
  /** The pace of all that is received. */
  readonly pace: Pace | undefined;
  readonly onEvent: (event: InboxEvent) => void;
}

/** Who puts something here. */
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

/** A picture that somebody wants to show, with SHA-256 of it in hex. */
type Picture = Pick<DataOf<typeof Show>, "name" | "size" | "sha256">;

/** Room that is held for a picture; given back where it is not kept. */
export interface HeldPicture extends Disposable {
  /** Stores the picture. Shape: its name in the shared folder. Fails: "no-access", "disk-full". */
  keep(bytes: Uint8Array): string;
}

/** A file that somebody wants to put here. */
type Offered = Pick<ReceivedFile, "sender" | "root" | "size" | "name">;

/** The inbox of one peer. */
export class Inbox implements AsyncDisposable {
  readonly #parts: InboxParts;
  readonly #bounds: InboxBounds;
  /** By number, in order of time. */
  readonly #files: Map<number, ReceivedFile>;
  /** Over which connection those arrive that are on their way. */
  readonly #running = new Map<number, { readonly connection: Connection; readonly over: Promise<void> }>();
  readonly #receiving = new Set<Promise<unknown>>();
  /** One is let in after the other, so that no room is given away twice. */
  readonly #gate = new Slots(1);
  /** The senders that wait because enough files are arriving. */
  readonly #queue = new FairQueue(INBOX_RUNNING_MAX);
  #lastNumber: number;
  /** Whether the disk was full when something was to be taken the last time. */
  #isDiskFull = false;
  #isClosed = false;

  constructor(parts: InboxParts) {
    this.#parts = parts;
    this.#files = new Map(parts.state.receivedFiles().map((file) => [file.number, file]));
    this.#lastNumber = Math.max(0, ...this.#files.keys());
    const bytes = parts.options?.quota ?? 0;
    this.#bounds = {
      bytes,
      bytesPerSender: Math.floor(bytes / INBOX_PARTS),
      files: INBOX_FILES_MAX,
      filesPerSender: INBOX_FILES_PER_SENDER_MAX,
    };
  }

  /** Fails: "refused" where nobody may put anything here, nor take it back. */
  demandOpen(): void {
    if (this.#parts.options !== undefined) return;
    throw new Failure("refused", "There is no inbox there", { hint: "ask them to start with --inbox" });
  }

  /** Takes a file. Fails: "refused" where there is no room or no consent, "bad-name", "closed"; and as receiving does: then it goes on next time. */
  async take(sender: Sender, offer: DataOf<typeof Put>): Promise<ReplyOf<typeof Put>> {
    const { who, connection } = sender;
    const name = `${drawerOf(who, this.#parts.state)}/${storedName(offer.name)}`;
    const over = Promise.withResolvers<void>();
    const offered = { sender: who.id, root: offer.root, size: offer.size, name };
    await this.#stopBefore(offered);
    const { file, isNew } = await this.#gate.run(async () => {
      const letIn = await this.#letIn(offered);
      if (letIn.file.modified === undefined) this.#running.set(letIn.file.number, { connection, over: over.promise });
      return letIn;
    });
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
      if (isFull) this.#noteFullDisk();
      // What is given up makes room at once; a sender can put it again when there is enough for all of it.
      if (isFull || (isNew && got.bytes === 0)) await this.#throwAway(file);
      throw thrown;
    } finally {
      this.#running.delete(file.number);
      over.resolve();
    }
  }

  /**
   * Holds room for a picture, which counts like a file that is put. Shape: what keeps it; undefined where there is no inbox. Fails: "refused" where there is
   * no room, "busy".
   */
  async holdPicture(visitor: Pick<Sender, "who" | "connection">, picture: Picture): Promise<HeldPicture | undefined> {
    const { folder, state, options } = this.#parts;
    if (options === undefined) return undefined;
    const { who, connection } = visitor;
    const name = `${drawerOf(who, state)}/${storedName(picture.name)}`;
    // What is agreed on of a picture is SHA-256 of all of it, so that is what tells it from others here.
    const offered = { sender: who.id, root: picture.sha256, size: picture.size, name };
    const over = Promise.withResolvers<void>();
    const { file } = await this.#gate.run(async () => {
      const letIn = await this.#letIn(offered);
      if (letIn.file.modified === undefined) this.#running.set(letIn.file.number, { connection, over: over.promise });
      return letIn;
    });
    let isKept = file.modified !== undefined;
    return {
      keep: (bytes) => {
        if (isKept) return file.name;
        try {
          const placed = placeBytes(bytes, folder.statePath("incoming"), folder.path, file.name);
          this.#write({ ...file, ...placed });
          isKept = true;
          return placed.name;
        } catch (thrown) {
          if (failedWith(thrown, "disk-full")) this.#noteFullDisk();
          throw thrown;
        }
      },
      [Symbol.dispose]: () => {
        this.#running.delete(file.number);
        over.resolve();
        if (!isKept) this.#forget(file);
      },
    };
  }

  /** Deletes what a peer put here itself. `name` is the whole name, or its last part. Fails: "not-found", "file-changed". */
  async takeBack({ id, key, name: peer }: Who, name: string): Promise<string> {
    const own = this.#all().filter((file) => file.sender === id && !this.#running.has(file.number));
    const file = own.findLast((each) => each.name === name) ?? own.findLast((each) => lastPart(each.name) === name);
    if (file === undefined) {
      const last = own.slice(-3).map((each) => `"${lastPart(each.name)}"`).join(", ");
      throw new Failure("not-found", `You have put no "${printable(name)}" there`, {
        hint: last === "" ? "" : `what you put there last: ${last}`,
      });
    }
    await this.#delete(file);
    this.#parts.onEvent({ event: "taken-back", peer, id, key, name: file.name });
    return file.name;
  }

  /** Deletes a file of this peer's folder: one that it shares, or one of the inbox. Fails: "not-found", "file-changed", "no-access". */
  async deleteOwn(name: string): Promise<string> {
    const received = this.#all().find((file) => file.name === name && file.modified !== undefined);
    const shared = this.#parts.share.files.get(name);
    if (received !== undefined) await this.#delete(received);
    else if (shared !== undefined) this.#parts.share.remove(shared);
    else {
      throw new Failure("not-found", `You share no "${printable(name)}"`, { hint: "see what you share with: files" });
    }
    return name;
  }

  /** Waits for what is being written, which ends when its connection does. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    for (const { connection } of this.#running.values()) connection.close();
    await Promise.allSettled(this.#receiving);
  }

  #all(): ReceivedFile[] {
    return [...this.#files.values()];
  }

  /** Ends an earlier attempt at the same: who starts anew may not know yet that the connection before is dead. */
  async #stopBefore(offered: Offered): Promise<void> {
    for (const { number } of this.#same(offered)) {
      const before = this.#running.get(number);
      before?.connection.close(new Failure("cancelled", "The same file is put again"));
      await before?.over;
    }
  }

  /** Finds room. Shape: the file as it is whole already, or as it is written down now. Fails: "refused", "busy". */
  async #letIn(offered: Offered): Promise<{ file: ReceivedFile; isNew: boolean }> {
    if (this.#isClosed) throw new Failure("closed", "The peer is closing");
    const same = this.#same(offered);
    const whole = same.find((file) => this.#isWhole(file));
    if (whole !== undefined) return { file: whole, isNew: false };
    const begun = same.find(({ modified }) => modified === undefined);
    if (begun !== undefined && this.#running.has(begun.number)) {
      throw new Failure("busy", `"${printable(lastPart(offered.name))}" is being put already`);
    }
    const giveWay = this.#judge(offered, begun);
    this.#demandRoom();
    for (const number of giveWay) {
      const file = this.#files.get(number);
      if (file !== undefined) await this.#throwAway(file);
    }
    const file = { ...offered, number: begun?.number ?? ++this.#lastNumber, modified: undefined };
    this.#write(file);
    return { file, isNew: begun === undefined };
  }

  /** Fails: "disk-full" when the disk has no room beside what this peer needs itself. */
  #demandRoom(): void {
    try {
      this.#parts.reserve.hold();
      this.#isDiskFull = false;
    } catch (thrown) {
      if (failedWith(thrown, "disk-full")) this.#noteFullDisk();
      throw thrown;
    }
  }

  #noteFullDisk(): void {
    this.#parts.reserve.release();
    if (!this.#isDiskFull) this.#parts.onEvent({ event: "inbox-full", path: this.#parts.folder.path });
    this.#isDiskFull = true;
  }

  #same({ sender, root, size }: Offered): ReceivedFile[] {
    return this.#all().filter((file) => file.sender === sender && file.root === root && file.size === size);
  }

  /** Shape: the numbers of those that give way. Fails: "refused". */
  #judge(offered: Offered, begun: ReceivedFile | undefined): readonly number[] {
    const judge = (): ReturnType<typeof roomFor> => roomFor(offered, this.#held(begun), this.#bounds);
    let verdict = judge();
    if (verdict.kind === "out") {
      // What the person has moved, changed or deleted is no longer in the inbox.
      for (const file of this.#all()) if (file.modified !== undefined && !this.#isWhole(file)) this.#forget(file);
      verdict = judge();
    }
    if (verdict.kind === "out") throw verdict.failure;
    return verdict.giveWay;
  }

  #held(except: ReceivedFile | undefined): Held[] {
    return this.#all().filter(({ number }) => number !== except?.number).map(({ number, sender, size, modified }) => {
      const state = modified !== undefined ? "whole" : this.#running.has(number) ? "running" : "interrupted";
      return { number, sender, size, state };
    });
  }

  /** Fetches the bytes over the sender's connection. Shape: the name that the file got. */
  async #receive(file: ReceivedFile, sender: Sender, got: { bytes: number }): Promise<string> {
    const { folder, share, pace, onEvent } = this.#parts;
    const { size, root } = file;
    using unfinished = await UnfinishedFile.open(folder, file);
    // From here on the connection is used the other way round.
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
    this.#write({ ...file, name, modified });
    if (folder.mayShare(name)) share.adopt({ name, size, modified, root }, digests);
    const { name: peer, id, key } = sender.who;
    onEvent({ event: "received", peer, id, key, name, size });
    return name;
  }

  async #delete(file: ReceivedFile): Promise<void> {
    const { name, size, modified } = file;
    if (modified === undefined) return await this.#throwAway(file);
    try {
      this.#parts.share.remove({ name, size, modified });
    } finally {
      // What has changed or gone is the person's, and no longer the sender's.
      if (!this.#isWhole(file)) this.#forget(file);
    }
  }

  #isWhole({ name, size, modified }: ReceivedFile): boolean {
    return modified !== undefined && isThere(this.#parts.folder, { name, size, modified });
  }

  /** Forgets what was interrupted, and removes what is there of it. */
  async #throwAway(file: ReceivedFile): Promise<void> {
    this.#forget(file);
    await UnfinishedFile.discard(this.#parts.folder, file);
  }

  #write(file: ReceivedFile): void {
    this.#files.set(file.number, file);
    this.#parts.state.putReceived(file);
  }

  #forget({ number }: ReceivedFile): void {
    this.#files.delete(number);
    // When the peer closes, the database may be closed already; what is written there is only counted as interrupted.
    if (!this.#isClosed) this.#parts.state.dropReceived(number);
  }
}

/** Fails: "bad-name" also for what comes in folders: nobody puts a folder. */
function storedName(name: string): string {
  if (!name.includes("/")) return receivedName(name);
  throw new Failure("bad-name", `Cannot store "${printable(name)}": it is a path, not a name`);
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}
