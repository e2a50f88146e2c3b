/**
 * Puts files into the inboxes of other peers, and takes them back: all that a peer does there. Called by the shell.
 * @module
 */

import { basename } from "node:path";
import type { Clock } from "../../core/flow/clock.ts";
import { DIGEST_BYTES, PIECE_BYTES } from "../../core/content.ts";
import { Failure } from "../../core/failure.ts";
import type { Pace } from "../../core/flow/pace.ts";
import { printable } from "../../core/printable.ts";
import type { Random } from "../../core/random.ts";
import { ask } from "../../net/caller.ts";
import { Remove } from "../../protocol/inbox.ts";
import { openNamed } from "../../store/files/folder.ts";
import { Hasher } from "../../store/share/hasher.ts";
import { pathsLike } from "../../store/files/path_names.ts";
import type { SharedFile } from "../../store/share/file_list.ts";
import type { Share } from "../../store/share/share.ts";
import type { Contacts } from "../find/contacts.ts";
import type { Offer } from "./offer.ts";
import { type PutResult, RunningPut } from "./running_put.ts";
import type { TransferView } from "../get/transfer.ts";

/** What putting needs. */
export interface PutParts {
  readonly contacts: Pick<Contacts, "find" | "reach">;
  readonly share: Share;
  readonly clock: Clock;
  readonly random: Random;
  /** The pace of all that is sent. */
  readonly pace: Pace | undefined;
}

type Version = Pick<Offer, "size" | "modified">;
type Hashed = Pick<Offer, "root" | "digests">;

/** A file that is being put, and the promise of its end. */
export interface StartedPut {
  readonly put: RunningPut;
  readonly result: Promise<PutResult>;
}

/** What one peer puts elsewhere. */
export class Puts implements AsyncDisposable {
  readonly #parts: PutParts;
  readonly #hasher = new Hasher();
  readonly #running = new Map<RunningPut, Promise<unknown>>();

  constructor(parts: PutParts) {
    this.#parts = parts;
  }

  /**
   * Begins to put a file into a peer's inbox. `what` is the number of a file in the list of what one shares, its name there, or a path. Fails:
   * "not-found", "no-access", "usage" when there is no such file; the rest of what can go wrong is told by the result.
   */
  start(what: string, peer: string): StartedPut {
    const shared = this.#shared(what);
    const path = shared === undefined ? what : this.#parts.share.pathOf(shared);
    using open = openNamed(path);
    const { path: real, size, modified, executable } = open;
    const file = { path: real, name: basename(path), size, modified, executable, pace: this.#parts.pace };
    const put = new RunningPut(file, peer, {
      ...this.#parts,
      hash: (told) => this.#known(shared, file) ?? this.#hash(file, told),
    });
    const result = put.run();
    result.catch(() => {});
    this.#running.set(put, result.catch(() => {}).finally(() => this.#running.delete(put)));
    return { put, result };
  }

  /** Deletes what this peer put into another's inbox. Shape: what it was called there. Fails: "refused", "not-found", "file-changed". */
  async takeBack(name: string, peer: string): Promise<{ name: string; peer: string }> {
    using reached = await this.#parts.contacts.reach(peer);
    const { data } = await ask(reached.connection, Remove, { name });
    return { name: data.name, peer: reached.peer.name };
  }

  /** Paths that begin like what was typed, at most `limit`. */
  suggestPaths(typed: string, limit: number): Promise<string[]> {
    return pathsLike(typed, limit);
  }

  /** How those stand that are under way. */
  views(): TransferView[] {
    return Array.from(this.#running.keys(), (put) => put.view());
  }

  /** Stops all that is under way; what has arrived stays there. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const put of this.#running.keys()) put.stop();
    this.#hasher[Symbol.dispose]();
    await Promise.all(this.#running.values());
  }

  /** A file that this peer shares, by its number in the list of them or by its name. */
  #shared(what: string): SharedFile | undefined {
    const { files } = this.#parts.share;
    const number = /^[1-9]\d{0,5}$/.test(what) ? Number(what) : undefined;
    const row = number === undefined ? undefined : files.page(undefined, number).files[number - 1];
    return row ?? files.get(what);
  }

  /** The digests of a file that is shared and hashed; undefined when it is another version, or not hashed. */
  #known(shared: SharedFile | undefined, { size, modified }: Version): Promise<Hashed> | undefined {
    const { root } = shared ?? {};
    if (shared === undefined || root === undefined || shared.size !== size || shared.modified !== modified) return;
    return this.#parts.share.pieces(shared, 0).then(({ digests }) => ({ root, digests }));
  }

  async #hash({ path, size, modified }: Version & { path: string }, told: (done: number) => void): Promise<Hashed> {
    const job = this.#hasher.start(path, { urgent: true });
    while (!job.ended) {
      told(Math.min(size, job.digests.length / DIGEST_BYTES * PIECE_BYTES));
      await job.news;
    }
    const hashed = await job.done;
    if (hashed.size === size && hashed.modified === modified) return hashed;
    throw new Failure("file-changed", `Cannot put "${printable(basename(path))}": it changed just now`, {
      hint: "put it again",
    });
  }
}
