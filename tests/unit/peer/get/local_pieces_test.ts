/**
 * What a peer takes from its own folder when it downloads a file that has pieces in common with
 * others. Real sockets and folders, one process.
 * @module
 */

import { assert, assertEquals, assertLess } from "@std/assert";
import { PIECE_BYTES } from "../../../../lib/core/content.ts";
import type { Destination } from "../../../../lib/peer/get/fetching.ts";
import { Room, type RoomPeer } from "../../../support/room.ts";
import { sameFiles } from "../../../support/temp.ts";
import { eventually } from "../../../support/wait.ts";

const PIECES = 64;
const SIZE = PIECES * PIECE_BYTES;
const HALF = SIZE / 2;

/** Changes a byte in each of these pieces. */
async function change(path: string, ...pieces: number[]): Promise<void> {
  using file = await Deno.open(path, { read: true, write: true });
  for (const piece of pieces) {
    const byte = new Uint8Array(1);
    await file.seek(piece * PIECE_BYTES + 9, Deno.SeekMode.Start);
    await file.read(byte);
    await file.seek(-1, Deno.SeekMode.Current);
    await file.write(byte.map((each) => each ^ 1));
  }
}

/** Downloads, and returns where the file is and how many bytes its owner sent. */
async function get(
  { peer }: RoomPeer,
  what: string,
  to: Destination = { kind: "folder" },
): Promise<{ path: string; fetched: number }> {
  const { path = "", sources, failed } = await peer.transfers.start(await peer.directory.resolve(what), to).result;
  assertEquals(failed, []);
  return { path, fetched: sources.reduce((sum, { bytes }) => sum + bytes, 0) };
}

Deno.test("a new version of a file costs only its changed pieces, and the old one stays as it is", async () => {
  await using room = await Room.open();
  const [ana, rui] = [await room.folder(), await room.folder()];
  for (const folder of [ana, rui]) await folder.file("disk.img", SIZE, 1);
  // 5 % of it.
  await change(ana.at("disk.img"), 5, 40, 41);
  await room.peer("ana", ana);
  const taker = await room.peer("rui", rui);
  await room.hashed("ana", "disk.img");
  await room.hashed("rui", "disk.img");
  const { path, fetched } = await get(taker, await room.hashed("ana", "disk.img"));
  assertEquals(fetched, 3 * PIECE_BYTES);
  assert(await sameFiles(ana.at("disk.img"), path), path);
  assert(path !== rui.at("disk.img"), path);
});

Deno.test("the speed of a download does not count what is copied from the folder", async () => {
  await using room = await Room.open();
  const [ana, rui] = [await room.folder(), await room.folder()];
  for (const folder of [ana, rui]) await folder.file("disk.img", SIZE, 1);
  await change(ana.at("disk.img"), 5, 40, 41);
  await room.peer("ana", ana, { up: PIECE_BYTES });
  const taker = await room.peer("rui", rui);
  const root = await room.hashed("ana", "disk.img");
  await room.hashed("rui", "disk.img");
  const { transfer, result } = taker.peer.transfers.start(await taker.peer.directory.resolve(root), { kind: "folder" });
  await eventually("the old version is copied", () => transfer.view().done >= SIZE - 3 * PIECE_BYTES);
  assertLess(transfer.view().bytesPerSecond, 4 * PIECE_BYTES);
  await result;
});

Deno.test("a file costs only the half that no other file of the folder has", async () => {
  await using room = await Room.open();
  const [ana, rui] = [await room.folder(), await room.folder()];
  await ana.file("all.tar", SIZE, 1);
  await rui.file("part.bin", HALF, 1);
  await room.peer("ana", ana);
  const taker = await room.peer("rui", rui);
  await room.hashed("ana", "all.tar");
  await room.hashed("rui", "part.bin");
  const { path, fetched } = await get(taker, "all.tar");
  assertEquals(fetched, SIZE - HALF);
  assert(await sameFiles(ana.at("all.tar"), path), path);
});

Deno.test("large files of a folder, and files that go elsewhere, also take what is in the shared folder", async () => {
  await using room = await Room.open();
  const [ana, rui, elsewhere] = [await room.folder(), await room.folder(), await room.folder()];
  for (const [name, seed] of [["d/one.img", 1], ["d/two.img", 2]] as const) {
    await ana.file(name, SIZE, seed);
    await rui.file(name, SIZE, seed);
    await change(ana.at(name), seed);
  }
  await room.peer("ana", ana);
  const taker = await room.peer("rui", rui);
  for (const peer of ["ana", "rui"]) for (const name of ["d/one.img", "d/two.img"]) await room.hashed(peer, name);
  // Only of ana: rui's own folder of this name is another one.
  const wanted = await taker.peer.directory.resolve("d/", { from: "ana" });
  const { sources, failed } = await taker.peer.transfers.start(wanted, { kind: "path", path: elsewhere.path }).result;
  assertEquals([failed, sources.map(({ bytes }) => bytes)], [[], [2 * PIECE_BYTES]]);
  for (const name of ["one.img", "two.img"]) assert(await sameFiles(ana.at(`d/${name}`), elsewhere.at(name)), name);
});
