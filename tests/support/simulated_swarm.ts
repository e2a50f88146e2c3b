/**
 * A class that downloads one file, in no time: one owner and many receivers that each plan as a
 * real one does (lib/transfer/plan/plan.ts, places.ts), remembers what it gave
 * (lib/peer/serve/demand.ts) and sends through slots of its own at a rate of its own. Time is a
 * number and chance is a seed, so the result is that of the schedule, on whatever machine.
 * @module
 */

import { PIECE_BYTES, pieceCount, pieceRange } from "../../lib/core/content.ts";
import {
  DOWNLOAD_IDLE_MS_MAX,
  DOWNLOAD_SOURCES_MAX,
  DOWNLOAD_WAIT_MS_MAX,
  FIND_AGAIN_FIRST_MS,
  FIND_AGAIN_LAST_MS,
  RETRIES_MAX,
  UPLOAD_SLOTS,
} from "../../lib/core/limits.ts";
import { PieceSet } from "../../lib/core/piece_set.ts";
import { type Random, randomBelow } from "../../lib/core/random.ts";
import { type Range, rangeBytes } from "../../lib/core/range.ts";
import { slotsAt } from "../../lib/peer/serve/uploads.ts";
import { changePlaces } from "../../lib/transfer/plan/places.ts";
import { plan } from "../../lib/transfer/plan/plan.ts";
import { seededRandom } from "./seeded_random.ts";
import { SimulatedLane, SimulatedPeer, type Upload } from "./simulated_peers.ts";
import { VirtualTime } from "./virtual_time.ts";

/** How long one turn of a paced sender lasts, as in lib/core/flow/pace.ts. */
const TURN_MS = 105;
/** The most that it sends in a turn, as in lib/transfer/send.ts. */
const TURN_BYTES_MAX = PIECE_BYTES / 2;
/** How often a source is asked what it has, as in lib/transfer/sources/source_at_work.ts. */
const LOOK_MS = 1_000;
/** How late the plan is looked at when nothing happens, as in lib/transfer/download.ts. */
const TICK_MS = 500;
const START_SPREAD_MS = 100;
const RUN_MS_MAX = 600_000;
const ROOT = "0".repeat(64);

/** A class. */
export interface ClassOptions {
  readonly receivers: number;
  /** Of the file, in bytes. */
  readonly size: number;
  /** What each peer sends. */
  readonly bytesPerSecond: number;
  /** The way there, or back. */
  readonly latencyMs: number;
  readonly seed: number;
}

/** How it went. */
export interface ClassResult {
  /**
   * When the last receiver had the file, against the time that the owner needs for one receiver.
   */
  readonly ratio: number;
  /** How many times the file left its owner. */
  readonly ownerSent: number;
  /** How many ranges were asked for while the one before still arrived. */
  readonly askedAhead: number;
}

/** Lets a class download a file from one owner, all at once. */
export function simulateClass(options: ClassOptions): ClassResult {
  return new Swarm(options).run();
}

class Swarm {
  readonly #options: ClassOptions;
  readonly #time = new VirtualTime();
  readonly #random: Random;
  readonly #count: number;
  readonly #slots: number;
  readonly #owner: SimulatedPeer;
  readonly #receivers: readonly SimulatedPeer[];
  #askedAhead = 0;

  constructor(options: ClassOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
    this.#count = pieceCount(options.size);
    this.#slots = slotsAt(UPLOAD_SLOTS, options.bytesPerSecond);
    const peer = (id: string): SimulatedPeer => new SimulatedPeer(id, this.#count, this.#time);
    this.#owner = peer("owner");
    this.#owner.here.addTouched({ start: 0, end: options.size });
    this.#owner.isListed = true;
    this.#receivers = Array.from({ length: options.receivers }, (_, number) => peer(`receiver ${number}`));
  }

  run(): ClassResult {
    const { size, bytesPerSecond } = this.#options;
    for (const peer of this.#receivers) {
      this.#later(randomBelow(this.#random, START_SPREAD_MS), () => {
        this.#onTheWay(() => peer.isListed = true);
        this.#find(peer, FIND_AGAIN_FIRST_MS);
      });
    }
    const isUnderWay = (): boolean => this.#receivers.some(({ doneMs }) => doneMs === undefined);
    while (isUnderWay() && this.#time.now() < RUN_MS_MAX && this.#time.step());
    const lastMs = Math.max(...this.#receivers.map(({ doneMs = Infinity }) => doneMs));
    return {
      ratio: lastMs / (size / bytesPerSecond * 1000),
      ownerSent: this.#owner.sentBytes / size,
      askedAhead: this.#askedAhead,
    };
  }

  #later(ms: number, run: () => void): void {
    this.#time.after(ms, run);
  }

  #onTheWay(run: () => void): void {
    this.#later(this.#options.latencyMs, run);
  }

  #find(peer: SimulatedPeer, waitMs: number): void {
    if (peer.doneMs !== undefined) return;
    for (const other of [this.#owner, ...this.#receivers]) {
      if (other === peer || !other.isListed || peer.lanes.has(other.id)) continue;
      peer.lanes.set(other.id, new SimulatedLane(peer, other));
    }
    this.#wake(peer, 1);
    this.#later(waitMs, () => this.#find(peer, Math.min(FIND_AGAIN_LAST_MS, waitMs * 2)));
  }

  #rearrange(peer: SimulatedPeer): void {
    const nowMs = this.#time.now();
    const lanes = [...peer.lanes.values()];
    const { leave, enter } = changePlaces(
      lanes.filter((lane) => lane.isPlaced).map((lane) => {
        const { turns, isWaiting, sinceBytes } = lane;
        return { id: lane.from.id, turns, isOver: false, isWaiting, sinceMs: nowMs - lane.movedMs, sinceBytes };
      }),
      lanes.filter((lane) => !lane.isPlaced && !lane.isBusy).map((lane) => {
        return { id: lane.from.id, turns: lane.turns, hasDelivered: lane.bytes > 0 };
      }),
      { placesMax: DOWNLOAD_SOURCES_MAX, random: this.#random },
    );
    for (const lane of lanes) {
      if (leave.includes(lane.from.id)) {
        lane.isPlaced = false;
        if (lane.asked !== undefined) this.#release(lane);
      }
      if (enter.includes(lane.from.id)) {
        lane.isPlaced = true;
        lane.turns += 1;
        lane.movedMs = nowMs;
      }
    }
  }

  /** Lets a receiver plan soon; what comes until then is planned with it. */
  #wake(peer: SimulatedPeer, ms: number): void {
    const atMs = this.#time.now() + ms;
    if (peer.planAtMs <= atMs || peer.doneMs !== undefined) return;
    peer.planAtMs = atMs;
    this.#later(ms, () => {
      if (peer.planAtMs !== atMs) return;
      peer.planAtMs = Infinity;
      this.#plan(peer);
    });
  }

  #plan(peer: SimulatedPeer): void {
    const nowMs = this.#time.now();
    this.#rearrange(peer);
    const lanes = [...peer.lanes.values()].filter(({ isPlaced }) => isPlaced);
    const step = plan({
      size: this.#options.size,
      here: peer.here,
      sources: lanes.map((lane) => lane.planned(nowMs)),
      order: "rarest-first",
      triesMax: RETRIES_MAX,
      idleMs: nowMs - peer.movedMs,
      idleMsMax: DOWNLOAD_IDLE_MS_MAX,
      waitMsMax: DOWNLOAD_WAIT_MS_MAX,
      bytesPerSecondMax: undefined,
      random: this.#random,
    });
    const looking = lanes.filter((lane) => !lane.isBusy && nowMs >= lane.lookAtMs);
    for (const lane of looking) this.#look(lane);
    for (const { source, range } of step.kind === "fetch" ? step.requests : []) {
      const lane = peer.lanes.get(source);
      if (lane !== undefined && !looking.includes(lane)) this.#ask(lane, range);
    }
    const looks = lanes.filter(({ isBusy }) => !isBusy).map((lane) => lane.lookAtMs - nowMs).filter((ms) => ms > 0);
    this.#wake(peer, step.kind === "fetch" ? TICK_MS : Math.max(10, Math.min(TICK_MS, ...looks)));
  }

  #look(lane: SimulatedLane): void {
    lane.isBusy = true;
    this.#see(lane, () => {
      lane.isBusy = false;
      this.#wake(lane.to, 1);
    });
  }

  #see(lane: SimulatedLane, onSeen: () => void): void {
    const { from, to } = lane;
    lane.lookAtMs = Infinity;
    const askedMs = this.#time.now();
    this.#onTheWay(() => {
      const { given, asking } = from.demand.note({ root: ROOT, size: this.#options.size }, to.id);
      const seen = {
        has: from.here.size === this.#count ? undefined : new PieceSet(this.#count, from.here.bits),
        given: new PieceSet(this.#count, given.bits),
        asking,
        isFull: from.slotsTaken >= this.#slots,
      };
      this.#onTheWay(() => {
        const nowMs = this.#time.now();
        lane.seen = seen;
        lane.roundTripMs ??= nowMs - askedMs;
        lane.lookAtMs = nowMs + LOOK_MS;
        onSeen();
      });
    });
  }

  #ask(lane: SimulatedLane, range: Range): void {
    const upload: Upload = { lane, range, promised: undefined, sentBytes: 0, isCancelled: false };
    if (lane.upload === undefined) this.#begin(lane, upload);
    else {
      this.#askedAhead += 1;
      lane.next = upload;
      if (this.#time.now() >= lane.lookAtMs) this.#see(lane, () => {});
    }
    this.#onTheWay(() => {
      if (upload.isCancelled) return;
      lane.atSender.push(upload);
      if (lane.atSender.length === 1) this.#admit(upload);
    });
  }

  #begin(lane: SimulatedLane, upload: Upload): void {
    Object.assign(lane, {
      upload,
      asked: upload.range,
      isBusy: true,
      movedMs: this.#time.now(),
      sinceBytes: 0,
      askedBytes: 0,
    });
  }

  /** Begins to answer a request, or lets it wait for a slot. */
  #admit(upload: Upload): void {
    const { lane } = upload;
    const { from } = lane;
    upload.promised = from.demand.promise({ root: ROOT, size: this.#options.size }, lane.to.id, upload.range);
    if (from.slotsTaken >= this.#slots) {
      from.waiting.push(upload);
      lane.isWaiting = true;
      return;
    }
    from.slotsTaken += 1;
    from.running.push(upload);
    this.#send(from);
  }

  /** Ends an answer. The next request on the same connection is answered then. */
  #answered(upload: Upload): void {
    const { atSender } = upload.lane;
    upload.promised?.[Symbol.dispose]();
    this.#freeSlot(upload.lane.from);
    atSender.splice(atSender.indexOf(upload), 1);
    const [next] = atSender;
    if (next !== undefined) this.#admit(next);
  }

  /** Sends one turn of the next upload: all of a peer share its rate. */
  #send(peer: SimulatedPeer): void {
    const { bytesPerSecond } = this.#options;
    if (peer.isSending) return;
    const upload = peer.running.shift();
    if (upload === undefined) return;
    const left = rangeBytes(upload.range) - upload.sentBytes;
    const part = Math.min(left, TURN_BYTES_MAX, bytesPerSecond * TURN_MS / 1000);
    peer.isSending = true;
    this.#later(part / bytesPerSecond * 1000, () => {
      peer.isSending = false;
      peer.sentBytes += part;
      upload.sentBytes += part;
      upload.promised?.sent(upload.sentBytes);
      const sentBytes = upload.sentBytes;
      this.#onTheWay(() => this.#arrive(upload, sentBytes - part, sentBytes));
      if (part < left && !upload.isCancelled) peer.running.push(upload);
      else this.#answered(upload);
      this.#send(peer);
    });
  }

  #freeSlot(peer: SimulatedPeer): void {
    const next = peer.waiting.shift();
    if (next === undefined) peer.slotsTaken -= 1;
    else peer.running.push(next);
  }

  #arrive({ lane, range, isCancelled }: Upload, from: number, to: number): void {
    if (isCancelled) return;
    const { size } = this.#options;
    const nowMs = this.#time.now();
    lane.isWaiting = false;
    lane.beganMs ??= nowMs - (to - from) / this.#options.bytesPerSecond * 1000;
    lane.sinceBytes += to - from;
    for (let index = Math.floor((range.start + from) / PIECE_BYTES); index < this.#count; index++) {
      const piece = pieceRange(index, size);
      if (piece.end > range.start + to || piece.start >= range.end) break;
      if (piece.end > range.start + from) this.#arrivePiece(lane, index, { start: piece.end, end: range.end });
    }
    if (to < rangeBytes(range)) return;
    const { next } = lane;
    this.#finish(lane);
    lane.isBusy = false;
    if (next !== undefined) this.#begin(lane, next);
    this.#wake(lane.to, 1);
  }

  #arrivePiece(lane: SimulatedLane, index: number, left: Range): void {
    const { to } = lane;
    const nowMs = this.#time.now();
    const bytes = rangeBytes(pieceRange(index, this.#options.size));
    lane.bytes += bytes;
    lane.askedBytes += bytes;
    lane.movedMs = to.movedMs = nowMs;
    lane.sinceBytes = 0;
    lane.asked = left;
    to.here.add(index);
    for (const other of to.lanes.values()) {
      const { asked } = other;
      if (other !== lane && asked !== undefined && rangeBytes(asked) > 0 && to.here.covers(asked)) this.#release(other);
    }
    if (to.here.size === this.#count) to.doneMs ??= nowMs;
    this.#wake(to, 1);
  }

  /** Lets go of what has come from elsewhere; the connection has to be made again. */
  #release(lane: SimulatedLane): void {
    const { upload, next, from, atSender } = lane;
    for (const each of [upload, next]) if (each !== undefined) each.isCancelled = true;
    if (upload !== undefined) {
      this.#onTheWay(() => {
        atSender.splice(0);
        for (const line of [from.running, from.waiting]) {
          const at = line.indexOf(upload);
          if (at < 0) continue;
          line.splice(at, 1);
          upload.promised?.[Symbol.dispose]();
          if (line === from.running) this.#freeSlot(from);
        }
        this.#send(from);
      });
    }
    this.#finish(lane);
    this.#later(4 * this.#options.latencyMs, () => {
      lane.isBusy = false;
      this.#wake(lane.to, 1);
    });
  }

  #finish(lane: SimulatedLane): void {
    if (lane.askedBytes > 0) {
      const ms = Math.max(1, this.#time.now() - (lane.beganMs ?? 0));
      lane.bytesPerSecond = lane.askedBytes / ms * 1000;
      lane.standing = "good";
    }
    Object.assign(lane, {
      askedBytes: 0,
      beganMs: undefined,
      asked: undefined,
      isWaiting: false,
      upload: undefined,
      next: undefined,
    });
  }
}
