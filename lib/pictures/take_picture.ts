/**
 * Receives the bytes of a picture in datagrams: the receiver of datagram_receiver.ts on a socket of
 * its own. Called by lib/peer/pictures/pictures.ts.
 * @module
 */

import type { Address } from "../core/address.ts";
import { Bell } from "../core/flow/bell.ts";
import type { Clock } from "../core/flow/clock.ts";
import { Failure } from "../core/failure.ts";
import { SHOW_IDLE_MS_MAX, SHOW_MS_MAX } from "../core/limits.ts";
import { onAbort } from "../core/flow/on_abort.ts";
import type { Pace } from "../core/flow/pace.ts";
import { Datagrams } from "../net/datagrams.ts";
import { DatagramCodec, KEY_BYTES, TOKEN_BYTES } from "../protocol/datagram.ts";
import { DatagramReceiver } from "./datagram_receiver.ts";

/** What was agreed on with the sender. */
export interface PictureOrder {
  readonly size: number;
  /**
   * The address and port of this machine that the sender has called. The same port is used for
   * datagrams if it is free.
   */
  readonly at: Address;
  /** The only host from which datagrams are accepted. */
  readonly from: string;
  readonly clock: Clock;
  readonly pace?: Pace | undefined;
}

/** A picture that is arriving. */
export class PictureOnItsWay implements Disposable {
  /** The port for datagrams, which the sender has to know. */
  readonly port: number;
  /** The token of the datagrams, which the sender has to know. */
  readonly token: Uint8Array;
  /** The key of the datagrams, which the sender has to know. */
  readonly key: Uint8Array;
  readonly #order: PictureOrder;
  readonly #socket: Datagrams;
  readonly #codec: DatagramCodec;
  readonly #receiver: DatagramReceiver;
  readonly #bell: Bell;
  /** The address that the newest genuine datagram came from. */
  #sender: Address | undefined;
  #movedMs: number;
  #acks = 0;

  private constructor(order: PictureOrder, socket: Datagrams, token: Uint8Array, key: Uint8Array, bell: Bell) {
    this.port = socket.port;
    this.token = token;
    this.key = key;
    this.#order = order;
    this.#socket = socket;
    this.#codec = new DatagramCodec(token, key);
    this.#receiver = new DatagramReceiver(order.size);
    this.#bell = bell;
    this.#movedMs = order.clock.now();
  }

  /**
   * Opens the port.
   *
   * @throws {Failure} "unreachable".
   */
  static async open(order: PictureOrder): Promise<PictureOnItsWay> {
    const [token, key] = [random(TOKEN_BYTES), random(KEY_BYTES)];
    const take = (bytes: Uint8Array, from: Address): void => picture.#take(bytes, from);
    // First the port of the listener: a firewall that accepts TCP there may also accept UDP. With
    // several pictures at once, any port.
    const socket = await Datagrams.open(order.at, take).catch(() => Datagrams.open({ ...order.at, port: 0 }, take));
    const picture: PictureOnItsWay = new PictureOnItsWay(order, socket, token, key, new Bell(order.clock));
    return picture;
  }

  /**
   * Receives the picture.
   *
   * @returns Its bytes, when all of them have arrived.
   * @throws {Failure} "timeout" when nothing more arrives or it takes too long; the signal's reason
   * when it is aborted.
   */
  async whole(signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const { clock, pace } = this.#order;
    const receiver = this.#receiver;
    const endMs = clock.now() + SHOW_MS_MAX;
    using _stopping = onAbort(signal, () => this.#bell.ring());
    let paced = 0;
    while (true) {
      const nowMs = clock.now();
      signal.throwIfAborted();
      if (receiver.ackAtMs <= nowMs) {
        await pace?.take(receiver.arrivedBytes - paced);
        paced = receiver.arrivedBytes;
        await this.#acknowledge();
        // More may have arrived meanwhile.
        continue;
      }
      if (receiver.whole) return receiver.bytes;
      const lastMs = Math.min(endMs, this.#movedMs + SHOW_IDLE_MS_MAX);
      if (nowMs >= lastMs) throw new Failure("timeout", "Cannot receive the picture: not all of it has arrived");
      await this.#bell.wait(Math.min(lastMs, receiver.ackAtMs) - nowMs);
    }
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }

  /** Accepts a datagram that the sender has sealed with the agreed key. */
  #take(bytes: Uint8Array, from: Address): void {
    if (from.host !== this.#order.from) return;
    const datagram = this.#codec.decode(bytes);
    if (datagram?.kind !== "data") return;
    // Acknowledgements go to where the newest datagram came from. So an old datagram that somebody
    // else repeats cannot redirect them.
    if (datagram.number > this.#receiver.latest) this.#sender = from;
    const nowMs = this.#order.clock.now();
    const ackAtMs = this.#receiver.ackAtMs;
    if (this.#receiver.take(datagram, nowMs)) this.#movedMs = nowMs;
    // Twenty thousand datagrams may arrive in a second, so the bell rings only when the next
    // acknowledgement is due earlier than before.
    if (this.#receiver.ackAtMs < ackAtMs) this.#bell.ring();
  }

  async #acknowledge(): Promise<void> {
    const acknowledgement = this.#receiver.acknowledge();
    if (this.#sender === undefined) return;
    await this.#socket.send(
      this.#codec.encode({ kind: "ack", number: this.#acks++, ...acknowledgement }),
      this.#sender,
    );
  }
}

function random(bytes: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(bytes));
}
