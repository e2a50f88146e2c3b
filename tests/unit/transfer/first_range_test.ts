import { assert, assertEquals, assertRejects } from "@std/assert";
import { PIECE_BYTES } from "../../../lib/core/content.ts";
import { Failure } from "../../../lib/core/failure.ts";
import { systemClock } from "../../../lib/core/flow/clock.ts";
import { Downloads } from "../../../lib/transfer/downloads.ts";
import { streamSink } from "../../../lib/transfer/pieces/sink.ts";
import type { DownloadTools } from "../../../lib/transfer/content/download_tools.ts";
import { fastClock } from "../../support/fast_clock.ts";
import { seededRandom } from "../../support/seeded_random.ts";
import { connectPlain, ServedFile, TestSource } from "../../support/sources.ts";
import { randomBytes } from "../../support/temp.ts";

const SIZE = 9 * PIECE_BYTES + 1234;
const FILE = new ServedFile(randomBytes(SIZE, seededRandom(7)));
const QUESTIONS = ["PIECES", "HOLDS", "DOWNLOAD alone"];

interface Fetched {
  readonly bytes: Uint8Array;
  readonly retries: number;
}

interface Options {
  /** Default: that of a long line. */
  readonly roundTripMs?: number;
  readonly signal?: AbortSignal;
  readonly clock?: DownloadTools["clock"];
  readonly hasVersion?: boolean;
}

/** Downloads the file into memory. */
async function fetchFrom(sources: readonly TestSource[], options: Options = {}): Promise<Fetched> {
  const { roundTripMs = 50, signal = new AbortController().signal, clock = fastClock(50) } = options;
  const chunks: Uint8Array[] = [];
  let retries = 0;
  const downloads = new Downloads({
    async connect(source, ending) {
      const connection = await connectPlain(source, ending);
      connection.roundTripMs = roundTripMs;
      return connection;
    },
    finder: { sources: () => Promise.resolve(sources.map(({ source }) => source)) },
    clock,
    random: seededRandom(1),
    local: {
      find: () => Promise.resolve([]),
      mayHaveVersion: () => options.hasVersion === true,
      open: () => undefined,
      distrust() {},
    },
  });
  const sink = streamSink({
    write(bytes) {
      chunks.push(bytes.slice());
      return Promise.resolve(bytes.length);
    },
  });
  await downloads.download({ name: FILE.name, size: SIZE, root: FILE.root, peers: [] }, sink, {
    signal,
    onProgress: (progress) => void (retries = Math.max(retries, progress.retries)),
  });
  return { bytes: new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer()), retries };
}

Deno.test("download() asks its only source for the first range with the digests", async () => {
  await using source = await TestSource.open(FILE, { waitsForNext: true });
  assertEquals(await fetchFrom([source], { clock: systemClock }), { bytes: FILE.bytes, retries: 0 });
  assertEquals(source.asked.slice(0, 3), QUESTIONS);
  assertEquals([source.connections, source.sent], [1, SIZE]);
});

Deno.test("download() asks for the first range again when others download the file", async () => {
  await using source = await TestSource.open(FILE, { isShared: true });
  assertEquals(await fetchFrom([source]), { bytes: FILE.bytes, retries: 0 });
  assertEquals(source.asked.slice(0, 4), [...QUESTIONS, "DOWNLOAD"]);
  assertEquals([source.connections, source.sent], [1, SIZE]);
});

Deno.test("download() asks for the first range later over a short line, or when a part of it may be here", async () => {
  for (const options of [{ roundTripMs: 1 }, { hasVersion: true }]) {
    await using source = await TestSource.open(FILE);
    assertEquals(await fetchFrom([source], options), { bytes: FILE.bytes, retries: 0 });
    assert(!source.asked.includes("DOWNLOAD alone"));
  }
});

Deno.test("download() asks for the first range later when there are two sources", async () => {
  await using first = await TestSource.open(FILE, {}, "ana");
  await using second = await TestSource.open(FILE, {}, "ben");
  assertEquals((await fetchFrom([first, second])).bytes, FILE.bytes);
  assert(![...first.asked, ...second.asked].includes("DOWNLOAD alone"));
});

Deno.test("download() survives a source that sends the digests in parts, or breaks in the first range", async () => {
  for (const behaviour of [{ digestsAtATime: 4 }, { closesAfter: 3 * PIECE_BYTES + 5 }]) {
    await using source = await TestSource.open(FILE, behaviour);
    assertEquals(await fetchFrom([source]), { bytes: FILE.bytes, retries: 1 });
  }
});

Deno.test("download() names a wrong piece of the first range, and rejects wrong digests before it", async () => {
  await using wrong = await TestSource.open(FILE, { flipsByte: PIECE_BYTES });
  await using liar = await TestSource.open(FILE, { liesAboutDigests: true });
  const messages = [];
  for (const source of [wrong, liar]) messages.push((await assertRejects(() => fetchFrom([source]), Failure)).message);
  assertEquals(messages, [
    'Piece 1 of "served.bin" does not match its digest (sent by owner)',
    "The list of digests does not match the content asked for (sent by owner)",
  ]);
});

Deno.test("download() stops at once by its signal while the first range stalls", async () => {
  await using source = await TestSource.open(FILE, { stallsAfter: PIECE_BYTES + 65_536 });
  const stopping = new AbortController();
  setTimeout(() => stopping.abort(new Failure("cancelled", "enough")), 200);
  const fetching = fetchFrom([source], { signal: stopping.signal, clock: systemClock });
  assertEquals((await assertRejects(() => fetching, Failure)).message, "enough");
});
