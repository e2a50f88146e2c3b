/**
 * N − 1 sources that lie or dawdle and one that is honest: the result is the same, and it takes at
 * most twice the honest time and five seconds. Looks at the clock, and compares with the honest
 * time of the same run: the longest of several, since other programs of the machine come and go.
 * @module
 */

import { assertEquals } from "@std/assert";
import { systemClock } from "../../lib/core/flow/clock.ts";
import { PIECE_BYTES } from "../../lib/core/content.ts";
import { Downloads } from "../../lib/transfer/downloads.ts";
import { fileSink, type Sink, streamSink } from "../../lib/transfer/pieces/sink.ts";
import { Folder } from "../../lib/store/files/folder.ts";
import { UnfinishedFile } from "../../lib/store/files/unfinished_file.ts";
import { type Lie, LIES, LyingSource } from "../support/liars.ts";
import { seededRandom } from "../support/seeded_random.ts";
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
  const wanted = { name: FILE.name, size: SIZE, ...known, peers: [] };
  await downloadsFrom(sources, seed).download(wanted, sink, {
    signal: new AbortController().signal,
    onProgress: () => {},
  });
}

function downloadsFrom(sources: readonly LyingSource[], seed: number): Downloads {
  return new Downloads({
    connect: connectPlain,
    finder: { sources: ({ name }) => Promise.resolve(sources.map((source) => source.source(name))) },
    clock: systemClock,
    random: seededRandom(seed),
  });
}

async function getFile(sources: readonly LyingSource[], seed: number, known: { root?: string }): Promise<Uint8Array> {
  await using temp = await TempFolder.make();
  const folder = await Folder.open(temp.path);
  using unfinished = await UnfinishedFile.open(folder, { name: FILE.name, size: SIZE, ...known });
  await getInto(fileSink(unfinished), sources, seed, known);
  const placed = await unfinished.finish(folder.path, FILE.name, SIZE);
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
  const files = SMALL.map(({ name, bytes, root }) => {
    const holders = sources.map((source) => source.source(name));
    return { name, size: bytes.length, root, peers: [], sources: holders, moreHolders: false };
  });
  await downloadsFrom(sources, seed).downloadSmall(files, {
    signal: new AbortController().signal,
    onFile: ({ name }, bytes) => void arrived.set(name, bytes.slice()),
    onFailed: (_, failure) => {
      throw failure;
    },
  });
  return new Uint8Array(await new Blob(SMALL.map(({ name }) => arrived.get(name) ?? "missing")).arrayBuffer());
}

/** What came of one room, and how long it took. */
interface Attempt {
  readonly bytes: Uint8Array;
  readonly tookMs: number;
}

/** Gets one target in several rooms at the same time, each of these liars and an honest source. */
async function attempts(get: Get, rooms: readonly (readonly Lie[])[]): Promise<Attempt[]> {
  const opened = await Promise.all(rooms.map(openRoom));
  try {
    return await Promise.all(opened.map((sources, seed) => attempt(get, sources, seed)));
  } finally {
    await Promise.all(opened.flat().map((source) => source[Symbol.asyncDispose]()));
  }
}

async function attempt(get: Get, sources: readonly LyingSource[], seed: number): Promise<Attempt> {
  const beganMs = performance.now();
  const bytes = await get(sources, seed);
  return { bytes, tookMs: performance.now() - beganMs };
}

/**
 * Gets the target again and again from an honest source alone, until something else is over.
 *
 * @returns The longest time.
 */
async function honestMs(get: Get, until: Promise<unknown>): Promise<number> {
  const sources = await openRoom([]);
  await using _closing = sources[0];
  let isOver = false;
  const over = (): boolean => isOver = true;
  until.then(over, over);
  let mostMs = 0;
  do mostMs = Math.max(mostMs, (await attempt(get, sources, 0)).tookMs); while (!isOver);
  return mostMs;
}

async function openRoom(lies: readonly Lie[]): Promise<LyingSource[]> {
  const all = [...SMALL, FILE];
  const liars = lies.map((lie, number) => LyingSource.open(all, `liar ${number}`, lie));
  const honest = LyingSource.open(all, "honest", undefined, { bytesPerSecond: HONEST_BYTES_PER_SECOND });
  return await Promise.all([...liars, honest]);
}

const MIXED = [...LIES, ...LIES].slice(0, MANY_LIARS);
const ROOMS: readonly (readonly [what: string, lies: readonly Lie[]])[] = [
  ...LIES.map((lie) => [`each ${lie}`, Array<Lie>(lie === "is busy" ? MANY_LIARS : LIARS).fill(lie)] as const),
  ["all kinds together", MIXED],
];
/** Rooms at the same time. With more, a busy machine has more to do than to wait. */
const ROOMS_AT_ONCE = 5;

for (const [target, get] of Object.entries(TARGETS)) {
  Deno.test(`one honest source among liars of every kind delivers ${target} as fast as without them`, async () => {
    const expected = new Uint8Array(await new Blob(partsOf(target)).arrayBuffer());
    const wrong: string[] = [];
    for (let first = 0; first < ROOMS.length; first += ROOMS_AT_ONCE) {
      const rooms = ROOMS.slice(first, first + ROOMS_AT_ONCE);
      const attempting = attempts(get, rooms.map(([, lies]) => lies));
      // Beside the others and as long, so that the honest time is that of a machine as busy.
      const [cells, mostMs] = await Promise.all([attempting, honestMs(get, attempting)]);
      const boundMs = 2 * mostMs + EXTRA_MS;
      for (const [index, { bytes, tookMs }] of cells.entries()) {
        if (tookMs <= boundMs && isSame(bytes, expected)) continue;
        wrong.push(`${rooms[index]?.[0]}: ${Math.round(tookMs)} ms of ${Math.round(boundMs)} ms`);
      }
    }
    assertEquals(wrong, []);
  });
}

function partsOf(target: string): Uint8Array<ArrayBuffer>[] {
  return (target === "a folder of 200 small files" ? SMALL : [FILE]).map(({ bytes }) => new Uint8Array(bytes));
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
