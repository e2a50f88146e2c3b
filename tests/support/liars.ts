/**
 * Sources that lie or dawdle, each in its own way, over real sockets; and the honest one beside
 * them.
 * @module
 */

import { DIGEST_BYTES, PIECE_BYTES, pieceCount } from "../../lib/core/content.ts";
import { Failure } from "../../lib/core/failure.ts";
import { Pace } from "../../lib/core/flow/pace.ts";
import { systemClock } from "../../lib/core/flow/clock.ts";
import { type Answer, route, routes } from "../../lib/net/answerer.ts";
import { writeAll } from "../../lib/core/bytes.ts";
import type { ByteStream } from "../../lib/net/byte_stream.ts";
import type { Connection } from "../../lib/net/connection.ts";
import { encodeNews } from "../../lib/protocol/envelope.ts";
import { Asking, Download, DownloadMany, Holds, Pieces, Queued } from "../../lib/protocol/files.ts";
import type { DataOf, ReplyOf } from "../../lib/protocol/message.ts";
import type { Source } from "../../lib/transfer/content/source.ts";
import { AnsweringPeer } from "./answering_peer.ts";
import type { ServedFile } from "./sources.ts";

/** What a source does instead of serving. */
export const LIES = [
  "says QUEUED every second",
  "says ASKING every second",
  "sends one right byte a second",
  "sends news instead of digests",
  "says ASKING instead of digests",
  "is silent to PIECES",
  "is busy",
  "sends a wrong byte at the end of each piece",
  "sends a wrong byte at the end of each piece, and does not answer why",
  "closes at each request",
  "claims to hold all of it, and does not share it",
  "sends one piece and stalls",
  "says it is a partial holder that many ask",
  "never answers HELLO",
  "gives each small file just before it would be late",
  "gives a dozen files at once, and then each just before it would be late",
] as const;

/** Files for which a peer earns trust. */
const DOZEN = 12;
/** Shorter than the time after which small_plan.ts calls a connection late. */
const NEARLY_LATE_MS = 900;

/** One of them. */
export type Lie = typeof LIES[number];

/** A peer with some files. */
export class LyingSource implements AsyncDisposable {
  readonly #answering: AnsweringPeer;

  private constructor(answering: AnsweringPeer) {
    this.#answering = answering;
  }

  /**
   * Starts a peer that has these files and lies in this way, perhaps only for a time; without a lie
   * it serves them, at a rate if that is given.
   */
  static async open(
    files: readonly ServedFile[],
    peer: string,
    lie: Lie | undefined,
    { bytesPerSecond, lieMs = Infinity }: { bytesPerSecond?: number; lieMs?: number } = {},
  ): Promise<LyingSource> {
    return new LyingSource(
      await AnsweringPeer.open(peer, {
        idleMs: 60_000,
        routes(closed) {
          const serving = new Serving(files, lie, closed, { bytesPerSecond, lieMs });
          return routes(
            route(Pieces, (connection: Connection, data) => serving.pieces(connection, data)),
            route(Holds, (_, { root }) => serving.holds(root)),
            route(Download, (connection, data) => serving.download(connection, data)),
            route(DownloadMany, (connection, data) => serving.downloadMany(connection, data)),
          );
        },
      }),
    );
  }

  /** The source as a download sees it. */
  source(name: string): Source {
    return this.#answering.source(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#answering[Symbol.asyncDispose]();
  }
}

class Serving {
  readonly #byName: ReadonlyMap<string, ServedFile>;
  readonly #byRoot: ReadonlyMap<string, ServedFile>;
  readonly #lie: Lie | undefined;
  /** Resolves when the test is over. */
  readonly #closed: Promise<void>;
  readonly #pace: Pace | undefined;
  /** When it stops lying, if it does. */
  readonly #honestMs: number;
  #sentPieces = 0;
  #asked = 0;

  constructor(
    files: readonly ServedFile[],
    lie: Lie | undefined,
    closed: Promise<void>,
    { bytesPerSecond, lieMs }: { bytesPerSecond: number | undefined; lieMs: number },
  ) {
    this.#honestMs = performance.now() + lieMs;
    this.#byName = new Map(files.map((file) => [file.name, file]));
    this.#byRoot = new Map(files.map((file) => [file.root, file]));
    this.#lie = lie;
    this.#closed = closed;
    this.#pace = bytesPerSecond === undefined ? undefined : new Pace(bytesPerSecond, systemClock);
  }

  async pieces(
    connection: Connection,
    { name, root, from, limit, doubt }: DataOf<typeof Pieces>,
  ): Promise<Answer<ReplyOf<typeof Pieces>>> {
    if (this.#lie === "sends news instead of digests") {
      await this.#talk(connection, encodeNews(Queued, { before: 1 }), 200);
    }
    if (this.#lie === "says ASKING instead of digests") {
      await this.#talk(connection, encodeNews(Asking, {}), 1_000);
    }
    const isSilent = doubt !== undefined && this.#lie?.endsWith("does not answer why") === true;
    if (isSilent || this.#lie === "is silent to PIECES") await this.#closed;
    const file = this.#file({ name, root });
    const body = file.digests.slice(from * DIGEST_BYTES, (from + limit) * DIGEST_BYTES);
    return { data: { name: file.name, size: file.bytes.length, modified: 1, root: file.root }, body };
  }

  holds(root: string): Promise<Answer<ReplyOf<typeof Holds>>> {
    const { bytes } = this.#file({ root });
    const bitmap = new Uint8Array(Math.ceil(pieceCount(bytes.length) / 8));
    const all = bitmap.map(() => 0xff);
    if (this.#lie !== "says it is a partial holder that many ask") {
      return Promise.resolve({ data: { size: bytes.length, complete: true, asking: 1, full: false }, body: bitmap });
    }
    const body = new Uint8Array([...all, ...all]);
    return Promise.resolve({ data: { size: bytes.length, complete: false, asking: 1_000, full: false }, body });
  }

  async download(
    connection: Connection,
    { name, root, start, end }: DataOf<typeof Download>,
  ): Promise<Answer<ReplyOf<typeof Download>>> {
    const file = this.#file({ name, root });
    const bytes = file.bytes.slice(start, end);
    const data = { name: file.name, size: file.bytes.length, modified: 1, root: file.root };
    const streamed = (write: (stream: ByteStream) => Promise<void>) => ({ data, body: { bytes: bytes.length, write } });
    switch (this.#lie) {
      case "says QUEUED every second":
        await this.#talk(connection, encodeNews(Queued, { before: 0 }), 1_000);
        return streamed((stream) => this.#send(stream, bytes));
      case "says ASKING every second":
        await this.#talk(connection, encodeNews(Asking, {}), 1_000);
        return streamed((stream) => this.#send(stream, bytes));
      case "sends one right byte a second":
        return streamed((stream) => this.#drip(stream, bytes));
      case "is busy":
        throw new Failure("busy", "it has no time");
      case "sends a wrong byte at the end of each piece":
      case "sends a wrong byte at the end of each piece, and does not answer why":
        for (let last = PIECE_BYTES - 1; last < bytes.length + PIECE_BYTES - 1; last += PIECE_BYTES) {
          const at = Math.min(last, bytes.length - 1);
          if (at >= 0) bytes[at] = (bytes[at] ?? 0) ^ 1;
        }
        return { data, body: bytes };
      case "closes at each request":
        connection.close();
        throw new Failure("closed", "on purpose");
      case "claims to hold all of it, and does not share it":
        throw new Failure("not-shared", "it is not shared here");
      case "gives each small file just before it would be late":
      case "gives a dozen files at once, and then each just before it would be late":
        this.#asked += 1;
        if (this.#lie !== "gives each small file just before it would be late" && this.#asked <= DOZEN) {
          return streamed((stream) => this.#send(stream, bytes));
        }
        if (await this.#pause(NEARLY_LATE_MS)) throw new Failure("closed", "the test is over");
        return streamed((stream) => this.#send(stream, bytes));
      case "sends one piece and stalls":
        return streamed((stream) => this.#sendOne(stream, bytes));
      case "sends news instead of digests":
      case "says ASKING instead of digests":
      case "is silent to PIECES":
      case "says it is a partial holder that many ask":
      case "never answers HELLO":
        await this.#closed;
        throw new Failure("closed", "the test is over");
      case undefined:
        return streamed((stream) => this.#send(stream, bytes));
    }
  }

  /** Answers with the first file only, as it does to a DOWNLOAD. */
  async downloadMany(
    connection: Connection,
    { files: [first] }: DataOf<typeof DownloadMany>,
  ): Promise<Answer<ReplyOf<typeof DownloadMany>>> {
    if (first === undefined) throw new Failure("malformed", "no file is named");
    const { data: { size, modified, root }, body } = await this.download(connection, { ...first, start: 0 });
    return { data: { files: [{ size, modified, root }] }, body };
  }

  #file({ name, root }: { name?: string | undefined; root?: string | undefined }): ServedFile {
    const file = name === undefined ? this.#byRoot.get(root ?? "") : this.#byName.get(name);
    if (file === undefined) throw new Failure("not-shared", "it is not here");
    return file;
  }

  /** Says something again and again, as long as it lies. */
  async #talk(connection: Connection, line: Uint8Array, everyMs: number): Promise<void> {
    const leftMs = this.#honestMs - performance.now();
    if (leftMs <= 0) return;
    const say = (): void => void connection.send(line).catch(() => {});
    say();
    const talking = setInterval(say, everyMs);
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = leftMs < Infinity ? setTimeout(resolve, leftMs) : undefined;
    const isHonest = await Promise.race([promise.then(() => true), this.#closed.then(() => false)]);
    clearTimeout(timer);
    clearInterval(talking);
    if (!isHonest) throw new Failure("closed", "the test is over");
  }

  async #drip(stream: ByteStream, bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at++) {
      await writeAll(stream, bytes.subarray(at, at + 1));
      if (await this.#pause(1_000)) throw new Failure("closed", "the test is over");
    }
  }

  /**
   * Waits.
   *
   * @returns Whether the test is over meanwhile.
   */
  async #pause(ms: number): Promise<boolean> {
    const pause = Promise.withResolvers<void>();
    const timer = setTimeout(pause.resolve, ms);
    const isOver = await Promise.race([pause.promise.then(() => false), this.#closed.then(() => true)]);
    clearTimeout(timer);
    return isOver;
  }

  async #sendOne(stream: ByteStream, bytes: Uint8Array): Promise<void> {
    this.#sentPieces += 1;
    if (this.#sentPieces === 1) await writeAll(stream, bytes.subarray(0, PIECE_BYTES));
    if (this.#sentPieces === 1 && bytes.length <= PIECE_BYTES) return;
    await this.#closed;
    throw new Failure("closed", "the test is over");
  }

  async #send(stream: ByteStream, bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += 65_536) {
      const part = bytes.subarray(at, at + 65_536);
      await this.#pace?.take(part.length);
      await writeAll(stream, part);
    }
  }
}
