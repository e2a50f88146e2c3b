/**
 * Downloads of a file that nobody has hashed, from two peers with different files of that name.
 * Streams in memory, so that the test decides in which order bytes arrive.
 * @module
 */

import { assertEquals } from "@std/assert";
import { DIGEST_BYTES, digestOf, PIECE_BYTES, sameBytes } from "../../../../lib/core/content.ts";
import { Failure } from "../../../../lib/core/failure.ts";
import { PieceSet } from "../../../../lib/core/piece_set.ts";
import { answerRequests, route, type Routes, routes } from "../../../../lib/net/answerer.ts";
import { greet } from "../../../../lib/net/caller.ts";
import type { Connection } from "../../../../lib/net/connection.ts";
import { Identity } from "../../../../lib/net/identity.ts";
import { Download, Holds, Pieces } from "../../../../lib/protocol/files.ts";
import type { OpenFile } from "../../../../lib/store/files/folder.ts";
import type { DownloadTools } from "../../../../lib/transfer/content/download_tools.ts";
import type { Source } from "../../../../lib/transfer/content/source.ts";
import { Downloads } from "../../../../lib/transfer/downloads.ts";
import type { PieceList } from "../../../../lib/transfer/pieces/piece_list.ts";
import type { Sink } from "../../../../lib/transfer/pieces/sink.ts";
import { connectionPair } from "../../../support/connections.ts";
import { fastClock } from "../../../support/fast_clock.ts";
import { seededRandom } from "../../../support/seeded_random.ts";
import { ServedFile } from "../../../support/sources.ts";
import { randomBytes, TempFolder } from "../../../support/temp.ts";

const COUNT = 6;
const SIZE = COUNT * PIECE_BYTES;
const NAME = "notes.bin";
const FIRST = new ServedFile(randomBytes(SIZE, seededRandom(1)), NAME);
const SECOND = new ServedFile(randomBytes(SIZE, seededRandom(2)), NAME);
const IDENTITY = await Identity.make();
/** Microtasks from the last byte of one peer to the last byte of the other. */
const STEPS = Array.from({ length: 21 }, (_, index) => -30 + 3 * index);

/** A sink in memory that compares what it has with a list. */
class ComparingSink implements Sink {
  readonly order = "rarest-first";
  readonly isNew = false;
  readonly bytes = new Uint8Array(SIZE);
  readonly #written = new Set<number>();

  piece(index: number): Uint8Array {
    return this.bytes.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES);
  }

  async verified(list: PieceList): Promise<PieceSet> {
    const here = new PieceSet(COUNT);
    for (const index of this.#written) {
      if (sameBytes(digestOf(this.piece(index)), await list.digest(index))) here.add(index);
    }
    return here;
  }

  write(offset: number, bytes: Uint8Array): Promise<void> {
    this.bytes.set(bytes, offset);
    this.#written.add(offset / PIECE_BYTES);
    return Promise.resolve();
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }
}

/** Two peers, and when the last byte of each arrives. */
class Race {
  readonly #lastDigest = Promise.withResolvers<void>();
  readonly #piece = Promise.withResolvers<void>();
  readonly #never = new Promise<void>(() => {});
  readonly #step: number;
  #hasBegun = false;
  readonly #open: Connection[] = [];
  readonly #routes: Readonly<Record<string, Routes<object>>>;

  constructor(step: number) {
    this.#step = step;
    this.#routes = { first: this.#answersOf("first", FIRST), second: this.#answersOf("second", SECOND) };
  }

  async connect({ peer }: Source): Promise<Connection> {
    const [here, there] = connectionPair();
    this.#open.push(here, there);
    void answerRequests(there, this.#routes[peer] ?? routes(), {}, { name: () => peer, idleMs: 60_000 });
    await greet(here, { identity: IDENTITY });
    return here;
  }

  close(): void {
    for (const connection of this.#open) connection.close();
  }

  /**
   * The first peer gives three digests and a piece. It gives nothing more until the second peer is
   * asked for a piece.
   */
  #answersOf(peer: string, { digests, bytes, root }: ServedFile): Routes<object> {
    const about = { name: NAME, size: SIZE, modified: 1 };
    const isFirst = peer === "first";
    let asked = 0;
    return routes(
      route(Holds, () => Promise.reject(new Failure("unsupported", "it does not say what it has"))),
      route(Pieces, async (_: object, { from }) => {
        if (isFirst && from === 0) return { data: about, body: digests.slice(0, 3 * DIGEST_BYTES) };
        if (isFirst) await this.#lastDigest.promise;
        return { data: about, body: digests.slice(from * DIGEST_BYTES) };
      }),
      route(Download, async (_: object, data) => {
        if (data.root !== undefined && data.root !== root) throw new Failure("not-shared", "it is not shared here");
        asked += 1;
        if (isFirst && asked > 1 && !this.#hasBegun) await this.#never;
        if (!isFirst && asked === 1) {
          void this.#begin();
          await this.#piece.promise;
        }
        return { data: about, body: bytes.slice(data.start, data.end) };
      }),
    );
  }

  async #begin(): Promise<void> {
    this.#hasBegun = true;
    await new Promise((resolve) => setTimeout(resolve, 5));
    const [soon, late] = this.#step < 0 ? [this.#piece, this.#lastDigest] : [this.#lastDigest, this.#piece];
    soon.resolve();
    for (let count = 0; count < Math.abs(this.#step); count++) await undefined;
    late.resolve();
  }
}

/** Every piece of the first file, which is on this machine. */
function localPieces(path: string): NonNullable<DownloadTools["local"]> {
  const shared = { name: NAME, size: SIZE, modified: 1 };
  return {
    find({ here }) {
      const missing = Array.from({ length: COUNT }, (_, index) => index).filter((index) => !here.has(index));
      return Promise.resolve(missing.map((index) => ({ from: index, to: index, file: shared })));
    },
    open(): OpenFile {
      const file = Deno.openSync(path);
      const about = { size: SIZE, modified: 1, changed: 1, executable: false, isUnchanged: () => true };
      return { file, ...about, [Symbol.dispose]: () => file.close() };
    },
    mayHaveVersion: () => false,
    distrust() {},
  };
}

Deno.test("a download never mixes the pieces of two lists, however they come together", async () => {
  await using temp = await TempFolder.make();
  await Deno.writeFile(temp.at("first.bin"), FIRST.bytes);
  const wrong: number[] = [];
  for (const step of STEPS) {
    const race = new Race(step);
    const sink = new ComparingSink();
    const sources = ["first", "second"].map((peer) => {
      return { peer, id: "1d".repeat(32), address: { host: "127.0.0.1", port: 1 }, plain: true, name: NAME };
    });
    const downloads = new Downloads({
      connect: (source) => race.connect(source),
      finder: {
        sources: ({ root }) => Promise.resolve(root === undefined ? sources : sources.slice(...sliceOf(root))),
      },
      clock: fastClock(50),
      // The first peer is asked first.
      random: () => 0.99,
      local: localPieces(temp.at("first.bin")),
    });
    const watch = { signal: new AbortController().signal, onProgress: () => {} };
    const { root } = await downloads.download({ name: NAME, size: SIZE, peers: [] }, sink, watch);
    race.close();
    if (!sameBytes(sink.bytes, root === FIRST.root ? FIRST.bytes : SECOND.bytes)) wrong.push(step);
  }
  assertEquals(wrong, []);
});

function sliceOf(root: string): [number, number] {
  return root === FIRST.root ? [0, 1] : [1, 2];
}
