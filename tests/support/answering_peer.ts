/**
 * A peer of a test that answers some requests over a real socket and does nothing else. Called by
 * the sources of tests/support.
 * @module
 */

import { answerRequests, type Routes } from "../../lib/net/answerer.ts";
import type { Connection } from "../../lib/net/connection.ts";
import { Listener } from "../../lib/net/listener.ts";
import type { Source } from "../../lib/transfer/content/source.ts";

/** What it answers, and how. */
export interface AnsweringOptions {
  /** @param closed Resolves when the test is over: what stalls until then. */
  readonly routes: (closed: Promise<void>) => Routes<Connection>;
  readonly idleMs: number;
}

/** A peer that is there as long as the test. */
export class AnsweringPeer implements AsyncDisposable {
  readonly #peer: string;
  readonly #listener: Listener;
  readonly #close: () => void;

  private constructor(peer: string, listener: Listener, close: () => void) {
    this.#peer = peer;
    this.#listener = listener;
    this.#close = close;
  }

  static async open(peer: string, { routes, idleMs }: AnsweringOptions): Promise<AnsweringPeer> {
    const { promise: closed, resolve: close } = Promise.withResolvers<void>();
    const all = routes(closed);
    const listener = await Listener.listen({ host: "127.0.0.1", port: 0 }, {
      connectionsMax: 100,
      serve: async (connection) => {
        await answerRequests(connection, all, connection, { name: () => peer, idleMs });
      },
    });
    return new AnsweringPeer(peer, listener, close);
  }

  /** The peer as a download sees it that wants a file of this name. */
  source(name: string): Source {
    return { peer: this.#peer, id: "1d".repeat(32), address: this.#listener.address, plain: true, name };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
    await this.#listener[Symbol.asyncDispose]();
  }
}
