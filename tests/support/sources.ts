/**
 * Peers that serve one file, well or in every bad way, over real sockets.
 * @module
 */

import { DIGEST_BYTES, digestOf, PIECE_BYTES, rootOf } from "../../lib/core/content.ts";
import { Failure } from "../../lib/core/failure.ts";
import { answerRequests, route, routes } from "../../lib/net/answerer.ts";
import { greet } from "../../lib/net/caller.ts";
import type { Connection } from "../../lib/net/connection.ts";
import { dial } from "../../lib/net/dial.ts";
import { Listener } from "../../lib/net/listener.ts";
import { Download, Pieces } from "../../lib/protocol/files.ts";
import type { Source } from "../../lib/transfer/lane.ts";

/** What is served: bytes, and the digests and root that follow from them. */
export class ServedFile {
  readonly name = "served.bin";
  readonly digests: Uint8Array;
  readonly root: string;
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    const digests: number[] = [];
    for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
      digests.push(...digestOf(bytes.subarray(start, start + PIECE_BYTES)));
    }
    this.digests = new Uint8Array(digests);
    this.root = rootOf(this.digests);
  }
}

/** How a source misbehaves. Without any of these, it does not. */
export interface Behaviour {
  /** Flips a bit of this byte whenever it sends it. */
  readonly flipsByte?: number;
  /** Gives digests that do not match the root. */
  readonly liesAboutDigests?: boolean;
  /** Closes the connection when it has sent this many bytes of a body. */
  readonly closesAfter?: number;
  /** Sends this many bytes of a body, and then nothing, without closing. */
  readonly stallsAfter?: number;
  /** Says that the file has another size. */
  readonly size?: number;
  /** Fails like this when it is asked for bytes. */
  readonly fails?: Failure;
  /** Fails like this when it is asked for digests, beginning with the second time. */
  readonly failsLater?: Failure;
  /** Gives this many digests at a time, and the root only with the last. */
  readonly digestsAtATime?: number;
  /** Says it is somebody else. */
  readonly name?: string;
}

/** A peer with one file. */
export class TestSource implements AsyncDisposable {
  /** Body bytes sent. */
  sent = 0;
  /** Connections accepted. */
  connections = 0;
  #listener: Listener | undefined;
  readonly #peer: string;

  private constructor(peer: string) {
    this.#peer = peer;
  }

  /** Starts a peer that serves the file, as it behaves. */
  static async open(file: ServedFile, behaviour: Behaviour = {}, peer = "owner"): Promise<TestSource> {
    const source = new TestSource(peer);
    let digestsAsked = 0;
    const about = { name: file.name, size: behaviour.size ?? file.bytes.length, modified: 1 };
    const all = routes(
      route(Pieces, (_: undefined, { from, limit }) => {
        digestsAsked += 1;
        if (behaviour.failsLater !== undefined && digestsAsked > 1) throw behaviour.failsLater;
        const count = Math.min(limit, behaviour.digestsAtATime ?? limit);
        const body = file.digests.slice(from * DIGEST_BYTES, (from + count) * DIGEST_BYTES);
        if (behaviour.liesAboutDigests === true) body[0] = (body[0] ?? 0) ^ 1;
        const last = from * DIGEST_BYTES + body.length === file.digests.length;
        return Promise.resolve({
          data: { ...about, ...(last ? { root: file.root } : {}) },
          body: { bytes: body.length, write: (stream) => writeAll(stream, body) },
        });
      }),
      route(Download, (_, { root, start, end = file.bytes.length }) => {
        if (root !== undefined && root !== file.root) throw new Failure("not-shared", "it is not shared here");
        if (behaviour.fails !== undefined) throw behaviour.fails;
        const body = file.bytes.slice(start, end);
        const flipped = (behaviour.flipsByte ?? -1) - start;
        if (flipped >= 0 && flipped < body.length) body[flipped] = (body[flipped] ?? 0) ^ 1;
        const write = async (stream: { write(bytes: Uint8Array): Promise<number> }): Promise<void> => {
          for (let at = 0; at < body.length; at += 65_536) {
            const part = body.subarray(at, at + 65_536);
            if (at >= (behaviour.closesAfter ?? Infinity)) throw new Failure("closed", "on purpose");
            if (at >= (behaviour.stallsAfter ?? Infinity)) await source.#closed;
            source.sent += part.length;
            await writeAll(stream, part);
          }
        };
        return Promise.resolve({ data: about, body: { bytes: body.length, write } });
      }),
    );
    source.#listener = await Listener.listen({ host: "127.0.0.1", port: 0 }, {
      connectionsMax: 100,
      serve: async (connection) => {
        source.connections += 1;
        await answerRequests(connection, all, undefined, { name: () => behaviour.name ?? peer, idleMs: 5_000 });
      },
    });
    return source;
  }

  #close: () => void = () => {};
  readonly #closed = new Promise<void>((resolve) => this.#close = resolve);

  /** The source as a download sees it. */
  get source(): Source {
    const address = this.#listener?.address ?? { host: "", port: 0 };
    return { peer: this.#peer, id: "1d".repeat(32), address, plain: true, name: "served.bin" };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
    await this.#listener?.[Symbol.asyncDispose]();
  }
}

async function writeAll(stream: { write(bytes: Uint8Array): Promise<number> }, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await stream.write(bytes.subarray(done));
}

/** Connects to a test source as lib/peer/contacts.ts does to a real one, without its keys. */
export async function connectPlain({ address, peer }: Source, signal: AbortSignal): Promise<Connection> {
  const connection = await dial(address, { signal });
  const name = await greet(connection);
  if (name === peer) return connection;
  connection.close();
  throw new Failure("unreachable", `Cannot reach ${peer}: somebody else is there`);
}
