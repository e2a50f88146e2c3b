/**
 * Puts files into the inboxes of other peers, and removes them again. Called by the shell.
 * @module
 */

import { basename } from "node:path";
import { DIGEST_BYTES, PIECE_BYTES } from "../../core/content.ts";
import { Failure } from "../../core/failure.ts";
import type { Pace } from "../../core/flow/pace.ts";
import { printable } from "../../core/printable.ts";
import { ask } from "../../net/caller.ts";
import { Remove } from "../../protocol/inbox.ts";
import { openNamed } from "../../store/files/folder.ts";
import { Hasher } from "../../store/share/hasher.ts";
import { pathsLike } from "../../store/files/path_names.ts";
import type { SharedFile } from "../../store/share/file_list.ts";
import type { Share } from "../../store/share/share.ts";
import type { Offer } from "./offer.ts";
import { type PutResult, RunningPut, type RunningPutParts } from "./running_put.ts";
import type { TransferView } from "../get/transfer.ts";

/** What putting files needs. */
export interface PutParts extends Omit<RunningPutParts, "hash"> {
  readonly share: Share;
  /** The pace of all that is sent. */
  readonly pace: Pace | undefined;
}

type Version = Pick<Offer, "size" | "modified">;
type Hashed = Pick<Offer, "root" | "digests">;

/** A file that is being put, and its result. */
export interface StartedPut {
  readonly put: RunningPut;
  readonly result: Promise<PutResult>;
}

/** The files that one peer puts into the inboxes of others. */
export class Puts implements AsyncDisposable {
  readonly #parts: PutParts;
  readonly #hasher = new Hasher();
  readonly #running = new Map<RunningPut, Promise<unknown>>();

  constructor(parts: PutParts) {
    this.#parts = parts;
  }

  /**
   * Begins to put a file into a peer's inbox.
   *
   * @param what The number of a file in the list of this peer's shared files, its name there, or a
   * path.
   * @returns The put. Its result reports all other failures.
   * @throws {Failure} "not-found", "no-access", "usage" when there is no such file.
   */
  start(what: string, peer: string): StartedPut {
    const shared = this.#shared(what);
    const path = shared === undefined ? what : this.#parts.share.pathOf(shared);
    using open = openNamed(path);
    const { path: real, size, modified, executable } = open;
    const file = { path: real, name: basename(path), size, modified, executable, pace: this.#parts.pace };
    const { contacts, clock, random } = this.#parts;
    const put = new RunningPut(file, peer, {
      contacts,
      clock,
      random,
      hash: (onHashed) => this.#known(shared, file) ?? this.#hash(file, onHashed),
    });
    const result = put.run();
    result.catch(() => {});
    this.#running.set(put, result.catch(() => {}).finally(() => this.#running.delete(put)));
    return { put, result };
  }

  /**
   * Deletes a file that this peer has put into another's inbox.
   *
   * @returns The name that the file had in the folder of the other peer.
   * @throws {Failure} "refused", "not-found", "file-changed".
   */
  async takeBack(name: string, peer: string): Promise<{ name: string; peer: string }> {
    using reached = await this.#parts.contacts.reach(peer);
    const { data } = await ask(reached.connection, Remove, { name });
    return { name: data.name, peer: reached.peer.name };
  }

  /** Finds paths that begin with what was typed, at most `limit`. */
  suggestPaths(typed: string, limit: number): Promise<string[]> {
    return pathsLike(typed, limit);
  }

  /** The state of each put that is running. */
  views(): TransferView[] {
    return Array.from(this.#running.keys(), (put) => put.view());
  }

  /** Stops all running puts. What has arrived stays in the inboxes. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const put of this.#running.keys()) put.stop();
    this.#hasher[Symbol.dispose]();
    await Promise.all(this.#running.values());
  }

  /** Finds a shared file by its number in the list of shared files or by its name. */
  #shared(what: string): SharedFile | undefined {
    const { files } = this.#parts.share;
    const number = /^[1-9]\d{0,5}$/.test(what) ? Number(what) : undefined;
    const row = number === undefined ? undefined : files.page(undefined, number).files[number - 1];
    return row ?? files.get(what);
  }

  /**
   * The digests of a shared file; undefined when it is not hashed yet, or the path holds another
   * version of it.
   */
  #known(shared: SharedFile | undefined, { size, modified }: Version): Promise<Hashed> | undefined {
    const { root } = shared ?? {};
    if (shared === undefined || root === undefined || shared.size !== size || shared.modified !== modified) return;
    return this.#parts.share.pieces(shared, 0).then(({ digests }) => ({ root, digests }));
  }

  async #hash({ path, size, modified }: Version & { path: string }, onHashed: (done: number) => void): Promise<Hashed> {
    const job = this.#hasher.start(path, { urgent: true });
    while (!job.ended) {
      onHashed(Math.min(size, job.digests.length / DIGEST_BYTES * PIECE_BYTES));
      await job.news;
    }
    const hashed = await job.done;
    if (hashed.size === size && hashed.modified === modified) return hashed;
    throw new Failure("file-changed", `Cannot put "${printable(basename(path))}": it changed just now`, {
      hint: "put it again",
    });
  }
}
