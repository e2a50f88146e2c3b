import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { digestOf, PIECE_BYTES, rootOf, sameBytes } from "../../../../lib/core/content.ts";
import { UNFINISHED_KEPT_MS, UNFINISHED_KEPT_STARTS } from "../../../../lib/core/limits.ts";
import { parseFound, tidyIncoming } from "../../../../lib/store/files/incoming.ts";
import { Failure } from "../../../../lib/core/failure.ts";
import type { PieceSet } from "../../../../lib/core/piece_set.ts";
import { Folder } from "../../../../lib/store/files/folder.ts";
import { placeAnywhere, placeFile } from "../../../../lib/store/files/place.ts";
import { UnfinishedFile } from "../../../../lib/store/files/unfinished_file.ts";
import { copyVerified } from "../../../../lib/store/files/verified_copy.ts";
import { seededRandom } from "../../../support/seeded_random.ts";
import { randomBytes, TempFolder } from "../../../support/temp.ts";

const SIZE = 2 * PIECE_BYTES + 5;
const BYTES = randomBytes(SIZE, seededRandom(3));
const CONTENT = { name: "aula.mp4", size: SIZE, root: "c".repeat(64) };

function piece(index: number): Uint8Array {
  return BYTES.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES);
}

function digest(index: number): Promise<Uint8Array> {
  return Promise.resolve(digestOf(piece(index)));
}

function piecesIn(set: PieceSet): number[] {
  return Array.from({ length: set.count }, (_, index) => index).filter((index) => set.has(index));
}

Deno.test("UnfinishedFile finds its pieces by their digests, and skips damaged ones", async () => {
  await using temp = await TempFolder.make();
  using folder = await Folder.open(temp.path);
  {
    using file = await UnfinishedFile.open(folder, CONTENT);
    assertEquals(piecesIn(await file.verified(digest, SIZE, () => {})), []);
    await file.write(PIECE_BYTES, piece(1));
    await file.write(2 * PIECE_BYTES, piece(2));
  }
  using again = await UnfinishedFile.open(folder, CONTENT);
  assertEquals(piecesIn(await again.verified(digest, SIZE, () => {})), [1, 2]);
  await again.write(PIECE_BYTES + 100, new Uint8Array(1));
  const checked: number[] = [];
  assertEquals(piecesIn(await again.verified(digest, SIZE, (bytes) => checked.push(bytes))), [2]);
  assertEquals(checked, [PIECE_BYTES, 2 * PIECE_BYTES, SIZE]);
});

Deno.test("UnfinishedFile continues a file that was begun before its root was known", async () => {
  await using temp = await TempFolder.make();
  using folder = await Folder.open(temp.path);
  const { name, size } = CONTENT;
  {
    using early = await UnfinishedFile.open(folder, { name, size });
    await early.write(0, piece(0));
  }
  using later = await UnfinishedFile.open(folder, CONTENT);
  assertEquals(piecesIn(await later.verified(digest, SIZE, () => {})), [0]);
});

Deno.test("finish() puts the whole file in its place, never over another", async () => {
  await using temp = await TempFolder.make();
  using folder = await Folder.open(temp.path);
  await temp.file("videos/aula.mp4", 3);
  for (const expected of ["videos/(1) aula.mp4", "videos/(2) aula.mp4"]) {
    using file = await UnfinishedFile.open(folder, CONTENT);
    for (const index of [2, 0, 1]) await file.write(index * PIECE_BYTES, piece(index));
    assertEquals(await file.finish(folder.path, "videos/aula.mp4", SIZE), expected);
    assertEquals(await Deno.readFile(temp.at(...expected.split("/"))), BYTES);
  }
  assertEquals((await Deno.stat(temp.at("videos", "aula.mp4"))).size, 3);
  assertEquals(Array.from(Deno.readDirSync(folder.statePath("incoming"))), []);
});

Deno.test("UnfinishedFile and copyVerified() keep zeros as holes, and write them over other bytes", async () => {
  await using temp = await TempFolder.make();
  using folder = await Folder.open(temp.path);
  const pieces = 24;
  const bytes = new Uint8Array(pieces * PIECE_BYTES + 5);
  for (const index of [3, 20]) bytes.set(piece(0), index * PIECE_BYTES);
  const size = bytes.length;
  const write = async (file: UnfinishedFile): Promise<void> => {
    for (const index of Array.from({ length: pieces + 1 }, (_, number) => number * 7 % (pieces + 1))) {
      await file.write(index * PIECE_BYTES, bytes.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES));
    }
  };
  const digests = Array.from({ length: pieces + 1 }, (_, index) => {
    return digestOf(bytes.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES));
  });
  const usedBytes = async (name: string): Promise<number> => ((await Deno.stat(temp.at(name))).blocks ?? 0) * 512;
  {
    using file = await UnfinishedFile.open(folder, { name: "disk.img", size });
    await write(file);
    const there = await file.verified((index) => Promise.resolve(digests[index] ?? new Uint8Array(0)), size, () => {});
    assertEquals(there.size, pieces + 1);
    assertEquals(await file.finish(folder.path, "disk.img", size), "disk.img");
  }
  const root = rootOf(size, new Uint8Array(digests.flatMap((digest) => [...digest])));
  using open = folder.openShared("disk.img");
  assert(await copyVerified(open, { root, size }, temp.at("copy.img")) !== undefined);
  for (const name of ["disk.img", "copy.img"]) {
    assert(sameBytes(await Deno.readFile(temp.at(name)), bytes), name);
    assert(await usedBytes(name) < 4 * PIECE_BYTES, `${name} takes ${await usedBytes(name)} bytes`);
  }
  // What an interrupted attempt has left may be anything.
  {
    using file = await UnfinishedFile.open(folder, { name: "again.img", size });
    await file.write(0, new Uint8Array(size).fill(7));
  }
  using file = await UnfinishedFile.open(folder, { name: "again.img", size });
  await write(file);
  // Nor may what was written since: it may have been another content of the same name.
  await file.write(4 * PIECE_BYTES, piece(1));
  const found = await file.verified((index) => Promise.resolve(digests[index] ?? new Uint8Array(0)), size, () => {});
  assertEquals([...found.missing(size, 9)], [{ start: 4 * PIECE_BYTES, end: 5 * PIECE_BYTES }]);
  await file.write(4 * PIECE_BYTES, bytes.subarray(4 * PIECE_BYTES, 5 * PIECE_BYTES));
  assert(sameBytes(await Deno.readFile(temp.at(await file.finish(folder.path, "again.img", size))), bytes));
});

Deno.test("finish() cuts off what is beyond the announced size", async () => {
  await using temp = await TempFolder.make();
  using folder = await Folder.open(temp.path);
  using file = await UnfinishedFile.open(folder, CONTENT);
  await file.write(0, new Uint8Array(SIZE + 1000));
  assertEquals((await Deno.stat(temp.at(await file.finish(folder.path, "a", SIZE)))).size, SIZE);
});

Deno.test("discard() leaves nothing", async () => {
  await using temp = await TempFolder.make();
  using folder = await Folder.open(temp.path);
  using file = await UnfinishedFile.open(folder, CONTENT);
  await file.write(0, piece(0));
  await file.discard();
  assertEquals(Array.from(Deno.readDirSync(folder.statePath("incoming"))), []);
});

Deno.test("placeFile() writes through no link, however deep", async () => {
  await using temp = await TempFolder.make();
  await temp.folder("outside");
  await temp.folder("share/real");
  await Deno.symlink(temp.at("outside"), temp.at("share", "link"));
  await Deno.symlink(temp.at("outside"), temp.at("share", "real", "link"));
  await Deno.symlink(temp.at("outside", "target.txt"), temp.at("share", "file.txt"));
  const from = await temp.file("part", 7);
  for (const name of ["link/x.txt", "real/link/y.txt", "link/deeper/z.txt"]) {
    assertEquals((assertThrows(() => placeFile(from, temp.at("share"), name), Failure)).code, "bad-name", name);
  }
  // A link where the file itself should be is a taken name, also when it leads nowhere.
  assertEquals(placeFile(from, temp.at("share"), "file.txt"), "(1) file.txt");
  assertEquals(Array.from(Deno.readDirSync(temp.at("outside"))), []);
});

Deno.test("placeAnywhere() copies to another disk, and leaves nothing half there", async () => {
  await using temp = await TempFolder.make();
  const other = await Deno.makeTempDir({ dir: "/dev/shm" });
  try {
    assert((await Deno.stat(other)).dev !== (await Deno.stat(temp.path)).dev, "this test needs two file systems");
    for (const [root, name] of [[other, "a.bin"], [other, "(1) a.bin"], [temp.path, "a.bin"]] as const) {
      const from = await temp.file("part", 3_000_000);
      assertEquals(await placeAnywhere(from, root, "a.bin"), name);
      assertEquals((await Deno.stat(`${root}/${name}`)).size, 3_000_000);
      await assertRejects(() => Deno.stat(from), Deno.errors.NotFound);
    }
    assertEquals(Array.from(Deno.readDirSync(other), (entry) => entry.name).sort(), ["(1) a.bin", "a.bin"]);
  } finally {
    await Deno.remove(other, { recursive: true });
  }
});

Deno.test("tidyIncoming() removes small, placed, and long unused files", async () => {
  await using temp = await TempFolder.make();
  using folder = await Folder.open(temp.at("share"));
  for (const name of ["killed.small", "young", "old", "placed"]) {
    await Deno.writeTextFile(folder.statePath("incoming", name), "x");
  }
  await Deno.link(folder.statePath("incoming", "placed"), temp.at("share", "final.bin"));
  const now = Date.now();
  const longAgo = new Date(now - UNFINISHED_KEPT_MS - 1000);
  await Deno.utime(folder.statePath("incoming", "old"), longAgo, longAgo);
  const names = (): string[] => Array.from(Deno.readDirSync(folder.statePath("incoming")), ({ name }) => name).sort();
  let found = await tidyIncoming(folder, now, {});
  assertEquals(names(), ["old", "young"]);
  assertEquals(await Deno.readTextFile(temp.at("share", "final.bin")), "x");
  for (let start = 1; start <= UNFINISHED_KEPT_STARTS; start++) {
    assertEquals(names(), ["old", "young"], String(start));
    found = await tidyIncoming(folder, now, parseFound(JSON.stringify(found)));
  }
  assertEquals(names(), ["young"]);
});

Deno.test("a clock that is years ahead for a while removes no unfinished file that is used", async () => {
  await using temp = await TempFolder.make();
  using folder = await Folder.open(temp.at("share"));
  const path = folder.statePath("incoming", "film");
  await Deno.writeTextFile(path, "x");
  const ahead = Date.now() + 3 * 365 * 24 * 3_600_000;
  await tidyIncoming(folder, ahead, {});
  let found = {};
  for (let start = 0; start < 3 * UNFINISHED_KEPT_STARTS; start++) {
    const written = new Date(1_700_000_000_000 + start * 1000);
    await Deno.utime(path, written, written);
    found = await tidyIncoming(folder, ahead, found);
  }
  assertEquals((await Deno.stat(path)).isFile, true);
});

Deno.test("UnfinishedFile never writes into a placed file that a killed run left under its first name", async () => {
  await using temp = await TempFolder.make();
  using folder = await Folder.open(temp.path);
  const edited = temp.at("aula.mp4");
  for (const sender of [undefined, "id of rui"]) {
    const content = { ...CONTENT, sender };
    {
      using file = await UnfinishedFile.open(folder, content);
      await file.write(0, piece(0));
    }
    const [name = ""] = Array.from(Deno.readDirSync(folder.statePath("incoming")), (entry) => entry.name);
    await Deno.link(folder.statePath("incoming", name), edited);
    await Deno.writeTextFile(edited, "edited by its owner");
    using again = await UnfinishedFile.open(folder, content);
    assertEquals(piecesIn(await again.verified(digest, SIZE, () => {})), []);
    await again.write(0, piece(0));
    assertEquals(await Deno.readTextFile(edited), "edited by its owner");
    await again.discard();
    await Deno.remove(edited);
  }
});
