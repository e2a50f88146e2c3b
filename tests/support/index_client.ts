/**
 * Talks to an index as a peer does, in as few words as a test needs.
 * @module
 */

import type { Address } from "../../lib/core/address.ts";
import type { Failure } from "../../lib/core/failure.ts";
import { answerRequests, routes } from "../../lib/net/answerer.ts";
import { Caller, greet } from "../../lib/net/caller.ts";
import { dial } from "../../lib/net/dial.ts";
import { Identity } from "../../lib/net/identity.ts";
import { Listener } from "../../lib/net/listener.ts";
import type { ReplyOf, Request } from "../../lib/protocol/message.ts";
import { Join, Reached, Update } from "../../lib/protocol/presence.ts";
import { Search } from "../../lib/protocol/search.ts";
import type { Hit, IndexedFile, PeerRef } from "../../lib/protocol/shapes.ts";

/** A session with an index, and a listener that answers its dial-back. */
export class IndexClient implements AsyncDisposable {
  /** News that came, by name. */
  readonly news: string[] = [];
  readonly caller: Caller;
  readonly ended: Promise<Failure>;
  name = "";
  readonly identity: Identity;
  readonly #listener: Listener;
  #reached = Promise.withResolvers<boolean>();

  private constructor(caller: Caller, listener: Listener, identity: Identity) {
    this.caller = caller;
    this.identity = identity;
    this.#listener = listener;
    this.ended = caller.run((event, data) => {
      if (event === Reached.event) this.#reached.resolve(Reached.data.check(data, event).reachable);
      else this.news.push(event);
    }, { waitMs: 600_000 });
  }

  /** Connects, says HELLO and proves an identity, one of its own if none is given. */
  static async connect(index: Address, known?: Identity): Promise<IndexClient> {
    const identity = known ?? await Identity.make();
    const connection = await dial({ host: index.host === "0.0.0.0" ? "127.0.0.1" : index.host, port: index.port });
    await greet(connection, { called: "index", identity });
    let client: IndexClient | undefined;
    const listener = await Listener.listen({ host: connection.local.host, port: 0 }, {
      connectionsMax: 10,
      serve: async (dialled) => {
        await answerRequests(dialled, routes(), undefined, { name: () => client?.name ?? "", idleMs: 5_000 });
      },
    });
    return client = new IndexClient(new Caller(connection), listener, identity);
  }

  /** Where it answers dial-backs. */
  get port(): number {
    return this.#listener.address.port;
  }

  /** What others are given of it. */
  get ref(): PeerRef {
    return { name: this.name, id: this.identity.id, host: "127.0.0.1", port: this.port, plain: true };
  }

  /**
   * Joins under a name.
   *
   * @returns The answer, and whether the index then reached it.
   */
  async join(
    name: string,
    options: { port?: number; files?: number } = {},
  ): Promise<ReplyOf<typeof Join> & { reachable: boolean }> {
    this.name = name;
    const { port = this.port, files = 0 } = options;
    this.#reached = Promise.withResolvers();
    const joined = await this.caller.call(Join, { name, port, files, plain: true });
    return { ...joined, reachable: await Promise.race([this.#reached.promise, this.ended.then(() => false)]) };
  }

  /** Lists files. */
  async list(...files: (string | IndexedFile)[]): Promise<void> {
    const add = files.map((file) => typeof file === "string" ? { name: file, size: 1000 } : file);
    await this.caller.call(Update, { add, remove: [] });
  }

  /** Searches. */
  async search(query: string): Promise<readonly Hit[]> {
    return (await this.caller.call(Search, { query, exact: false, limit: 20, offset: 0 })).hits;
  }

  /** Any other request. */
  call<D, R>(message: Request<D, R>, data: D): Promise<R> {
    return this.caller.call(message, data);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.caller.connection.close();
    await this.ended;
    await this.#listener[Symbol.asyncDispose]();
  }
}
