/**
 * Peers that serve one file, well or in every bad way, over real sockets.
 * @module
 */

import { DIGEST_BYTES, digestOf, PIECE_BYTES, rootOf } from "../../lib/core/content.ts";
import { systemClock } from "../../lib/core/flow/clock.ts";
import { Failure } from "../../lib/core/failure.ts";
import { answerRequests, route, type Routes, routes } from "../../lib/net/answerer.ts";
import { greet } from "../../lib/net/caller.ts";
import type { Connection } from "../../lib/net/connection.ts";
import { dial } from "../../lib/net/dial.ts";
import { joinBytes, writeAll } from "../../lib/core/bytes.ts";
import type { ByteStream } from "../../lib/net/byte_stream.ts";
import { Identity } from "../../lib/net/identity.ts";
import { Listener } from "../../lib/net/listener.ts";
import { Download, DownloadMany, Holds, Pieces } from "../../lib/protocol/files.ts";
import type { Source } from "../../lib/transfer/content/source.ts";
import { AnsweringPeer } from "./answering_peer.ts";

/** What is served: bytes, and the digests and root that follow from them. */
export class ServedFile {
  readonly name: string;
  readonly digests: Uint8Array;
  readonly root: string;
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array, name = "served.bin") {
    this.bytes = bytes;
    this.name = name;
    const digests: number[] = [];
    for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
      digests.push(...digestOf(bytes.subarray(start, start + PIECE_BYTES)));
    }
    this.digests = new Uint8Array(digests);
    this.root = rootOf(bytes.length, this.digests);
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
  /**
   * Answers after 5 ms, as over a line with a delay. Sends the last bytes of a range only when the
   * next request has come, unless the range is the end of the file.
   */
  readonly waitsForNext?: boolean;
  /** Says that the file has another size. */
  readonly size?: number;
  /** Fails like this when it is asked for bytes. */
  readonly fails?: Failure;
  /** Fails like this when it is asked for digests, beginning with the second time. */
  readonly failsLater?: Failure;
  /** Gives this many digests at a time, and the root only with the last. */
  readonly digestsAtATime?: number;
  /** Says that others download the file, when it is asked to send it only to us. */
  readonly isShared?: boolean;
  /** Says it is somebody else. */
  readonly name?: string;
}

/** A peer with one file. */
export class TestSource implements AsyncDisposable {
  /** Body bytes sent. */
  sent = 0;
  /** Pieces that somebody said do not fit. */
  readonly doubts: number[] = [];
  /** Connections accepted. */
  connections = 0;
  /** What it was asked for, in order. */
  readonly asked: string[] = [];
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
    const line = (): Promise<void> => behaviour.waitsForNext === true ? systemClock.delay(5) : Promise.resolve();
    const all = routes(
      route(Holds, async (_: Connection) => {
        source.asked.push("HOLDS");
        await line();
        throw new Failure("unsupported", "it does not say what it has");
      }),
      route(Pieces, (_: Connection, { from, limit, doubt }) => {
        if (doubt !== undefined) source.doubts.push(doubt);
        source.asked.push("PIECES");
        digestsAsked += 1;
        if (behaviour.failsLater !== undefined && digestsAsked > 1) throw behaviour.failsLater;
        const count = Math.min(limit, behaviour.digestsAtATime ?? limit);
        const body = file.digests.slice(from * DIGEST_BYTES, (from + count) * DIGEST_BYTES);
        if (behaviour.liesAboutDigests === true) body[0] = (body[0] ?? 0) ^ 1;
        const last = from * DIGEST_BYTES + body.length === file.digests.length;
        return Promise.resolve({
          data: { ...about, root: last ? file.root : undefined },
          body: { bytes: body.length, write: (stream) => writeAll(stream, body) },
        });
      }),
      route(Download, async (connection, { root, start, end = file.bytes.length, alone = false }) => {
        source.asked.push(alone ? "DOWNLOAD alone" : "DOWNLOAD");
        await line();
        if (alone && behaviour.isShared === true) throw new Failure("busy", "others download it, too");
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
            const isLast = at + part.length === body.length && end < file.bytes.length;
            if (behaviour.waitsForNext === true && isLast) await nextRequest(connection);
            source.sent += part.length;
            await writeAll(stream, part);
          }
        };
        return { data: about, body: { bytes: body.length, write } };
      }),
    );
    source.#listener = await Listener.listen({ host: "127.0.0.1", port: 0 }, {
      connectionsMax: 100,
      serve: async (connection) => {
        source.connections += 1;
        await answerRequests(connection, all, connection, { name: () => behaviour.name ?? peer, idleMs: 5_000 });
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

/** Waits until something has arrived that was not read. Fails when nothing comes for long. */
async function nextRequest(connection: Connection): Promise<void> {
  if (connection.arrived.length === 0 && await connection.more({ waitMs: 5_000 }) !== "more") {
    throw new Failure("closed", "the other side closed");
  }
}

/** How a source of small files misbehaves: by the name of the file with which it does. */
export interface SmallBehaviour {
  readonly refuses?: string | undefined;
  readonly flips?: string | undefined;
  /** Has a byte less than was listed. */
  readonly cuts?: string | undefined;
  /** Says that it is packed, though nobody asked for that. */
  readonly bombs?: string | undefined;
  /** Does not answer. */
  readonly stalls?: string | undefined;
  /** Answers so many files at a time at most. */
  readonly answersMax?: number;
  /** Adds the first file of each answer to it again. */
  readonly repeats?: boolean;
  /** Closes the connection at every so many-th file. */
  readonly closesEvery?: number;
}

/** A peer with many small files. */
export class SmallSource implements AsyncDisposable {
  readonly #answering: AnsweringPeer;

  private constructor(answering: AnsweringPeer) {
    this.#answering = answering;
  }

  static async open(files: readonly ServedFile[], peer: string, behaviour: SmallBehaviour = {}): Promise<SmallSource> {
    let sent = 0;
    const wanted = ({ name, root }: { name?: string | undefined; root?: string | undefined }): ServedFile => {
      const file = files.find((each) => name === undefined ? each.root === root : each.name === name);
      if (file === undefined || file.name === behaviour.refuses) throw new Failure("not-shared", "it is not here");
      return file;
    };
    const answers = (closed: Promise<void>): Routes<Connection> =>
      routes(
        route(Pieces, (_: Connection, data) => {
          const { name, bytes, digests, root } = wanted(data);
          return Promise.resolve({ data: { name, size: bytes.length, modified: 1, root }, body: digests });
        }),
        route(DownloadMany, async (_, { files: asked }) => {
          const replies = [];
          const bodies: Uint8Array[] = [];
          let breaksAt: number | undefined;
          for (const each of [...asked.slice(0, behaviour.answersMax), ...asked.slice(0, behaviour.repeats ? 1 : 0)]) {
            if (replies.length > 0 && files.find(({ root }) => root === each.root)?.name === behaviour.refuses) break;
            const { name, bytes, root } = wanted(each);
            if (name === behaviour.stalls) await closed;
            sent += 1;
            if (sent % (behaviour.closesEvery ?? Infinity) === 0) breaksAt ??= bytesOf(bodies);
            const body = bytes.slice(0, name === behaviour.cuts ? -1 : undefined);
            if (name === behaviour.flips) body[0] = (body[0] ?? 0) ^ 1;
            const packed = name === behaviour.bombs ? body.length : undefined;
            replies.push({ size: body.length, modified: 1, root, packed });
            bodies.push(body);
            if (breaksAt !== undefined) break;
          }
          const body = joinBytes(bodies);
          const write = async (stream: ByteStream): Promise<void> => {
            await writeAll(stream, body.subarray(0, breaksAt));
            if (breaksAt === undefined) return;
            // The system drops what has not arrived when the connection closes.
            await systemClock.delay(5);
            throw new Failure("closed", "on purpose");
          };
          return { data: { files: replies }, body: { bytes: body.length, write } };
        }),
      );
    return new SmallSource(await AnsweringPeer.open(peer, { routes: answers, idleMs: 5_000 }));
  }

  get source(): Source {
    return this.#answering.source("");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#answering[Symbol.asyncDispose]();
  }
}

function bytesOf(bodies: readonly Uint8Array[]): number {
  return bodies.reduce((sum, { length }) => sum + length, 0);
}

/** The key of all that call a test source. */
const CALLER = await Identity.make();

/**
 * Connects to a test source as lib/peer/find/contacts.ts does to a real one, without checking its
 * key.
 */
export async function connectPlain({ address, peer }: Source, signal: AbortSignal): Promise<Connection> {
  const connection = await dial(address, { signal });
  using _closing = connection.closeOn(signal);
  signal.throwIfAborted();
  const name = await greet(connection, { identity: CALLER, goesOn: true });
  if (name === peer) return connection;
  connection.close();
  throw new Failure("unreachable", `Cannot reach ${peer}: somebody else is there`);
}
