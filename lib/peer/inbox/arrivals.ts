/**
 * The files that are arriving in an inbox: finds room for each before its first byte, and lists
 * them until they are over. Called by inbox.ts. The decision about room is in inbox_room.ts.
 * @module
 */

import { failedWith, Failure } from "../../core/failure.ts";
import { Slots } from "../../core/flow/slots.ts";
import { INBOX_FILES_MAX, INBOX_FILES_PER_SENDER_MAX, INBOX_PARTS } from "../../core/limits.ts";
import { printable } from "../../core/printable.ts";
import type { Connection } from "../../net/connection.ts";
import type { DiskReserve } from "../../store/files/disk_reserve.ts";
import type { ReceivedFile } from "../../store/state/state.ts";
import { type InboxBounds, roomFor } from "./inbox_room.ts";
import { lastPart, type Offered, type ReceivedFiles } from "./received_files.ts";

/** What arrivals need. */
export interface ArrivalsParts {
  readonly files: ReceivedFiles;
  /** How many bytes the inbox may hold. */
  readonly quota: number;
  /** Room on the disk that is kept for this peer's own state. */
  readonly reserve: DiskReserve;
  /** Called when the disk is full, and was not at the attempt before. */
  readonly onDiskFull: () => void;
}

/** A file that was admitted. It counts as arriving until this is disposed of. */
export interface Arrival extends Disposable {
  /**
   * The file as it is listed. One that has `modified` had arrived before, and need not be sent
   * again.
   */
  readonly file: ReceivedFile;
  /** Whether nothing of the file has arrived before. */
  readonly isNew: boolean;
}

/** The files that are arriving in one inbox. */
export class Arrivals {
  readonly #parts: ArrivalsParts;
  readonly #bounds: InboxBounds;
  /** By number: the connection of each file, and a promise that resolves when the file is over. */
  readonly #running = new Map<number, { readonly connection: Connection; readonly over: Promise<void> }>();
  /** Files are admitted one after the other, so that no room is given away twice. */
  readonly #gate = new Slots(1);
  /** Whether the disk was full at the last attempt to store a file. */
  #isDiskFull = false;
  #isClosed = false;

  constructor(parts: ArrivalsParts) {
    this.#parts = parts;
    this.#bounds = {
      bytes: parts.quota,
      bytesPerSender: Math.floor(parts.quota / INBOX_PARTS),
      files: INBOX_FILES_MAX,
      filesPerSender: INBOX_FILES_PER_SENDER_MAX,
    };
  }

  /** Whether a file is arriving now. */
  has({ number }: ReceivedFile): boolean {
    return this.#running.has(number);
  }

  /**
   * Admits a file when there is room for it. Interrupted files may be deleted for it.
   *
   * @throws {Failure} "refused" when there is no room, "busy" when the same file is arriving,
   * "closed", "disk-full".
   */
  async admit(offered: Offered, connection: Connection): Promise<Arrival> {
    const over = Promise.withResolvers<void>();
    const { file, isNew } = await this.#gate.run(async () => {
      const admitted = await this.#findRoom(offered);
      const { number, modified } = admitted.file;
      if (modified === undefined) this.#running.set(number, { connection, over: over.promise });
      return admitted;
    });
    return {
      file,
      isNew,
      [Symbol.dispose]: () => {
        this.#running.delete(file.number);
        over.resolve();
      },
    };
  }

  /**
   * Ends an earlier attempt to put the same file. This peer may not know yet that its connection is
   * dead.
   */
  async stopEarlier(offered: Offered): Promise<void> {
    for (const { number } of this.#parts.files.same(offered)) {
      const earlier = this.#running.get(number);
      earlier?.connection.close(new Failure("cancelled", "The same file is being put again"));
      await earlier?.over;
    }
  }

  /** Notes that the disk was full when a file was to be stored. */
  noteFullDisk(): void {
    this.#parts.reserve.release();
    if (!this.#isDiskFull) this.#parts.onDiskFull();
    this.#isDiskFull = true;
  }

  /** Closes the connections of all files that are arriving, and admits no more. */
  close(): void {
    this.#isClosed = true;
    for (const { connection } of this.#running.values()) connection.close();
  }

  async #findRoom(offered: Offered): Promise<{ file: ReceivedFile; isNew: boolean }> {
    const { files } = this.#parts;
    if (this.#isClosed) throw new Failure("closed", "The peer is closing");
    const same = files.same(offered);
    const whole = same.find((file) => files.isWhole(file));
    if (whole !== undefined) return { file: whole, isNew: false };
    const begun = same.find(({ modified }) => modified === undefined);
    if (begun !== undefined && this.has(begun)) {
      throw new Failure("busy", `"${printable(lastPart(offered.name))}" is arriving already`);
    }
    const toDelete = this.#judge(offered, begun);
    this.#checkDisk();
    for (const number of toDelete) {
      const file = files.get(number);
      if (file !== undefined) await files.discard(file);
    }
    return { file: files.begin(offered, begun), isNew: begun === undefined };
  }

  /**
   * Decides whether the inbox has room for a file.
   *
   * @returns The numbers of interrupted files that have to be deleted for it.
   * @throws {Failure} "refused".
   */
  #judge(offered: Offered, begun: ReceivedFile | undefined): readonly number[] {
    const { files } = this.#parts;
    const isRunning = (number: number): boolean => this.#running.has(number);
    const judge = (): ReturnType<typeof roomFor> => {
      return roomFor(offered, files.counted({ except: begun, isRunning }), this.#bounds);
    };
    let verdict = judge();
    if (verdict.kind === "refused") {
      files.forgetChanged();
      verdict = judge();
    }
    if (verdict.kind === "refused") throw verdict.failure;
    return verdict.toDelete;
  }

  /**
   * Makes sure that the disk still has the room that is kept for this peer's own state.
   *
   * @throws {Failure} "disk-full".
   */
  #checkDisk(): void {
    try {
      this.#parts.reserve.hold();
      this.#isDiskFull = false;
    } catch (thrown) {
      if (failedWith(thrown, "disk-full")) this.noteFullDisk();
      throw thrown;
    }
  }
}
