/**
 * A bad network for datagrams: a relay that drops, doubles, delays and reorders them, in both
 * directions, as decided by a seed. It records them, so that a test can send one again.
 * @module
 */

import { createSocket, type Socket } from "node:dgram";
import type { Address } from "../../lib/core/address.ts";
import type { Random } from "../../lib/core/random.ts";
import { seededRandom } from "./seeded_random.ts";

/** What happens to datagrams. Parts are from 0 to 1. */
export interface BadNetwork {
  readonly seed: number;
  readonly loss?: number;
  readonly duplicates?: number;
  /** Of those that come so late that others overtake them. */
  readonly late?: number;
  /** What every datagram takes, one way. */
  readonly delayMs?: number;
}

const LATE_MS = 15;
/** Datagrams of each direction that are recorded. */
const RECORDED_MAX = 500;

/** Relays between its callers and the addresses that it is given. */
export class UdpRelay implements AsyncDisposable {
  /** What senders sent, and what was answered. */
  readonly recorded: { readonly there: Uint8Array[]; readonly back: Uint8Array[] } = { there: [], back: [] };
  /** How many datagrams came to the relay, and how many of them it dropped. */
  seen = 0;
  dropped = 0;
  /** Where datagrams are passed on to. */
  to: Address | undefined;
  /** Called with every datagram, and how to send another to where it goes. */
  onPassing: (bytes: Uint8Array, send: (other: Uint8Array) => void, way: "there" | "back") => void = () => {};
  readonly #network: BadNetwork;
  readonly #random: Random;
  readonly #near: Socket;
  readonly #far: Socket;
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  #sender: Address | undefined;

  private constructor(network: BadNetwork, near: Socket, far: Socket) {
    this.#network = network;
    this.#random = seededRandom(network.seed);
    this.#near = near;
    this.#far = far;
    near.on("message", (bytes, from) => {
      this.#sender = { host: from.address, port: from.port };
      this.#pass(bytes, "there");
    });
    far.on("message", (bytes) => this.#pass(bytes, "back"));
  }

  static async open(network: BadNetwork): Promise<UdpRelay> {
    return new UdpRelay(network, await bound(), await bound());
  }

  /** For PeerOptions: sends datagrams here instead, and from here on. */
  readonly route = (to: Address): Address => {
    this.to = to;
    return { host: "127.0.0.1", port: this.#near.address().port };
  };

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    await Promise.all([this.#near, this.#far].map((socket) => new Promise<void>((resolve) => socket.close(resolve))));
  }

  #pass(bytes: Uint8Array, way: "there" | "back"): void {
    const { loss = 0, duplicates = 0, late = 0, delayMs = 0 } = this.#network;
    if (this.recorded[way].length < RECORDED_MAX) this.recorded[way].push(new Uint8Array(bytes));
    this.seen += 1;
    this.onPassing(bytes, (other) => this.#send(other, way), way);
    if (this.#random() < loss) return void (this.dropped += 1);
    const copies = this.#random() < duplicates ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const ms = delayMs + (this.#random() < late ? this.#random() * LATE_MS : 0);
      if (ms === 0) this.#send(bytes, way);
      else this.#later(ms, () => this.#send(bytes, way));
    }
  }

  #send(bytes: Uint8Array, way: "there" | "back"): void {
    const [socket, to] = way === "there" ? [this.#far, this.to] : [this.#near, this.#sender];
    if (to !== undefined) socket.send(bytes, to.port, to.host, () => {});
  }

  #later(ms: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      run();
    }, ms);
    this.#timers.add(timer);
  }
}

async function bound(): Promise<Socket> {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind({ address: "127.0.0.1", port: 0 }, () => resolve()));
  socket.setRecvBufferSize(4096);
  return socket;
}
