/**
 * Sends and receives datagrams. The only place that touches UDP. It uses node:dgram, since Deno's
 * own interface to UDP is not stable.
 * @module
 */

import { createSocket, type Socket } from "node:dgram";
import type { Address } from "../core/address.ts";
import { Failure } from "../core/failure.ts";
import { DATAGRAM_BYTES_MAX } from "../core/limits.ts";

/**
 * The size of a buffer for one datagram. It is longer than the longest datagram: otherwise nobody
 * would notice one that was cut.
 */
const RECEIVE_BYTES = 2 * DATAGRAM_BYTES_MAX;

/** A socket for datagrams. Closing it more than once is harmless. */
export class Datagrams implements Disposable {
  readonly #socket: Socket;
  #closed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /**
   * Opens a socket at an address of this machine. Port 0 takes any free one. Every datagram is
   * given to `onDatagram`.
   *
   * @throws {Failure} "unreachable".
   */
  static async open(at: Address, onDatagram: (bytes: Uint8Array, from: Address) => void): Promise<Datagrams> {
    const socket = createSocket(at.host.includes(":") ? "udp6" : "udp4");
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once("error", reject);
        socket.bind({ address: at.host, port: at.port, exclusive: true }, () => resolve());
      });
      socket.setRecvBufferSize(RECEIVE_BYTES);
    } catch (thrown) {
      socket.close();
      throw Failure.from(thrown, "unreachable", "Cannot open a port for datagrams");
    }
    // A datagram that could not be delivered is lost like others. Its sender repeats it when no
    // answer comes.
    socket.on("error", () => {});
    socket.on("message", (bytes, from) => {
      try {
        onDatagram(bytes, { host: from.address, port: from.port });
      } catch (thrown) {
        // An error thrown from here would be dropped silently.
        reportError(thrown);
      }
    });
    return new Datagrams(socket);
  }

  /** The port of the socket. */
  get port(): number {
    return this.#socket.address().port;
  }

  /**
   * Sends one datagram. Resolves when the system has accepted it or has not. A sender that needs to
   * know relies on the answer of the other side.
   */
  send(bytes: Uint8Array, to: Address): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => this.#socket.send(bytes, to.port, to.host, () => resolve()));
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
  }
}
