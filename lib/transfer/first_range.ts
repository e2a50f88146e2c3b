/**
 * The first range of a download, which its only source is asked for together with the digests. Its
 * pieces wait until the digests are known and the download can use them. So the first bytes come
 * one round trip earlier. The source refuses when others download the same content, since a swarm
 * chooses its pieces by what the others have. Called by opening.ts.
 * @module
 */

import { PIECE_BYTES } from "../core/content.ts";
import { onAbort } from "../core/flow/on_abort.ts";
import type { Range } from "../core/range.ts";
import type { FetchOrder } from "./pieces/fetch.ts";
import { FIRST_SPAN_PIECES } from "./plan/plan.ts";
import type { SourceAtWork } from "./sources/source_at_work.ts";

/** Where the pieces of a first range go. */
export type FirstUse = Pick<FetchOrder, "sink" | "onWrite" | "onPiece">;

/** The first range, from its request until all of it is used, or until it is dropped. */
export class FirstRange {
  readonly #fetched: Promise<void>;
  readonly #source: SourceAtWork;
  readonly #use = Promise.withResolvers<FirstUse>();
  #used: FirstUse | undefined;

  /**
   * Asks for it.
   *
   * @param order Its `list` may still be empty.
   * @param signal Aborted when the pieces are not needed any more.
   */
  constructor(
    source: SourceAtWork,
    order: Omit<FetchOrder, keyof FirstUse | "isOnlyAlone">,
    signal: AbortSignal,
  ) {
    this.#source = source;
    const range = { start: 0, end: Math.min(order.list.size, FIRST_SPAN_PIECES * PIECE_BYTES) };
    this.#use.promise.catch(() => {});
    const dropping = onAbort(signal, () => this.#use.reject(signal.reason));
    const fetched = source.fetch(range, {
      ...order,
      isOnlyAlone: true,
      sink: { write: (offset, bytes) => this.#write(offset, bytes) },
      onPiece: (piece: Range) => this.#used?.onPiece(piece),
    });
    this.#fetched = fetched.finally(() => dropping[Symbol.dispose]());
    // Until it is used, its failure is also that of the digests.
    this.#fetched.catch(() => {});
  }

  /**
   * Lets its pieces go where they belong, and resolves when all have.
   *
   * @throws As `SourceAtWork.fetch` does.
   */
  async use(use: FirstUse): Promise<void> {
    this.#used = use;
    this.#use.resolve(use);
    await this.#fetched;
  }

  /** Ends it, because its pieces are not needed. */
  drop(reason: unknown): void {
    if (this.#used !== undefined) return;
    this.#source.release();
    this.#use.reject(reason);
  }

  async #write(offset: number, bytes: Uint8Array): Promise<void> {
    const { sink, onWrite } = await this.#use.promise;
    const written = sink.write(offset, bytes);
    onWrite?.(written);
    await written;
  }
}
