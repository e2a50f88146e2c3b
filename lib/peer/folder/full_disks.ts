/**
 * Which full disks a peer has named already. A disk that is full holds up much at once: what is remembered, downloads, the inbox. The person at the keyboard
 * hears once which disk that is, and of everything else only that it also waits. Called by peer.ts and open_state.ts.
 * @module
 */

import type { Clock } from "../../core/flow/clock.ts";
import { FULL_DISK_NAMED_MS } from "../../core/limits.ts";

/** Part of each event that reports a full disk. */
export interface FullDisk {
  /** Whether an event before it has named that disk. */
  readonly isNamed?: boolean;
}

/** The disks of one peer, each by a folder on it. */
export class FullDisks {
  readonly #clock: Clock;
  /** When each was named. */
  readonly #namedMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether a report about a full disk need not name it, since the one before did. Else it counts as named from now on. */
  isNamed(folder: string): boolean {
    const nowMs = this.#clock.now();
    const isNamed = nowMs - (this.#namedMs.get(folder) ?? -Infinity) < FULL_DISK_NAMED_MS;
    if (!isNamed) this.#namedMs.set(folder, nowMs);
    return isNamed;
  }

  /** Adds to an event about the full disk of a folder whether an event before it has named that disk. */
  marked<T>(folder: string, event: T): T & FullDisk {
    return { ...event, isNamed: this.isNamed(folder) };
  }

  /** Notes that something was written there: when that disk is full the next time, it is named again. */
  noteRoom(folder: string): void {
    this.#namedMs.delete(folder);
  }
}
