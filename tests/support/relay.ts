/**
 * A man in the middle: it passes a connection on and records it, or answers in the place of the
 * other side.
 * @module
 */

import type { Identity } from "../../lib/net/identity.ts";

/** A relay before one port. */
export class Relay implements Disposable {
  /** Every byte that went through, in both directions, as text of one character a byte. */
  recorded = "";
  connections = 0;
  readonly #listener: Deno.TcpListener;
  readonly #open = new Set<Deno.Conn>();

  /**
   * @param port Where the other side listens.
   * @param options.from The port of the relay. Default: a free one.
   * @param options.to The host of the other side. Default: 127.0.0.1.
   */
  constructor(port: number, { from = 0, to = "127.0.0.1" }: { from?: number; to?: string } = {}) {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: from });
    void this.#accept(port, to);
  }

  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    for (const conn of this.#open) quietly(() => conn.close());
  }

  async #accept(port: number, hostname: string): Promise<void> {
    try {
      for await (const conn of this.#listener) {
        this.connections += 1;
        const there = await Deno.connect({ hostname, port });
        this.#open.add(conn).add(there);
        void this.#pass(conn, there);
        void this.#pass(there, conn);
      }
    } catch {
      // Closed while somebody was on his way.
    }
  }

  async #pass(from: Deno.Conn, to: Deno.Conn): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    try {
      for (let read = await from.read(buffer); read !== null; read = await from.read(buffer)) {
        this.recorded += String.fromCharCode(...buffer.subarray(0, Math.min(read, 32_768)));
        this.recorded += String.fromCharCode(...buffer.subarray(Math.min(read, 32_768), read));
        for (let sent = 0; sent < read;) sent += await to.write(buffer.subarray(sent, read));
      }
    } catch {
      // One side is gone; so is the other, below.
    }
    quietly(() => to.close());
    this.#open.delete(from);
  }
}

/**
 * Answers in the place of a peer: over TLS with another key, or in plain text.
 *
 * @returns Its port, and the end of it.
 */
export function impostor(identity: Identity | undefined): Disposable & { readonly port: number } {
  const options = { hostname: "127.0.0.1", port: 0 };
  const listener = identity === undefined
    ? Deno.listen(options)
    : Deno.listenTls({ ...options, cert: identity.certificatePem, key: identity.keyPem });
  const accept = async (): Promise<void> => {
    try {
      for await (const conn of listener) void converse(conn);
    } catch {
      // Closed.
    }
  };
  void accept();
  return { port: (listener.addr as Deno.NetAddr).port, [Symbol.dispose]: () => listener.close() };
}

/** Says what a peer would say, whatever it hears. */
async function converse(conn: Deno.Conn): Promise<void> {
  const hello = '{"status":"HELLO_OK","data":{"version":1,"software":"recess/0.1.0","name":"ana","nonce":"' +
    `${"0".repeat(64)}"},"id":1}\n`;
  try {
    await conn.read(new Uint8Array(4096));
    await conn.write(new TextEncoder().encode(hello));
    await conn.read(new Uint8Array(4096));
  } catch {
    // Nobody wants to talk to it.
  }
  quietly(() => conn.close());
}

function quietly(close: () => void): void {
  try {
    close();
  } catch {
    // Closed already.
  }
}
