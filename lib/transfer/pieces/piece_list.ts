/**
 * The digests against which a download is checked. With a known root, none is believed before the whole list has been checked
 * against it. Without one (the owner has not hashed the file yet), the owner's digests are believed as they come: they are then all there is
 * to compare with, and the root follows from them.
 * @module
 */

import { DIGEST_BYTES, digestAt, pieceCount, rootOf } from "../../core/content.ts";
import { Failure } from "../../core/failure.ts";
import { PAGE_DIGESTS_MAX } from "../../core/limits.ts";
import type { Pace } from "../../core/flow/pace.ts";
import { ask, type AskOptions } from "../../net/caller.ts";
import type { Connection } from "../../net/connection.ts";
import { Pieces } from "../../protocol/files.ts";
import type { Traits } from "../../store/files/traits.ts";

/** Answers without a single digest, one after the other, after which a source is not going to hash the file. */
const EMPTY_ANSWERS_MAX = 30;

/** What to ask a source for: a content by its root, or a file by its name as long as it has none. */
export type Target = { readonly root: string } | { readonly name: string };

/** How digests are fetched. */
export interface ListOptions {
  readonly pace?: Pace | undefined;
  readonly onNews?: AskOptions["onNews"];
}

/** The digests of one file, perhaps still arriving. */
export class PieceList {
  readonly size: number;
  readonly #digests: Uint8Array;
  #known = 0;
  #root: string | undefined;
  #news = Promise.withResolvers<void>();
  #failure: unknown;
  #traits: Traits = {};

  constructor(size: number) {
    this.size = size;
    this.#digests = new Uint8Array(pieceCount(size) * DIGEST_BYTES);
    if (size === 0) this.#root = rootOf(size, this.#digests);
  }

  /** The root, once all digests are known. */
  get root(): string | undefined {
    return this.#root;
  }

  /** What the source that gave the digests says of the file beside its bytes. Nobody can verify it. */
  get traits(): Traits {
    return this.#traits;
  }

  /** All digests, concatenated. Only to be used once there is a root. */
  get digests(): Uint8Array {
    return this.#digests;
  }

  /** The digest of one piece, when it is known. Fails: as the source that gives the digests does. */
  async digest(index: number): Promise<Uint8Array> {
    while (index >= this.#known) {
      if (this.#failure !== undefined) throw this.#failure;
      await this.#news.promise;
    }
    return digestAt(this.#digests, index);
  }

  /** Resolves to the root, when all digests are known. */
  async complete(): Promise<string> {
    while (this.#root === undefined) {
      if (this.#failure !== undefined) throw this.#failure;
      await this.#news.promise;
    }
    return this.#root;
  }

  /**
   * Asks a source for all digests. Of a target with a root, none is given out before all match it. Fails: "corrupt" when they do not match,
   * "file-changed" when the source has another version of the file by now.
   *
   * @param options With `onNews`, the source may ask its owner for consent first.
   */
  async fetch(connection: Connection, target: Target, options: ListOptions = {}): Promise<void> {
    const { pace, onNews } = options;
    const wanted = "root" in target ? target.root : undefined;
    let fetched = 0;
    let version: number | undefined;
    let emptyAnswers = 0;
    try {
      while (this.#root === undefined) {
        const { data, bodyBytes } = await ask(connection, Pieces, {
          ...target,
          from: fetched,
          limit: PAGE_DIGESTS_MAX,
        }, { onNews });
        version ??= data.modified;
        this.#traits = { modified: data.modified, executable: data.executable };
        if (data.size !== this.size || data.modified !== version) {
          throw new Failure("file-changed", `"${data.name}" has changed since it was listed`);
        }
        const end = fetched + bodyBytes / DIGEST_BYTES;
        if (!Number.isInteger(end) || end * DIGEST_BYTES > this.#digests.length) {
          throw new Failure("malformed", `Got digests that do not fit a file of ${this.size} bytes`);
        }
        await connection.readBody(this.#digests.subarray(fetched * DIGEST_BYTES, end * DIGEST_BYTES), pace);
        emptyAnswers = bodyBytes === 0 ? emptyAnswers + 1 : 0;
        if (emptyAnswers > EMPTY_ANSWERS_MAX) throw new Failure("timeout", `"${data.name}" is not being hashed`);
        fetched = end;
        // The root follows from the digests: a source that keeps it back keeps nobody waiting.
        if (fetched * DIGEST_BYTES === this.#digests.length) this.#check(wanted ?? data.root);
        if (wanted === undefined || this.#root !== undefined) this.#tell(fetched);
      }
    } catch (thrown) {
      this.fail(thrown);
      throw thrown;
    }
  }

  /** Gives up: every wait for an unknown digest fails with the reason. */
  fail(thrown: unknown): void {
    this.#failure = thrown;
    this.#tell(this.#known);
  }

  #check(wanted: string | undefined): void {
    const root = rootOf(this.size, this.#digests);
    if (wanted !== undefined && root !== wanted) {
      throw new Failure("corrupt", "The list of digests does not match the content asked for");
    }
    this.#root = root;
  }

  #tell(known: number): void {
    this.#known = known;
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }
}
