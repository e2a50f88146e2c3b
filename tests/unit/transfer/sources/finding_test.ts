import { assert, assertEquals } from "@std/assert";
import { PIECE_BYTES } from "../../../../lib/core/content.ts";
import { settlesWithin } from "../../../../lib/core/flow/clock.ts";
import { Failure } from "../../../../lib/core/failure.ts";
import { route, routes } from "../../../../lib/net/answerer.ts";
import type { Connection } from "../../../../lib/net/connection.ts";
import { Download, DownloadMany, Holds, Pieces } from "../../../../lib/protocol/files.ts";
import type { Source } from "../../../../lib/transfer/content/source.ts";
import { Downloads } from "../../../../lib/transfer/downloads.ts";
import { streamSink } from "../../../../lib/transfer/pieces/sink.ts";
import { AnsweringPeer } from "../../../support/answering_peer.ts";
import { fastClock } from "../../../support/fast_clock.ts";
import { seededRandom } from "../../../support/seeded_random.ts";
import { connectPlain, ServedFile } from "../../../support/sources.ts";
import { randomBytes } from "../../../support/temp.ts";

const ENDS_MS = 20_000;

/** An index that stops answering, and an owner that sends nothing until it is asked in vain. */
class Scene implements AsyncDisposable {
  readonly #file: ServedFile;
  readonly #asked = Promise.withResolvers<void>();
  #owner: AnsweringPeer | undefined;

  constructor(file: ServedFile) {
    this.#file = file;
  }

  async open(): Promise<Source> {
    const { name, bytes, root, digests } = this.#file;
    const about = { name, size: bytes.length, modified: 1, root };
    this.#owner = await AnsweringPeer.open("owner", {
      idleMs: 60_000,
      routes: () =>
        routes(
          route(Holds, (_: Connection) => Promise.reject(new Failure("unsupported", "it does not say what it has"))),
          route(Pieces, () => Promise.resolve({ data: about, body: digests })),
          route(Download, async (_, { start, end }) => {
            await this.#asked.promise;
            return { data: about, body: bytes.slice(start, end) };
          }),
          route(DownloadMany, async () => {
            await this.#asked.promise;
            return { data: { files: [about] }, body: bytes };
          }),
        ),
    });
    return this.#owner.source(name);
  }

  /** Asks the index in vain. */
  ask(): Promise<readonly Source[]> {
    this.#asked.resolve();
    return new Promise(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owner?.[Symbol.asyncDispose]();
  }
}

const WATCH = { signal: new AbortController().signal, onProgress: () => {} };

Deno.test("a download that is whole does not wait for an index that does not answer", async () => {
  const file = new ServedFile(randomBytes(2 * PIECE_BYTES, seededRandom(4)));
  await using scene = new Scene(file);
  const owner = await scene.open();
  let finds = 0;
  const downloads = new Downloads({
    connect: connectPlain,
    finder: { sources: () => ++finds === 1 ? Promise.resolve([owner]) : scene.ask() },
    clock: fastClock(20),
    random: seededRandom(1),
  });
  const sink = streamSink({ write: ({ length }) => Promise.resolve(length) });
  const wanted = { name: file.name, size: file.bytes.length, root: file.root, peers: [] };
  const arriving = downloads.download(wanted, sink, WATCH);
  assert(await settlesWithin(ENDS_MS, arriving));
  assertEquals((await arriving).root, file.root);
});

Deno.test("a download of small files that are all here does not wait for an index that does not answer", async () => {
  const file = new ServedFile(randomBytes(1_000, seededRandom(4)));
  await using scene = new Scene(file);
  const owner = await scene.open();
  const downloads = new Downloads({
    connect: connectPlain,
    finder: { sources: () => scene.ask() },
    clock: fastClock(20),
    random: seededRandom(1),
  });
  const { name, root, bytes: { length: size } } = file;
  const small = { name, size, root, peers: [], sources: [owner], moreHolders: true };
  let arrived = 0;
  const arriving = downloads.downloadSmall([small], {
    ...WATCH,
    onFile: () => void (arrived += 1),
    onFailed: (_, failure) => {
      throw failure;
    },
  });
  assert(await settlesWithin(ENDS_MS, arriving));
  assertEquals(arrived, 1);
});
