/**
 * Sends the bytes of a picture in datagrams: the sender of datagram_sender.ts on a socket. Called
 * by lib/peer/pictures/show_picture.ts.
 * @module
 */

import type { Address } from "../core/address.ts";
import { Bell } from "../core/flow/bell.ts";
import type { Clock } from "../core/flow/clock.ts";
import { Failure } from "../core/failure.ts";
import { SHOW_IDLE_MS_MAX } from "../core/limits.ts";
import { onAbort } from "../core/flow/on_abort.ts";
import type { Pace } from "../core/flow/pace.ts";
import { Datagrams } from "../net/datagrams.ts";
import { type DatagramCodec, PART_BYTES, partCount } from "../protocol/datagram.ts";
import { DatagramSender } from "./datagram_sender.ts";

/**
 * How many datagrams are sent before those that have arrived are read. The system keeps about
 * ninety for a receiver.
 */
const BATCH = 32;

/** Where a picture is sent to, and how. */
export interface PictureRoute {
  /** The only address that datagrams are sent to and accepted from. */
  readonly to: Address;
  /** The address of this machine to send from. */
  readonly from: string;
  readonly codec: DatagramCodec;
  readonly clock: Clock;
  readonly pace?: Pace | undefined;
  /** Aborted when the other peer has reported that the picture has arrived or was refused. */
  readonly signal: AbortSignal;
}

/** What sending a picture took. */
export interface PictureSent {
  readonly parts: number;
  /** Datagrams that were sent; more than `parts` when some were lost. */
  readonly sent: number;
}

/**
 * Sends a picture until every part is acknowledged or the signal is aborted.
 *
 * @throws {Failure} "unreachable" when no datagram was ever acknowledged, "timeout" when none is
 * acknowledged any more.
 */
export async function sendPicture(picture: Uint8Array, route: PictureRoute): Promise<PictureSent> {
  const { to, codec, clock, pace, signal } = route;
  const sender = new DatagramSender(partCount(picture.length));
  const bell = new Bell(clock);
  let [there, movedMs] = [0, clock.now()];
  using socket = await Datagrams.open({ host: route.from, port: 0 }, (bytes, from) => {
    if (from.host !== to.host || from.port !== to.port) return;
    const datagram = codec.decode(bytes);
    if (datagram?.kind !== "ack") return;
    sender.acknowledged(datagram, clock.now());
    bell.ring();
  });
  using _stopping = onAbort(signal, () => bell.ring());
  while (!sender.done && !signal.aborted) {
    const nowMs = clock.now();
    if (sender.there > there) [there, movedMs] = [sender.there, nowMs];
    if (nowMs - movedMs >= SHOW_IDLE_MS_MAX) throw silence(there, to);
    sender.probe(nowMs);
    const batch: Promise<void>[] = [];
    let bytes = 0;
    for (let next = sender.next(nowMs); next !== undefined;) {
      const { number, index } = next;
      const part = picture.subarray(index * PART_BYTES, (index + 1) * PART_BYTES);
      batch.push(socket.send(codec.encode({ kind: "data", number, index, bytes: part }), to));
      bytes += part.length;
      next = batch.length < BATCH ? sender.next(nowMs) : undefined;
    }
    if (batch.length === 0) await bell.wait(Math.min(sender.probeAtMs, movedMs + SHOW_IDLE_MS_MAX) - nowMs);
    else await Promise.all([...batch, pace?.take(bytes)]);
  }
  return { parts: partCount(picture.length), sent: sender.sent };
}

function silence(there: number, to: Address): Failure {
  if (there > 0) {
    return new Failure("timeout", "Cannot send the rest of the picture: datagrams are no longer acknowledged");
  }
  return new Failure("unreachable", `Cannot send the picture: no datagram was acknowledged by port ${to.port}`, {
    hint: "a firewall may accept TCP and block UDP",
  });
}
