/**
 * N − 1 sources that lie or dawdle and one that is honest: the result is the same, and it takes at most twice the honest time and five seconds.
 * Looks at the clock, and compares with the honest time of the same run.
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { systemClock } from "../../lib/core/clock.ts";
import { PIECE_BYTES } from "../../lib/core/content.ts";
import { seededRandom } from "../../lib/core/random.ts";
import { download } from "../../lib/transfer/download.ts";
import { fileSink, type Sink, streamSink } from "../../lib/transfer/sink.ts";
import { downloadSmallFiles } from "../../lib/transfer/small_files.ts";
import { Folder } from "../../lib/store/folder.ts";
import { UnfinishedFile } from "../../lib/store/unfinished_file.ts";
import { type Lie, LIES, LyingSource } from "../support/liars.ts";
import { connectPlain, ServedFile } from "../support/sources.ts";
import { randomBytes, TempFolder } from "../support/temp.ts";

const SIZE = 12 * PIECE_BYTES + 4_321;
const FILE = new ServedFile(randomBytes(SIZE, seededRandom(7)), "lecture.mp4");
const SMALL = Array.from({ length: 200 }, (_, number) => {
  return new ServedFile(randomBytes(10 * number + 1, seededRandom(number)), `notes/${number}.txt`);
});
const HONEST_BYTES_PER_SECOND = 16 * PIECE_BYTES;
const LIARS = 7;
/** More than have a place at once. */
const MANY_LIARS = 16;
const EXTRA_MS = 5_000;

/** Gets the bytes of what all these sources say they have. */
type Get = (sources: readonly LyingSource[], seed: number) => Promise<Uint8Array>;

const TARGETS: Record<string, Get> = {
  "one file": (sources, seed) => getFile(sources, seed, { root: FILE.root }),
  "a stream": getStream,
  "a folder of 200 small files": getFolder,
  "a file not yet hashed": (sources, seed) => getFile(sources, seed, {}),
};

async function getInto(
  sink: Sink,
  sources: readonly LyingSource[],
  seed: number,
  known: { root?: string },
): Promise<void> {
  await download({
    content: { name: FILE.name, size: SIZE, ...known },
    sink,
    sources: () => Promise.resolve(sources.map((source) => source.source(FILE.name))),
    onProgress: () => {},
    signal: new AbortController().signal,
    connect: connectPlain,
    clock: systemClock,
    random: seededRandom(seed),
  });
}

async function getFile(sources: readonly LyingSource[], seed: number, known: { root?: string }): Promise<Uint8Array> {
  await using temp = await TempFolder.make();
  const folder = await Folder.open(temp.path);
  using unfinished = await UnfinishedFile.open(folder, { name: FILE.name, size: SIZE, ...known });
  await getInto(fileSink(unfinished), sources, seed, known);
  const placed = await unfinished.finish(folder, FILE.name, SIZE);
  return await Deno.readFile(temp.at(placed));
}

async function getStream(sources: readonly LyingSource[], seed: number): Promise<Uint8Array> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const write = (bytes: Uint8Array): Promise<number> => {
    parts.push(bytes.slice());
    return Promise.resolve(bytes.length);
  };
  await getInto(streamSink({ write }), sources, seed, { root: FILE.root });
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

async function getFolder(sources: readonly LyingSource[], seed: number): Promise<Uint8Array> {
  const arrived = new Map<string, Uint8Array<ArrayBuffer>>();
  await downloadSmallFiles({
    files: SMALL.map(({ name, bytes, root }) => {
      return { name, size: bytes.length, root, sources: sources.map((source) => source.source(name)) };
    }),
    onFile: ({ name }, bytes) => void arrived.set(name, bytes.slice()),
    onFailed: (_, failure) => {
      throw failure;
    },
    connect: connectPlain,
    clock: systemClock,
    random: seededRandom(seed),
    signal: new AbortController().signal,
  });
  return new Uint8Array(await new Blob(SMALL.map(({ name }) => arrived.get(name) ?? "missing")).arrayBuffer());
}

/** Gets one target from these liars and an honest source. Shape: what came, and how long it took. */
async function attempt(
  get: Get,
  lies: readonly Lie[],
  seed: number,
): Promise<{ bytes: Uint8Array; tookMs: number }> {
  await using stack = new AsyncDisposableStack();
  const all = [...SMALL, FILE];
  const sources: LyingSource[] = [];
  for (const [number, lie] of lies.entries()) {
    sources.push(stack.use(await LyingSource.open(all, `liar ${number}`, lie)));
  }
  sources.push(
    stack.use(await LyingSource.open(all, "honest", undefined, { bytesPerSecond: HONEST_BYTES_PER_SECOND })),
  );
  const beganMs = performance.now();
  const bytes = await get(sources, seed);
  return { bytes, tookMs: performance.now() - beganMs };
}

const MIXED = [...LIES, ...LIES].slice(0, MANY_LIARS);
const ROOMS: [what: string, lies: readonly Lie[]][] = [
  ...LIES.map((
    lie,
  ): [string, readonly Lie[]] => [`each ${lie}`, Array(lie === "is busy" ? MANY_LIARS : LIARS).fill(lie)]),
  ["all kinds together", MIXED],
];

for (const [target, get] of Object.entries(TARGETS)) {
  Deno.test(`one honest source among liars of every kind gives ${target} as soon as if they did not lie`, async () => {
    // Beside the others, so that the honest time is that of a machine as busy.
    const [honest, ...cells] = await Promise.all([
      attempt(get, [], 0),
      ...ROOMS.map(async ([what, lies], seed) => ({ what, ...await attempt(get, lies, seed) })),
    ]);
    const boundMs = 2 * honest.tookMs + EXTRA_MS;
    const wrong = cells.filter(({ bytes, tookMs }) => tookMs > boundMs || !isSame(bytes, honest.bytes));
    const told = wrong.map(({ what, tookMs }) => `${what}: ${Math.round(tookMs)} ms of ${Math.round(boundMs)} ms`);
    assertEquals(told, []);
    assert(isSame(honest.bytes, new Uint8Array(await new Blob(partsOf(target)).arrayBuffer())));
  });
}

function partsOf(target: string): Uint8Array<ArrayBuffer>[] {
  return (target === "a folder of 200 small files" ? SMALL : [FILE]).map(({ bytes }) => new Uint8Array(bytes));
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
