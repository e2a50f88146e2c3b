/**
 * Puts one file into a peer's inbox: hashes it, offers it, sends what the peer asks for, and offers
 * it again when the connection breaks. Made by puts.ts.
 * @module
 */

import { backoffMs } from "../../core/flow/backoff.ts";
import { failedWith, Failure } from "../../core/failure.ts";
import { RETRIES_MAX, RETRY_FIRST_MS, RETRY_LAST_MS } from "../../core/limits.ts";
import type { Clock } from "../../core/flow/clock.ts";
import { Meter } from "../../core/flow/meter.ts";
import type { Random } from "../../core/random.ts";
import { askBothWays } from "../../net/both_ways.ts";
import { Asking, Queued } from "../../protocol/files.ts";
import { Put, Taken } from "../../protocol/inbox.ts";
import type { ReplyOf } from "../../protocol/message.ts";
import type { Contacts } from "../find/contacts.ts";
import type { TransferView } from "../get/transfer.ts";
import { type Offer, OFFER_ROUTES } from "./offer.ts";

/** The result of a put that has succeeded. */
export interface PutResult {
  readonly peer: string;
  readonly name: string;
  /** The file's name in the folder of the other peer. */
  readonly path: string;
  readonly size: number;
  readonly root: string;
  /** Whether the other peer already had the file. */
  readonly alreadyHere: boolean;
  /** Bytes that were sent. */
  readonly sent: number;
  readonly tookMs: number;
}

/** What one put needs. */
export interface RunningPutParts {
  readonly contacts: Pick<Contacts, "find" | "reach">;
  readonly clock: Clock;
  readonly random: Random;
  /** Finds the digests of the file. `onHashed` is called with how many bytes are hashed. */
  readonly hash: (onHashed: (done: number) => void) => Promise<Pick<Offer, "root" | "digests">>;
}

/** A put that is running. */
export class RunningPut {
  readonly file: Omit<Offer, "root" | "digests">;
  readonly peer: string;
  readonly #parts: RunningPutParts;
  readonly #meter = new Meter();
  readonly #stopping = new AbortController();
  #state: TransferView["state"] = "connecting";
  #done = 0;
  /** The most bytes that the other peer has reported as verified. */
  #most = 0;
  /** Bytes that the other peer had before this put. */
  #before: number | undefined;
  #place: number | undefined;
  #isAsking = false;
  #retries = 0;

  constructor(file: RunningPut["file"], peer: string, parts: RunningPutParts) {
    this.file = file;
    this.peer = peer;
    this.#parts = parts;
  }

  /** The state of the put, in the terms of downloads. */
  view(): TransferView {
    const { size, name } = this.file;
    const bytesPerSecond = this.#state === "running" ? this.#meter.bytesPerSecond(this.#parts.clock.now()) : 0;
    return {
      id: 0,
      name,
      size,
      state: this.#state,
      done: this.#done,
      bytesPerSecond,
      leftMs: bytesPerSecond > 0 ? (size - this.#done) / bytesPerSecond * 1000 : undefined,
      sources: [this.peer],
      before: this.#place,
      isAsking: this.#isAsking,
      retries: this.#retries,
      failure: undefined,
    };
  }

  /** Stops the put. What has arrived stays in the inbox. */
  stop(): void {
    this.#stopping.abort(new Failure("cancelled", `Putting "${this.file.name}" was stopped`));
  }

  /**
   * Puts the file.
   *
   * @throws {Failure} "not-found", "unreachable", "refused", "file-changed", the failures of the
   * other peer, and after some attempts those of the connection.
   */
  async run(): Promise<PutResult> {
    const { clock, random, hash } = this.#parts;
    const startMs = clock.now();
    // Look the peer up first, so that an unknown name fails before the file is hashed.
    const { name: peer } = await this.#parts.contacts.find(this.peer);
    this.#state = "checking";
    const offer = { ...this.file, ...await hash((done) => this.#done = done) };
    const { name, size, root } = offer;
    while (true) {
      try {
        const { name: path, alreadyHere } = await this.#attempt(offer);
        const sent = alreadyHere ? 0 : size - (this.#before ?? 0);
        return { peer, name, path, size, root, alreadyHere, sent, tookMs: clock.now() - startMs };
      } catch (thrown) {
        this.#stopping.signal.throwIfAborted();
        const failure = Failure.from(thrown, "internal", `Cannot put "${name}"`);
        if (!this.#isWorthRetrying(failure) || this.#retries >= RETRIES_MAX) throw failure;
        const bounds = { firstMs: RETRY_FIRST_MS, lastMs: RETRY_LAST_MS };
        this.#rest("connecting");
        await clock.delay(backoffMs(this.#retries++, bounds, random), this.#stopping.signal);
      }
    }
  }

  async #attempt(offer: Offer): Promise<ReplyOf<typeof Put>> {
    const { signal } = this.#stopping;
    this.#rest("connecting");
    using reached = await this.#parts.contacts.reach(this.peer, signal);
    const { connection } = reached;
    using _closing = connection.closeOn(signal);
    const { name, size, root } = offer;
    return await askBothWays(connection, Put, { name, size, root }, {
      routes: OFFER_ROUTES,
      context: offer,
      onNews: (event, data) => this.#hear(event, data),
    });
  }

  #hear(event: string, data: unknown): void {
    this.#isAsking = event === Asking.event;
    this.#place = event === Queued.event ? Queued.data.check(data, event).before : undefined;
    if (event !== Taken.event) return;
    const { done, checking } = Taken.data.check(data, event);
    const { size } = this.file;
    if (!checking) {
      this.#before ??= Math.min(done, size);
      if (done > this.#most) this.#retries = 0;
      this.#most = Math.max(this.#most, done);
      this.#meter.note(done, this.#parts.clock.now());
    }
    this.#done = Math.min(done, size);
    this.#state = checking ? "checking" : done >= size ? "finishing" : "running";
  }

  #rest(state: TransferView["state"]): void {
    this.#state = state;
    this.#isAsking = false;
    this.#place = undefined;
  }

  /** Whether the next attempt may succeed: the other peer or the network was away. */
  #isWorthRetrying(failure: Failure): boolean {
    if (failedWith(failure, "closed", "timeout", "unreachable", "busy")) return true;
    // A peer that has accepted a part of the file was there a moment ago.
    return failedWith(failure, "not-found") && this.#most > 0;
  }
}
