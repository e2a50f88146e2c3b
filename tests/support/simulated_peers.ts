/**
 * What the peers of a simulated class are and know; simulated_swarm.ts says what they do.
 * @module
 */

import { PieceSet } from "../../lib/core/piece_set.ts";
import type { Range } from "../../lib/core/range.ts";
import { Demand, type Promised } from "../../lib/peer/serve/demand.ts";
import type { PlannedSource } from "../../lib/transfer/plan/plan_state.ts";
import type { VirtualTime } from "./virtual_time.ts";

/** A range on its way. */
export interface Upload {
  readonly lane: SimulatedLane;
  readonly range: Range;
  promised: Promised | undefined;
  sentBytes: number;
  isCancelled: boolean;
}

/** One source of one receiver. */
export class SimulatedLane {
  readonly to: SimulatedPeer;
  readonly from: SimulatedPeer;
  isBusy = false;
  isPlaced = false;
  turns = 0;
  lookAtMs = -Infinity;
  upload: Upload | undefined;
  asked: Range | undefined;
  /** Requests that have come to the sender, the one that it answers first. */
  readonly atSender: Upload[] = [];
  /** What was asked for ahead. */
  next: Upload | undefined;
  roundTripMs: number | undefined;
  askedBytes = 0;
  bytes = 0;
  beganMs: number | undefined;
  movedMs = 0;
  sinceBytes = 0;
  isWaiting = false;
  standing: PlannedSource["standing"] = "new";
  bytesPerSecond: number | undefined;
  seen: Pick<PlannedSource, "has" | "given" | "asking" | "isFull"> = {
    has: undefined,
    given: undefined,
    asking: 1,
    isFull: false,
  };

  constructor(to: SimulatedPeer, from: SimulatedPeer) {
    this.to = to;
    this.from = from;
  }

  /** How long it has answered the present request. */
  turnMs(nowMs: number): number {
    return Math.max(1, nowMs - (this.beganMs ?? 0));
  }

  planned(nowMs: number): PlannedSource {
    const isAsked = this.asked !== undefined;
    return {
      ...this.seen,
      id: this.from.id,
      state: this.isBusy ? "busy" : "ready",
      tries: 0,
      standing: this.standing,
      bytesPerSecond: this.bytesPerSecond,
      asked: this.asked,
      next: this.next?.range,
      turnBytesPerSecond: this.askedBytes === 0 ? undefined : this.askedBytes / this.turnMs(nowMs) * 1000,
      roundTripMs: this.roundTripMs,
      sinceMs: isAsked ? nowMs - this.movedMs : 0,
      sinceBytes: isAsked ? this.sinceBytes : 0,
      isWaiting: isAsked && this.isWaiting,
    };
  }
}

/** The owner, or a receiver. */
export class SimulatedPeer {
  readonly id: string;
  readonly here: PieceSet;
  readonly demand: Demand;
  readonly lanes = new Map<string, SimulatedLane>();
  /** Uploads with a slot, next first; and those that wait for one. */
  readonly running: Upload[] = [];
  readonly waiting: Upload[] = [];
  slotsTaken = 0;
  isSending = false;
  sentBytes = 0;
  isListed = false;
  movedMs = 0;
  planAtMs = Infinity;
  doneMs: number | undefined;

  constructor(id: string, count: number, time: VirtualTime) {
    this.id = id;
    this.here = new PieceSet(count);
    this.demand = new Demand(time);
  }
}
