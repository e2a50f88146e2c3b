import { assert, assertEquals } from "@std/assert";
import { PIECE_BYTES } from "../../../../lib/core/content.ts";
import type { Destination } from "../../../../lib/peer/get/fetching.ts";
import type { TransferResult } from "../../../../lib/peer/get/transfer.ts";
import { Room, type RoomPeer } from "../../../support/room.ts";
import { sameFiles } from "../../../support/temp.ts";

const SIZE = 3 * PIECE_BYTES + 77;

async function get({ peer }: RoomPeer, what: string, to: Destination = { kind: "folder" }): Promise<TransferResult> {
  return await peer.transfers.start(await peer.directory.resolve(what), to).result;
}

Deno.test("get recreates a folder, also when a large file is here under another name", async () => {
  await using room = await Room.open();
  const [shared, own] = [await room.folder(), await room.folder()];
  await shared.file("week/film.bin", SIZE);
  await shared.file("week/note.txt", 10);
  await own.file("mine.bin", SIZE);
  await room.peer("ana", shared);
  await room.hashed("ana", "week/film.bin");
  await room.hashed("ana", "week/note.txt");
  const rui = await room.peer("rui", own);
  await room.hashed("rui", "mine.bin");
  const first = await get(rui, "week/");
  assertEquals([first.files, first.alreadyHere], [2, false]);
  assert(await sameFiles(shared.at("week/film.bin"), own.at("week/film.bin")));
  assertEquals((await get(rui, "week/")).alreadyHere, true);
});

Deno.test("get puts a folder into a chosen one, also on another disk, and follows no link there", async () => {
  await using room = await Room.open();
  const shared = await room.folder();
  await shared.file("week/deep/film.bin", SIZE);
  await shared.file("week/note.txt", 10);
  await room.peer("ana", shared);
  await room.hashed("ana", "week/deep/film.bin");
  await room.hashed("ana", "week/note.txt");
  const rui = await room.peer("rui");
  const other = await Deno.makeTempDir({ dir: "/dev/shm" });
  try {
    const to = { kind: "path", path: `${other}/to` } as const;
    const first = await get(rui, "week/", to);
    assertEquals([first.path, first.files, first.failed], [to.path, 2, []]);
    assert(await sameFiles(shared.at("week/deep/film.bin"), `${to.path}/deep/film.bin`));
    assert(await sameFiles(shared.at("week/note.txt"), `${to.path}/note.txt`));

    await Deno.remove(`${to.path}/deep`, { recursive: true });
    await Deno.mkdir(`${other}/outside`);
    await Deno.symlink(`${other}/outside`, `${to.path}/deep`);
    const second = await get(rui, "week/", to);
    assertEquals(second.failed.map(({ failure }) => failure.code), ["bad-name"]);
    assertEquals([...Deno.readDirSync(`${other}/outside`)], []);
  } finally {
    await Deno.remove(other, { recursive: true });
  }
});
