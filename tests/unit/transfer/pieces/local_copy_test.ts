/**
 * Downloads of files that have pieces in common with shared ones: real sockets, a real share, one
 * process.
 * @module
 */

import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import { Buffer } from "node:buffer";
import { type Clock, settlesWithin, systemClock } from "../../../../lib/core/flow/clock.ts";
import { DIGEST_BYTES, digestAt, PIECE_BYTES, rootOf } from "../../../../lib/core/content.ts";
import { Failure } from "../../../../lib/core/failure.ts";
import { Folder, type OpenFile } from "../../../../lib/store/files/folder.ts";
import { UnfinishedFile } from "../../../../lib/store/files/unfinished_file.ts";
import { LocalPieces } from "../../../../lib/store/share/local_pieces.ts";
import { Share } from "../../../../lib/store/share/share.ts";
import { State } from "../../../../lib/store/state/state.ts";
import type { WantedContent } from "../../../../lib/transfer/content/content.ts";
import type { Downloaded, DownloadProgress } from "../../../../lib/transfer/content/watch.ts";
import { Downloads } from "../../../../lib/transfer/downloads.ts";
import { fileSink, type Sink, streamSink } from "../../../../lib/transfer/pieces/sink.ts";
import { fastClock } from "../../../support/fast_clock.ts";
import { seededRandom } from "../../../support/seeded_random.ts";
import { type Behaviour, connectPlain, ServedFile, TestSource } from "../../../support/sources.ts";
import { randomBytes, TempFolder } from "../../../support/temp.ts";
import { eventually } from "../../../support/wait.ts";

const PIECES = 40;
const SIZE = (PIECES - 1) * PIECE_BYTES + 1234;
const NAME = "disk.img";
const OLD = bytesOfPieces();

/** Bytes that differ from one piece to the next. */
function bytesOfPieces(): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(SIZE);
  const block = randomBytes(PIECE_BYTES, seededRandom(1));
  for (let start = 0; start < SIZE; start += PIECE_BYTES) {
    block[0] = start / PIECE_BYTES;
    bytes.set(block.subarray(0, SIZE - start), start);
  }
  return bytes;
}

/** Compares forty mebibytes sooner than `assertEquals` does. */
function assertSame(actual: Uint8Array, expected: Uint8Array): void {
  assertEquals(Buffer.compare(actual, expected), 0);
}

/** The bytes with other ones in these pieces. */
function changedIn(bytes: Uint8Array<ArrayBuffer>, ...pieces: number[]): Uint8Array<ArrayBuffer> {
  const changed = bytes.slice();
  for (const piece of pieces) changed.fill(piece + 1, piece * PIECE_BYTES, (piece + 1) * PIECE_BYTES);
  return changed;
}

/** A folder with hashed files, and a source of the wanted content. */
class Scene implements AsyncDisposable {
  readonly temp: TempFolder;
  readonly folder: Folder;
  readonly share: Share;
  readonly state: State;
  readonly source: TestSource;
  readonly wanted: WantedContent;
  readonly progress: DownloadProgress[] = [];
  readonly #stack: AsyncDisposableStack;

  private constructor(
    parts: Pick<Scene, "temp" | "folder" | "share" | "state" | "source" | "wanted">,
    stack: AsyncDisposableStack,
  ) {
    ({ temp: this.temp, folder: this.folder, share: this.share, state: this.state } = parts);
    ({ source: this.source, wanted: this.wanted } = parts);
    this.#stack = stack;
  }

  static async open(
    wanted: ServedFile,
    files: Record<string, Uint8Array>,
    { behaviour = {}, hasRoot = true }: { readonly behaviour?: Behaviour; readonly hasRoot?: boolean } = {},
  ): Promise<Scene> {
    const stack = new AsyncDisposableStack();
    const temp = stack.use(await TempFolder.make());
    const path = await temp.folder("shared");
    for (const [name, bytes] of Object.entries(files)) {
      await Deno.writeFile(`${path}/${name}`, bytes);
      await Deno.utime(`${path}/${name}`, 1_000, 1_000);
    }
    const folder = stack.use(await Folder.open(path));
    const state = stack.use(State.open(folder.statePath("recess.db")));
    const share = stack.use(await Share.open(folder, state, { follows: false }));
    share.start(() => {});
    await eventually("all is hashed", () => [...share.files.all()].every(({ root }) => root !== undefined));
    const source = stack.use(await TestSource.open(wanted, behaviour));
    const content = { name: NAME, size: wanted.bytes.length, root: hasRoot ? wanted.root : undefined, peers: [] };
    return new Scene({ temp, folder, share, state, source, wanted: content }, stack);
  }

  async download(
    sink: Sink,
    local = new LocalPieces(this.share, this.state),
    clock: Clock = systemClock,
  ): Promise<Downloaded> {
    const downloads = new Downloads({
      connect: connectPlain,
      finder: { sources: () => Promise.resolve([this.source.source]) },
      clock,
      random: seededRandom(1),
      local,
    });
    const signal = new AbortController().signal;
    return await downloads.download(this.wanted, sink, { signal, onProgress: (each) => this.progress.push(each) });
  }

  /** Downloads into a file, and returns its bytes. */
  async bytes(local?: LocalPieces, clock?: Clock): Promise<Uint8Array> {
    using file = await UnfinishedFile.open(this.folder, this.wanted);
    const { root } = await this.download(fileSink(file), local, clock);
    await file.finish(this.folder.path, "arrived", this.wanted.size);
    assertEquals(root, this.wanted.root ?? root);
    return await Deno.readFile(`${this.folder.path}/arrived`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

Deno.test("a download fetches only the pieces of a new version that the old one does not have", async () => {
  const wanted = new ServedFile(changedIn(OLD, 3, 17));
  await using scene = await Scene.open(wanted, { [NAME]: OLD });
  assertSame(await scene.bytes(), wanted.bytes);
  assertEquals(scene.source.sent, 2 * PIECE_BYTES);
  assertSame(await Deno.readFile(`${scene.folder.path}/${NAME}`), OLD);
  const last = scene.progress.at(-1);
  assertEquals([last?.done, last?.copied], [SIZE, SIZE - 2 * PIECE_BYTES]);
  assert(scene.progress.every(({ state }) => state !== "waiting"));
});

Deno.test("a download takes pieces from a file with another name, at other places", async () => {
  const half = PIECES / 2;
  const wanted = new ServedFile(changedIn(OLD, ...Array(half).keys()));
  const other = OLD.subarray((half - 2) * PIECE_BYTES);
  await using scene = await Scene.open(wanted, { "backup.tar": other });
  assertSame(await scene.bytes(), wanted.bytes);
  assertEquals(scene.source.sent, half * PIECE_BYTES);
});

Deno.test("a download fetches what a file only seems to have, and the file is hashed again", async () => {
  const wanted = new ServedFile(changedIn(OLD, 3));
  await using scene = await Scene.open(wanted, { [NAME]: OLD });
  const path = `${scene.folder.path}/${NAME}`;
  const root = scene.share.files.get(NAME)?.root;
  await Deno.writeFile(path, changedIn(OLD, 8, 9));
  await Deno.utime(path, 1_000, 1_000);
  assertSame(await scene.bytes(), wanted.bytes);
  assertEquals(scene.source.sent, 3 * PIECE_BYTES);
  await eventually("another root", () => ![undefined, root].includes(scene.share.files.get(NAME)?.root));
});

Deno.test("a list that gives a short piece the digest of a long one spoils no shared file", async () => {
  const long = digestAt(new ServedFile(OLD).digests, 8);
  const honest = new ServedFile(OLD.slice(0, 2 * PIECE_BYTES + 1234));
  const digests = new Uint8Array([...honest.digests.subarray(0, 2 * DIGEST_BYTES), ...long]);
  const lie = Object.assign(honest, { digests, root: rootOf(honest.bytes.length, digests) });
  await using scene = await Scene.open(lie, { [NAME]: OLD });
  const before = scene.share.files.get(NAME);
  await assertRejects(() => scene.bytes(), Failure, "does not match its digest");
  assertEquals(scene.share.files.get(NAME), before);
});

Deno.test("a download fetches everything when the old version was changed or removed since it was hashed", async () => {
  const wanted = new ServedFile(changedIn(OLD, 3));
  for (const change of [(path: string) => Deno.remove(path), (path: string) => Deno.truncate(path, 5)]) {
    await using scene = await Scene.open(wanted, { [NAME]: OLD });
    await change(`${scene.folder.path}/${NAME}`);
    assertSame(await scene.bytes(), wanted.bytes);
    assertEquals(scene.source.sent, SIZE);
  }
});

Deno.test("a download goes on when the old version becomes shorter while it is read", async () => {
  const wanted = new ServedFile(changedIn(OLD, 3));
  await using scene = await Scene.open(wanted, { [NAME]: OLD });
  const local = new LocalPieces(scene.share, scene.state);
  const { open } = local;
  local.open = (file): OpenFile | undefined => {
    const opened = open.call(local, file);
    Deno.truncateSync(`${scene.folder.path}/${NAME}`, 10 * PIECE_BYTES);
    return opened;
  };
  assertSame(await scene.bytes(local), wanted.bytes);
  assertEquals(scene.source.sent, SIZE - 9 * PIECE_BYTES);
});

Deno.test("a download fetches everything when the old version cannot be read, and ends before its disk", async () => {
  const wanted = new ServedFile(changedIn(OLD, 3));
  await using scene = await Scene.open(wanted, { [NAME]: OLD });
  const local = new LocalPieces(scene.share, scene.state);
  const { open } = local;
  local.open = (file): OpenFile | undefined => {
    const opened = open.call(local, file);
    if (opened === undefined) return undefined;
    opened.file.read = () => new Promise(() => {});
    return opened;
  };
  const arriving = scene.bytes(local, fastClock(20));
  assert(await settlesWithin(60_000, arriving));
  assertSame(await arriving, wanted.bytes);
  assertEquals([scene.source.sent, scene.progress.at(-1)?.copied], [SIZE, undefined]);
});

Deno.test("a download asks a source only for the digests when every piece is on this machine", async () => {
  const wanted = new ServedFile(OLD.slice(0, 12 * PIECE_BYTES));
  await using scene = await Scene.open(wanted, { "longer.img": OLD }, { behaviour: { closesAfter: 0 } });
  assertSame(await scene.bytes(), wanted.bytes);
  assertEquals(scene.source.sent, 0);
});

Deno.test("a resumed download takes only what is missing from the old version", async () => {
  const wanted = new ServedFile(changedIn(OLD, 3));
  await using scene = await Scene.open(wanted, { [NAME]: OLD });
  {
    using file = await UnfinishedFile.open(scene.folder, scene.wanted);
    await file.write(0, wanted.bytes.subarray(0, 6 * PIECE_BYTES));
  }
  assertSame(await scene.bytes(), wanted.bytes);
  assertEquals([scene.source.sent, scene.progress.at(-1)?.copied], [0, SIZE - 6 * PIECE_BYTES]);
});

Deno.test("a file that its owner is still hashing takes pieces of the old version once it is hashed", async () => {
  const wanted = new ServedFile(changedIn(OLD, 3));
  await using scene = await Scene.open(wanted, { [NAME]: OLD }, { hasRoot: false });
  assertSame(await scene.bytes(), wanted.bytes);
  assertLess(scene.source.sent, SIZE);
});

Deno.test("a stream takes the pieces of the old version in order, and few of them wait in memory", async () => {
  const wanted = new ServedFile(changedIn(OLD, 0, 17, 39));
  await using scene = await Scene.open(wanted, { [NAME]: OLD });
  const written: Uint8Array[] = [];
  const stream = {
    write(bytes: Uint8Array): Promise<number> {
      written.push(bytes.slice());
      return Promise.resolve(bytes.length);
    },
  };
  await scene.download(streamSink(stream));
  assertSame(Buffer.concat(written), wanted.bytes);
  assertEquals(scene.source.sent, 2 * PIECE_BYTES + 1234);
});

Deno.test("a stream fails when nobody sends what comes before the pieces of this machine", async () => {
  const wanted = new ServedFile(OLD);
  const tail = OLD.subarray(35 * PIECE_BYTES);
  const behaviour = { fails: new Failure("not-shared", "it is not shared here") };
  await using scene = await Scene.open(wanted, { "tail.img": tail }, { behaviour });
  const stream = { write: ({ length }: Uint8Array) => Promise.resolve(length) };
  const failing = assertRejects(() => scene.download(streamSink(stream)), Failure, "no longer has this version");
  assert(await settlesWithin(10_000, failing));
});
