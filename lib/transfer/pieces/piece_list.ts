/**
 * The digests that the pieces of a download are compared with. When the root is known, no digest is
 * used before the whole list has been compared with it. While the owner is still hashing the file
 * there is no root. Then each digest is used as it arrives, because there is nothing else to
 * compare with, and the root follows from the complete list.
 * @module
 */

import { Bell } from "../../core/flow/bell.ts";
import { DIGEST_BYTES, digestAt, pieceCount, rootOf } from "../../core/content.ts";
import { Failure } from "../../core/failure.ts";
import { EMPTY_DIGEST_ANSWERS_MAX, PAGE_DIGESTS_MAX } from "../../core/limits.ts";
import { askAndRead, type AskOptions } from "../../net/caller.ts";
import type { Connection } from "../../net/connection.ts";
import { Pieces } from "../../protocol/files.ts";
import type { Traits } from "../../store/files/traits.ts";
import type { DownloadTools } from "../content/download_tools.ts";

/** What to ask a source for: a content by its root, or a file by its name while it has no root. */
export type Target = { readonly root: string } | { readonly name: string };

/** How digests are fetched. */
export interface ListOptions extends Pick<DownloadTools, "pace"> {
  readonly onNews?: AskOptions["onNews"] | undefined;
  /** Whether the first answer has to have all digests. Default: false. */
  readonly isOnce?: boolean | undefined;
}

/** The digests of one file. Some may still be arriving. */
export class PieceList {
  readonly size: number;
  readonly #digests: Uint8Array;
  #known = 0;
  #root: string | undefined;
  readonly #news = new Bell();
  #failure: unknown;
  #traits: Traits = {};

  constructor(size: number) {
    this.size = size;
    this.#digests = new Uint8Array(pieceCount(size) * DIGEST_BYTES);
    if (size === 0) this.#root = rootOf(size, this.#digests);
  }

  /** The root; undefined until all digests are known. */
  get root(): string | undefined {
    return this.#root;
  }

  /** How many digests can be used. */
  get known(): number {
    return this.#known;
  }

  /** What the source of the digests says about the file beside its bytes. It cannot be verified. */
  get traits(): Traits {
    return this.#traits;
  }

  /** All digests, concatenated. Complete only when there is a root. */
  get digests(): Uint8Array {
    return this.#digests;
  }

  /**
   * Waits for the digest of one piece.
   *
   * @throws {Failure} As the source of the digests does.
   */
  async digest(index: number): Promise<Uint8Array> {
    while (index >= this.#known) {
      if (this.#failure !== undefined) throw this.#failure;
      await this.#news.next;
    }
    return digestAt(this.#digests, index);
  }

  /**
   * Waits for the root, until all digests are known.
   *
   * @throws {Failure} As the source of the digests does.
   */
  async complete(): Promise<string> {
    while (this.#root === undefined) {
      if (this.#failure !== undefined) throw this.#failure;
      await this.#news.next;
    }
    return this.#root;
  }

  /**
   * Asks a source for all digests. When the target has a root, no digest is available before all of
   * them match it.
   *
   * @param options With `onNews`, the source may ask its owner for consent first.
   * @throws {Failure} "corrupt" when the digests do not match the root, "file-changed" when the
   * source has another version of the file by now, "timeout" when it does not hash the file; and as
   * the connection does.
   */
  async fetch(connection: Connection, target: Target, options: ListOptions = {}): Promise<void> {
    const { pace, onNews, isOnce = false } = options;
    const wanted = "root" in target ? target.root : undefined;
    let fetched = 0;
    let version: number | undefined;
    let emptyAnswers = 0;
    try {
      while (this.#root === undefined) {
        const question = { ...target, from: fetched, limit: PAGE_DIGESTS_MAX };
        const { data, end } = await askAndRead(connection, Pieces, question, async ({ data, bodyBytes }) => {
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
          return { data, end };
        }, { onNews });
        emptyAnswers = end === fetched ? emptyAnswers + 1 : 0;
        if (emptyAnswers > EMPTY_DIGEST_ANSWERS_MAX) throw new Failure("timeout", `"${data.name}" is not being hashed`);
        fetched = end;
        // The root follows from the digests, so a source need not send it.
        if (fetched * DIGEST_BYTES === this.#digests.length) this.#check(wanted ?? data.root);
        if (wanted === undefined || this.#root !== undefined) this.#announce(fetched);
        if (isOnce && this.#root === undefined) throw new Failure("timeout", `The digests of "${data.name}" are late`);
      }
    } catch (thrown) {
      this.fail(thrown);
      throw thrown;
    }
  }

  /**
   * Asks a source for all digests over a connection of their own, while it is still hashing and
   * beside everything else.
   *
   * @throws The reason of the signal; and as `connect` and `fetch` do.
   */
  async feed(
    connect: (signal: AbortSignal) => Promise<Connection>,
    target: Target,
    { signal, pace }: Pick<DownloadTools, "pace"> & { readonly signal: AbortSignal },
  ): Promise<void> {
    try {
      using connection = await connect(signal);
      signal.throwIfAborted();
      using _closing = connection.closeOn(signal);
      // A source that asks its owner also says so on the connection for bytes, where the wait is
      // counted.
      await this.fetch(connection, target, { pace, onNews: () => {} });
    } catch (thrown) {
      this.fail(thrown);
      throw thrown;
    }
  }

  /** Gives up. Every wait for an unknown digest fails with the reason. */
  fail(thrown: unknown): void {
    this.#failure = thrown;
    this.#announce(this.#known);
  }

  #check(wanted: string | undefined): void {
    const root = rootOf(this.size, this.#digests);
    if (wanted !== undefined && root !== wanted) {
      throw new Failure("corrupt", "The list of digests does not match the content asked for");
    }
    this.#root = root;
  }

  #announce(known: number): void {
    this.#known = known;
    this.#news.ring();
  }
}
