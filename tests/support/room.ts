/**
 * An index and peers in this process, over real sockets and folders: a room to try things in.
 * @module
 */

import type { Address } from "../../lib/core/address.ts";
import type { Clock } from "../../lib/core/flow/clock.ts";
import { LocalIndex } from "../../lib/index/local/local_index.ts";
import { Peer, type PeerOptions } from "../../lib/peer/peer.ts";
import type { PeerEvent } from "../../lib/peer/peer_event.ts";
import { IndexServer } from "../../lib/server/index_server.ts";
import { TempFolder } from "./temp.ts";
import { eventually } from "./wait.ts";

/** A peer with its folder and the events that it reported. */
export interface RoomPeer {
  readonly peer: Peer;
  readonly folder: TempFolder;
  readonly events: PeerEvent[];
}

/** An index, and the peers that were started at it. */
export class Room implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack();
  #index: LocalIndex;
  #server: IndexServer;

  private constructor(index: LocalIndex, server: IndexServer) {
    this.#index = index;
    this.#server = server;
  }

  /** @param options.clock That of the index. Default: the machine's. */
  static async open(
    address: Address = { host: "127.0.0.1", port: 0 },
    { clock }: { clock?: Clock } = {},
  ): Promise<Room> {
    const index = new LocalIndex();
    return new Room(index, await listen(address, index, clock));
  }

  /** Where the index listens. */
  get address(): Address {
    return this.#server.address;
  }

  /** What the index knows. */
  get index(): LocalIndex {
    return this.#index;
  }

  /** An empty folder that lasts as long as the room. */
  async folder(): Promise<TempFolder> {
    return this.#stack.use(await TempFolder.make());
  }

  /** Starts a peer on a folder, or on one of its own. It is closed with the room, or before. */
  async peer(name: string | undefined, folder?: TempFolder, options: Partial<PeerOptions> = {}): Promise<RoomPeer> {
    const own = folder ?? await this.folder();
    const events: PeerEvent[] = [];
    const peer = await Peer.start({
      folder: own.path,
      indexes: [this.address],
      name,
      listen: { host: "127.0.0.1", port: 0 },
      onEvent: (event) => events.push(event),
      ...options,
    });
    this.#stack.use(peer);
    return { peer, folder: own, events };
  }

  /** Ends the index as a crash would. */
  async stopIndex(): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
    await this.#index[Symbol.asyncDispose]();
  }

  /** Starts an empty index where the last one was. */
  async startIndex(): Promise<void> {
    this.#index = new LocalIndex();
    this.#server = await listen(this.address, this.#index);
  }

  /** Waits until the index lists a file with its root. */
  async hashed(peer: string, name: string): Promise<string> {
    return await eventually(`${peer} has hashed ${name}`, async () => (await this.#index.copy(peer, name))?.root);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
    await this.stopIndex();
  }
}

function listen(address: Address, index: LocalIndex, clock?: Clock): Promise<IndexServer> {
  return IndexServer.listen(address, { index, journal: () => {}, clock });
}
