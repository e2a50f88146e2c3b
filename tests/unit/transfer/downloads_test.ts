import { assert, assertEquals, assertRejects } from "@std/assert";
import { PIECE_BYTES, pieceCount, sameBytes } from "../../../lib/core/content.ts";
import { Failure } from "../../../lib/core/failure.ts";
import { type Clock, systemClock } from "../../../lib/core/flow/clock.ts";
import { PieceSet } from "../../../lib/core/piece_set.ts";
import type { WantedContent } from "../../../lib/transfer/content/content.ts";
import { Downloads } from "../../../lib/transfer/downloads.ts";
import type { Source } from "../../../lib/transfer/content/source.ts";
import { type Sink, streamSink } from "../../../lib/transfer/pieces/sink.ts";
import type { Downloaded, DownloadProgress, DownloadWatch } from "../../../lib/transfer/content/watch.ts";
import { fastClock } from "../../support/fast_clock.ts";
import { LyingSource } from "../../support/liars.ts";
import { seededRandom } from "../../support/seeded_random.ts";
import { connectPlain, ServedFile, TestSource } from "../../support/sources.ts";
import { randomBytes } from "../../support/temp.ts";

const SIZE = 5 * PIECE_BYTES + 1234;
const FILE = new ServedFile(randomBytes(SIZE, seededRandom(5)));
const WITHOUT_ROOT: WantedContent = { name: FILE.name, size: SIZE, peers: [] };
const WITH_ROOT: WantedContent = { ...WITHOUT_ROOT, root: FILE.root };

/** A sink in memory. It knows which pieces it has, as an unfinished file does. */
class MemorySink implements Sink {
  readonly order = "rarest-first";
  readonly isNew = false;
  readonly bytes: Uint8Array;
  readonly writes: number[] = [];
  readonly #here: PieceSet;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.#here = new PieceSet(pieceCount(size));
  }

  verified(): ReturnType<Sink["verified"]> {
    return Promise.resolve(this.#here.copy());
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  write(offset: number, bytes: Uint8Array): Promise<void> {
    this.bytes.set(bytes, offset);
    this.writes.push(offset);
    this.#here.add(offset / PIECE_BYTES);
    return Promise.resolve();
  }
}

function bytesFrom({ sources }: Downloaded, peer: string): number {
  return sources.find((source) => source.peer === peer)?.bytes ?? 0;
}

interface Run {
  readonly content?: WantedContent;
  readonly sink?: Sink;
  readonly sources: readonly Source[];
  readonly signal?: AbortSignal;
  readonly onProgress?: DownloadWatch["onProgress"];
  /** Default: one that is faster than the machine's. */
  readonly clock?: Clock;
}

function run(
  { content = WITH_ROOT, sink = new MemorySink(SIZE), sources, signal, onProgress, clock = fastClock(50) }: Run,
): Promise<Downloaded> {
  const downloads = new Downloads({
    connect: connectPlain,
    finder: { sources: () => Promise.resolve(sources) },
    clock,
    random: seededRandom(1),
  });
  return downloads.download(content, sink, {
    signal: signal ?? new AbortController().signal,
    onProgress: onProgress ?? (() => {}),
  });
}

Deno.test("download() fetches a file by its root and reports how much each source sent", async () => {
  await using source = await TestSource.open(FILE);
  const sink = new MemorySink(SIZE);
  const progress: DownloadProgress[] = [];
  const result = await run({ sink, sources: [source.source], onProgress: (each) => progress.push(each) });
  assertEquals(sink.bytes, FILE.bytes);
  assertEquals([result.root, bytesFrom(result, "owner"), source.connections], [FILE.root, SIZE, 1]);
  assertEquals(progress.at(-1), { state: "running", done: SIZE, sources: ["owner"], retries: 0 });
  assertEquals(progress[0]?.state, "connecting");
});

Deno.test("download() begins with a file that is not hashed yet and learns its root", async () => {
  await using source = await TestSource.open(FILE, { digestsAtATime: 1 });
  const sink = new MemorySink(SIZE);
  const result = await run({ content: WITHOUT_ROOT, sink, sources: [source.source] });
  assertEquals(sink.bytes, FILE.bytes);
  assertEquals([result.root, result.digests], [FILE.root, FILE.digests]);
});

Deno.test("download() begins with the sources that were looked up a moment ago", async () => {
  await using source = await TestSource.open(FILE);
  const sink = new MemorySink(SIZE);
  // A look-up would find nobody.
  await run({ content: { ...WITH_ROOT, sources: [source.source] }, sink, sources: [] });
  assertEquals(sink.bytes, FILE.bytes);
});

Deno.test("download() of an empty file needs no source", async () => {
  const content = { name: "empty", size: 0, peers: [] };
  const { root } = await run({ content, sink: new MemorySink(0), sources: [] });
  assertEquals(root, "af5570f5a1810b7af78caf4bc70a660f0df51e42baf91d4de5b2328de0e83dfc");
});

Deno.test("download() fetches only missing pieces", async () => {
  await using source = await TestSource.open(FILE);
  const sink = new MemorySink(SIZE);
  for (const piece of [0, 1, 3]) {
    await sink.write(piece * PIECE_BYTES, FILE.bytes.subarray(piece * PIECE_BYTES, (piece + 1) * PIECE_BYTES));
  }
  const result = await run({ sink, sources: [source.source] });
  assertEquals(sink.bytes, FILE.bytes);
  assertEquals([bytesFrom(result, "owner"), source.sent], [SIZE - 3 * PIECE_BYTES, SIZE - 3 * PIECE_BYTES]);
});

Deno.test("download() continues from another source when one closes in the middle", async () => {
  // The first source closes before the end of every request for more than a piece.
  await using first = await TestSource.open(FILE, { closesAfter: PIECE_BYTES - 1 }, "first");
  await using second = await TestSource.open(FILE, {}, "second");
  for (const content of [WITH_ROOT, WITHOUT_ROOT]) {
    const sink = new MemorySink(SIZE);
    const result = await run({ content, sink, sources: [first.source, second.source] });
    assertEquals(sink.bytes, FILE.bytes);
    const [one, other] = [bytesFrom(result, "first"), bytesFrom(result, "second")];
    // How much each source gives depends on the machine. At the end, both may be asked for the same
    // piece, and both may send it.
    assert(other >= PIECE_BYTES, `${one} and ${other}`);
    assert(one + other >= SIZE && one + other <= SIZE + 2 * PIECE_BYTES, `${one} and ${other}`);
  }
});

Deno.test("download() ends well with one source that closes again and again but gives pieces", async () => {
  await using source = await TestSource.open(FILE, { closesAfter: PIECE_BYTES + 300_000 });
  const sink = new MemorySink(SIZE);
  await run({ sink, sources: [source.source] });
  assertEquals(sink.bytes, FILE.bytes);
  assert(source.connections > 1, `${source.connections} connections`);
});

Deno.test("download() drops a source that sends a wrong byte, names the piece and asks another source", async () => {
  await using bad = await TestSource.open(FILE, { flipsByte: 2 * PIECE_BYTES + 7 }, "bad");
  await using good = await TestSource.open(FILE, {}, "good");
  const sink = new MemorySink(SIZE);
  const result = await run({ sink, sources: [bad.source, good.source] });
  assertEquals(sink.bytes, FILE.bytes);
  const [wrong, right] = [bytesFrom(result, "bad"), bytesFrom(result, "good")];
  assert(right >= PIECE_BYTES && wrong + right >= SIZE, `${wrong} and ${right}`);

  const alone = new MemorySink(SIZE);
  const failure = await assertRejects(() => run({ sink: alone, sources: [bad.source] }), Failure);
  assertEquals([failure.code, failure.message], [
    "corrupt",
    'Piece 2 of "served.bin" does not match its digest (sent by bad)',
  ]);
  assertEquals(alone.writes, [0, PIECE_BYTES], "a wrong piece was written");
  assertEquals([bad.doubts.at(-1), good.doubts], [2, []], "the source hears which piece does not match");
});

const LONG = new ServedFile(randomBytes(20 * PIECE_BYTES, seededRandom(6)));
const WANTED_LONG: WantedContent = { ...WITH_ROOT, size: LONG.bytes.length, root: LONG.root };

Deno.test("download() asks a source for its next range while it still sends the one before", async () => {
  await using source = await TestSource.open(LONG, { waitsForNext: true });
  const sink = new MemorySink(LONG.bytes.length);
  await run({ content: WANTED_LONG, sink, sources: [source.source], clock: systemClock });
  assertEquals(sink.bytes, LONG.bytes);
  assertEquals(source.connections, 1);
});

Deno.test("download() names the wrong piece of a range behind which another one was asked for", async () => {
  await using source = await TestSource.open(LONG, { waitsForNext: true, flipsByte: 4 * PIECE_BYTES - 1 });
  const sink = new MemorySink(LONG.bytes.length);
  const failing = run({ content: WANTED_LONG, sink, sources: [source.source], clock: systemClock });
  assertEquals(
    (await assertRejects(() => failing, Failure)).message,
    'Piece 3 of "served.bin" does not match its digest (sent by owner)',
  );
  assertEquals([sink.writes.length, source.doubts], [3, [3]]);
});

Deno.test("download() counts one failure when a connection breaks with a range asked for ahead", async () => {
  await using source = await TestSource.open(LONG, { closesAfter: 3 * PIECE_BYTES + 5 });
  const sink = new MemorySink(LONG.bytes.length);
  const retries: number[] = [];
  const onProgress = (progress: DownloadProgress): void => void retries.push(progress.retries);
  await run({ content: WANTED_LONG, sink, sources: [source.source], onProgress });
  assertEquals(sink.bytes, LONG.bytes);
  assertEquals(Math.max(...retries), 1);
});

Deno.test("download() distinguishes a file that changed while it was sent from a damaged one", async () => {
  const failsLater = new Failure("file-changed", 'Cannot send "served.bin": it has changed since it was listed');
  await using source = await TestSource.open(FILE, { flipsByte: 9, failsLater });
  const failure = await assertRejects(() => run({ sources: [source.source] }), Failure);
  assertEquals([failure.code, failure.message], [
    "file-changed",
    '"served.bin" has changed: owner no longer has this version',
  ]);
});

Deno.test("download() rejects digests that do not match the root, and another size", async () => {
  for (
    const [behaviour, code] of [[{ liesAboutDigests: true }, "corrupt"], [{ size: SIZE - 1 }, "file-changed"]] as const
  ) {
    await using liar = await TestSource.open(FILE, behaviour);
    const sink = new MemorySink(SIZE);
    assertEquals((await assertRejects(() => run({ sink, sources: [liar.source] }), Failure)).code, code);
    assertEquals(sink.writes, []);
  }
});

Deno.test("download() rejects another peer at the address of its source", async () => {
  await using other = await TestSource.open(FILE, { name: "somebody" });
  const failure = await assertRejects(() => run({ sources: [other.source] }), Failure);
  assertEquals([failure.code, failure.message.includes("somebody else")], ["unreachable", true]);
});

Deno.test("download() retries when every source fails, and gives up after a number of attempts", async () => {
  await using source = await TestSource.open(FILE, { fails: new Failure("busy", "all slots are taken") });
  const failure = await assertRejects(() => run({ sources: [source.source] }), Failure);
  assertEquals([failure.code, failure.message], ["busy", "all slots are taken"]);
  assert(source.connections >= 6, `${source.connections} attempts`);
});

Deno.test("download() goes on when a source reports a full disk", async () => {
  await using source = await TestSource.open(FILE, { fails: new Failure("disk-full", "haha") }, "joker");
  await using good = await TestSource.open(FILE, {}, "good");
  const sink = new MemorySink(SIZE);
  await run({ sink, sources: [source.source, good.source] });
  assertEquals(sink.bytes, FILE.bytes);
});

Deno.test("download() fails immediately when its own disk is full", async () => {
  await using source = await TestSource.open(FILE);
  await using other = await TestSource.open(FILE, {}, "other");
  const sink = new MemorySink(SIZE);
  sink.write = () => Promise.reject(new Failure("disk-full", "no space"));
  const failure = await assertRejects(() => run({ sink, sources: [source.source, other.source] }), Failure);
  assertEquals(failure.code, "disk-full");
});

Deno.test("download() fails as not-found when no peer has the file", async () => {
  assertEquals((await assertRejects(() => run({ sources: [] }), Failure)).code, "not-found");
});

Deno.test("download() waits long for its turn at the only source", async () => {
  // The fast clock makes a hundred seconds of it.
  await using full = await LyingSource.open([FILE], "full", "says QUEUED every second", { lieMs: 2_000 });
  const sink = new MemorySink(SIZE);
  const progress: DownloadProgress[] = [];
  await run({ sink, sources: [full.source(FILE.name)], onProgress: (each) => progress.push(each) });
  assertEquals(sink.bytes, FILE.bytes);
  assert(progress.some(({ before }) => before === 0), "no progress mentions the line");
});

Deno.test("download() gives up on sources that only drip, and names them", async () => {
  await using one = await LyingSource.open([FILE], "one", "sends one right byte a second");
  await using other = await LyingSource.open([FILE], "other", "sends one right byte a second");
  const sources = [one.source(FILE.name), other.source(FILE.name)];
  const failure = await assertRejects(() => run({ sources }), Failure);
  assertEquals([failure.code, failure.message], ["timeout", 'Cannot get "served.bin": nothing came from one, other']);
});

Deno.test("download() reports a busy owner rather than a missing file", async () => {
  await using busy = await LyingSource.open([FILE], "busy", "is busy");
  await using liar = await LyingSource.open([FILE], "liar", "claims to hold all of it, and does not share it");
  const sources = [busy.source(FILE.name), liar.source(FILE.name)];
  assertEquals((await assertRejects(() => run({ sources }), Failure)).code, "busy");
});

Deno.test("download() finds the one honest source behind more liars than there are places", async () => {
  await using stack = new AsyncDisposableStack();
  const sources: Source[] = [];
  for (let number = 0; number < 40; number++) {
    const liar = await LyingSource.open([FILE], `liar ${number}`, number % 2 === 0 ? "is busy" : "is silent to PIECES");
    sources.push(stack.use(liar).source(FILE.name));
  }
  const honest = stack.use(await LyingSource.open([FILE], "honest", undefined));
  const sink = new MemorySink(SIZE);
  await run({ sink, sources: [...sources, honest.source(FILE.name)] });
  assertEquals(sink.bytes, FILE.bytes);
});

Deno.test("download() stops immediately by its signal while a source stalls", async () => {
  await using source = await TestSource.open(FILE, { stallsAfter: PIECE_BYTES + 100_000 });
  const controller = new AbortController();
  const sink = new MemorySink(SIZE);
  const running = assertRejects(() =>
    run({
      sink,
      sources: [source.source],
      signal: controller.signal,
      onProgress: ({ done }) => {
        if (done >= PIECE_BYTES) setTimeout(() => controller.abort(new Failure("cancelled", "enough")), 20);
      },
    }), Failure);
  assertEquals((await running).code, "cancelled");
  assertEquals(sink.writes, [0]);
});

Deno.test("streamSink() gets bytes in order, and from another source only when the content is the same", async () => {
  await using first = await TestSource.open(FILE, { closesAfter: 2 * PIECE_BYTES + 1 }, "first");
  await using second = await TestSource.open(FILE, {}, "second");
  const other = new ServedFile(randomBytes(SIZE, seededRandom(6)));
  await using third = await TestSource.open(other, {}, "third");
  const collect = () => {
    const parts: number[] = [];
    return {
      parts,
      write: (bytes: Uint8Array) =>
        Promise.resolve((parts.push(...bytes.subarray(0, 1000)), Math.min(1000, bytes.length))),
    };
  };
  const whole = collect();
  await run({ content: WITHOUT_ROOT, sink: streamSink(whole), sources: [first.source, second.source] });
  assert(sameBytes(new Uint8Array(whole.parts), FILE.bytes));

  const mixed = collect();
  const result = await run({
    content: WITHOUT_ROOT,
    sink: streamSink(mixed),
    sources: [first.source, third.source],
  });
  // On a slow machine the third source may be asked before the first has answered. Then it sends
  // everything.
  const [giver, served] = bytesFrom(result, "third") > 0 ? ["third", other] : ["first", FILE];
  assert(sameBytes(new Uint8Array(mixed.parts), served.bytes), `mixed, or not of ${giver}`);
  assertEquals(bytesFrom(result, giver), SIZE);
});
