/**
 * Which full disks a peer has reported already. A full disk stops several things at once: the
 * state, downloads, the inbox. The person reads once which disk is full, and about everything else
 * only that it waits as well. Called by home.ts, open_state.ts and the openers in lib/peer.
 * @module
 */

import type { Clock } from "../../core/flow/clock.ts";
import { FULL_DISK_NAMED_MS } from "../../core/limits.ts";

/** Part of each event that reports a full disk. */
export interface FullDisk {
  /** Whether an earlier event has named that disk. */
  readonly isNamed?: boolean | undefined;
}

/** The disks of one peer, each by a folder on it. */
export class FullDisks {
  readonly #clock: Clock;
  /** When each disk was named last. */
  readonly #namedMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Whether an earlier report has named the full disk that a folder is on. Otherwise the disk
   * counts as named from now on.
   */
  isNamed(folder: string): boolean {
    const nowMs = this.#clock.now();
    const isNamed = nowMs - (this.#namedMs.get(folder) ?? -Infinity) < FULL_DISK_NAMED_MS;
    if (!isNamed) this.#namedMs.set(folder, nowMs);
    return isNamed;
  }

  /** Adds to an event about a full disk whether an earlier event has named that disk. */
  marked<T>(folder: string, event: T): T & FullDisk {
    return { ...event, isNamed: this.isNamed(folder) };
  }

  /** Notes that something was written there. When that disk is full again, it is named again. */
  noteRoom(folder: string): void {
    this.#namedMs.delete(folder);
  }
}
