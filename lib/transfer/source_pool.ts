/**
 * All peers that have the content of one download, and those of them that have a place and are asked: carries out what places.ts decides. Called by
 * running_download.ts.
 * @module
 */

import type { Clock } from "../core/flow/clock.ts";
import { failedWith, type Failure } from "../core/failure.ts";
import { DOWNLOAD_CANDIDATES_MAX, DOWNLOAD_SOURCES_MAX } from "../core/limits.ts";
import type { Random } from "../core/random.ts";
import type { Deliverers } from "./deliverers.ts";
import type { Given } from "./download.ts";
import { Lane, type LaneParts, type Source } from "./lane.ts";
import { changePlaces } from "./places.ts";

/** What a pool needs. */
export interface SourcePoolOptions {
  /** Asks for the present holders of the content. */
  readonly find: (root: string | undefined) => Promise<readonly Source[]>;
  readonly lane: LaneParts;
  readonly clock: Clock;
  readonly random: Random;
  readonly deliverers: Deliverers | undefined;
}

/** Connections to sources without a place that one download keeps: in a class, sources take turns, and each new connection costs both sides 5 ms of CPU time. */
const CONNECTIONS_KEPT_MAX = 32;

/** The sources of one download. */
export class SourcePool {
  readonly #options: SourcePoolOptions;
  readonly #lanes = new Map<string, Lane>();
  /** Lanes of a content that turned out to be another. */
  readonly #former: Lane[] = [];
  /** Why each lane that failed last did so. */
  readonly #failures = new Map<Lane, Failure>();

  constructor(options: SourcePoolOptions) {
    this.#options = options;
  }

  /** Those that are asked. */
  get placed(): Lane[] {
    return [...this.#lanes.values()].filter((lane) => lane.isPlaced);
  }

  /** The lane of a peer that has a place. */
  lane(peer: string): Lane {
    const lane = this.#lanes.get(peer);
    if (lane === undefined) throw new RangeError(`Cannot ask ${peer}: it is no source`);
    return lane;
  }

  /** Takes over the holders of the content. Known ones are kept: the index may not have heard yet that one is back. */
  async find(root: string | undefined): Promise<void> {
    const found = await this.#options.find(root).catch((thrown) => {
      if (failedWith(thrown, "index-unreachable", "closed", "timeout")) return [];
      throw thrown;
    });
    for (const source of found) {
      const known = this.#lanes.get(source.peer);
      if (known !== undefined) known.source = source;
      else if (this.#lanes.size < DOWNLOAD_CANDIDATES_MAX) {
        this.#lanes.set(source.peer, new Lane(source, this.#options.lane));
      }
    }
  }

  /** Gives places to those who should have them, and takes them from those who should not. */
  rearrange(): void {
    const { random, deliverers } = this.#options;
    const all = [...this.#lanes.values()];
    const candidates = all.filter((lane) => !lane.isPlaced && !lane.placed().isOver && !lane.isBusy);
    const { leave, enter } = changePlaces(
      all.filter((lane) => lane.isPlaced).map((lane) => lane.placed()),
      candidates.map(({ source, turns, bytes }) => {
        return { id: source.peer, turns, hasDelivered: bytes > 0 || deliverers?.has(source) === true };
      }),
      { placesMax: DOWNLOAD_SOURCES_MAX, random },
    );
    // In this order, so that of those that come back none loses its connection first.
    for (const peer of enter) this.lane(peer).place();
    for (const peer of leave) this.#displace(this.lane(peer));
  }

  /** Takes a lane's place away. Its connection is kept, unless many are. */
  #displace(lane: Lane): void {
    lane.displace();
    const kept = [...this.#lanes.values()].filter(({ isKept }) => isKept).length;
    if (kept > CONNECTIONS_KEPT_MAX) lane.release();
  }

  /** Forgets all but one, since what the others have is another content. */
  keepOnly(lane: Lane | undefined): void {
    for (const other of this.#lanes.values()) {
      if (other === lane) continue;
      other.displace();
      other.release();
      this.#lanes.delete(other.source.peer);
      this.#former.push(other);
    }
  }

  /** Notes why a source failed last. */
  failed(lane: Lane, failure: Failure): void {
    this.#failures.delete(lane);
    this.#failures.set(lane, failure);
  }

  /** The failure to report when nobody is left: that of a source that may do better later, if there is one. */
  get failure(): Failure | undefined {
    const all = [...this.#failures.values()];
    return all.findLast((each) => failedWith(each, "busy")) ?? all.findLast(({ retry }) => retry) ?? all.at(-1);
  }

  /** Closes all connections. */
  close(reason: Failure): void {
    for (const lane of this.#lanes.values()) lane.close(reason);
  }

  /** How much each source gave. */
  given(): Given[] {
    const gave = [...this.#former, ...this.#lanes.values()].filter((lane) => lane.bytes > 0);
    for (const { source } of gave) this.#options.deliverers?.note(source);
    return gave.map((lane) => ({ peer: lane.source.peer, bytes: lane.bytes, ms: lane.busyMs }));
  }
}
